"""Frames without labels, from any file that ASE reads."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nvnmd.training.system import FramesError, System

if TYPE_CHECKING:
    from ase import Atoms


def read_trajectory(path: Path, type_map: Sequence[str]) -> list[System]:
    """Frames of a trajectory as systems whose labels are zeros; consecutive frames of the same atoms are one system.

    Args:
        path: extxyz, VASP, a LAMMPS dump, ... In a dump without element names, types count through `type_map`.
        type_map: elements that atoms may have.

    Raises:
        FramesError: ASE cannot read it, an unknown element, or periodicity along some vectors only.
    """
    from ase.io import read
    from ase.io.formats import filetype

    try:
        options = {"specorder": list(type_map)} if filetype(str(path)).startswith("lammps-dump") else {}
        frames: list[Atoms] = read(path, index=":", **options)
    except Exception as error:  # ASE raises many kinds
        raise FramesError(f"{path}: ASE cannot read it ({error or type(error).__name__})") from None
    groups = itertools.groupby(frames, key=lambda atoms: (tuple(atoms.numbers), tuple(atoms.pbc)))
    systems: list[System] = []
    for _, members in groups:
        systems.append(_system(f"{path.name}[{sum(s.n_frames for s in systems)}:]", list(members), type_map))
    return systems


def _system(name: str, frames: list[Any], type_map: Sequence[str]) -> System:
    symbols = frames[0].get_chemical_symbols()
    if unknown := sorted(set(symbols) - set(type_map)):
        raise FramesError(f"{name}: holds {', '.join(unknown)}, which is not among {' '.join(type_map)}")
    periodic = frames[0].pbc
    if periodic.any() != periodic.all():
        raise FramesError(f"{name}: atoms must be periodic along all three vectors or none")
    positions = np.array([atoms.positions for atoms in frames])
    return System(
        name=name,
        type_map=tuple(type_map),
        types=np.array([type_map.index(symbol) for symbol in symbols], dtype=np.int64),
        cells=np.array([atoms.cell.array for atoms in frames]),
        positions=positions,
        energies=np.zeros(len(frames)),
        forces=np.zeros_like(positions),
        virials=None,
        periodic=bool(periodic.all()),
        label="none",
    )
