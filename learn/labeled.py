"""Labeled frames as deepmd/npy folders that say of every frame where its label comes from.

A folder holds, besides the arrays, `label.raw` ("dft" or "teacher:<name>"), `reference.raw` (frames with the same
word share one energy reference) and `provenance.json` (one entry a frame: code, version, hash of the input, ...).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.learn.errors import LearnError
from nvnmd.training.files import write_atomically, write_json
from nvnmd.training.frame_checks import check_system
from nvnmd.training.system import System

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
PROVENANCE_FILE = "provenance.json"


@dataclass(frozen=True)
class Labels:
    """What a code says of one frame.

    Attributes:
        energy: eV; forces: [n_atoms, 3] eV/angstrom; virial: [3, 3] eV, -dE/d(strain), or None.
        record: where the label comes from, as JSON values.
    """

    energy: float
    forces: Floats
    virial: Floats | None
    record: dict[str, Any]


@dataclass(frozen=True)
class LabeledFrame:
    """A structure with its labels.

    Attributes:
        name: of the job; group: what it belongs to, which names its folder.
    """

    name: str
    group: str
    atoms: Atoms
    labels: Labels


def frame_system(name: str, atoms: Atoms, labels: Labels, label: str = "dft") -> System:
    """A labeled frame as a system of its own, as the checks and the models of `training` take it."""
    type_map = tuple(dict.fromkeys(atoms.get_chemical_symbols()))
    periodic = bool(atoms.pbc.all())
    return System(
        name=name,
        type_map=type_map,
        types=np.array([type_map.index(symbol) for symbol in atoms.get_chemical_symbols()], dtype=np.int64),
        cells=(atoms.cell.array if periodic else np.zeros((3, 3)))[None],
        positions=atoms.positions[None],
        energies=np.array([labels.energy]),
        forces=labels.forces[None],
        virials=None if labels.virial is None else labels.virial[None],
        periodic=periodic,
        label=label,
    )


def check_frame(name: str, atoms: Atoms, labels: Labels, check_units: bool = True) -> None:
    """Refuse a label that would spoil a training; see `frame_checks.check_system`.

    Raises:
        FramesError: numbers missing or not finite, huge forces, atoms on top of each other, other units.
    """
    check_system(frame_system(name, atoms, labels), check_units=check_units)


def write_sets(
    folder: Path, frames: Sequence[LabeledFrame], type_map: Sequence[str], label: str, reference: str
) -> list[Path]:
    """Write frames as one deepmd/npy folder for each group and composition, all or nothing.

    Args:
        folder: replaced as a whole.
        frames: to write; in each folder in the order of their names.
        type_map: elements in the order of the types.
        label: "dft", or "teacher:<name>".
        reference: word that says which frames share an energy reference.

    Returns:
        The folders written.

    Raises:
        LearnError: an atom is of an element outside `type_map`.
    """
    temporary = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    groups: dict[str, list[LabeledFrame]] = {}
    for frame in sorted(frames, key=lambda f: f.name):
        groups.setdefault(_folder_name(frame, type_map), []).append(frame)
    for name, members in groups.items():
        _write_set(temporary / name, members, type_map, label, reference)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.replace(folder)
    return [folder / name for name in groups]


def _folder_name(frame: LabeledFrame, type_map: Sequence[str]) -> str:
    """One list of atoms, one kind of cell and of labels in each folder."""
    name = f"{frame.group}-{_formula(frame, type_map)}"
    if not frame.atoms.pbc.all():
        return f"{name}-cluster"
    return name if frame.labels.virial is not None else f"{name}-no-virial"


def _formula(frame: LabeledFrame, type_map: Sequence[str]) -> str:
    symbols = frame.atoms.get_chemical_symbols()
    if other := sorted(set(symbols) - set(type_map)):
        raise LearnError(f"{frame.name}: has {', '.join(other)}, which is not among the elements {' '.join(type_map)}")
    return "".join(f"{element}{symbols.count(element)}" for element in type_map if element in symbols)


def _write_set(
    folder: Path, frames: Sequence[LabeledFrame], type_map: Sequence[str], label: str, reference: str
) -> None:
    (folder / "set.000").mkdir(parents=True)
    orders = [_by_type(frame.atoms, type_map) for frame in frames]
    types = [type_map.index(symbol) for symbol in np.array(frames[0].atoms.get_chemical_symbols())[orders[0]]]
    periodic, both = bool(frames[0].atoms.pbc.all()), list(zip(frames, orders, strict=True))
    arrays: dict[str, Any] = {
        "coord": [frame.atoms.positions[order].ravel() for frame, order in both],
        "force": [frame.labels.forces[order].ravel() for frame, order in both],
        "energy": [frame.labels.energy for frame in frames],
        "box": [frame.atoms.cell.array.ravel() for frame in frames],
    }
    if periodic and frames[0].labels.virial is not None:
        arrays["virial"] = [frame.labels.virial.ravel() for frame in frames if frame.labels.virial is not None]
    for name, values in arrays.items():
        np.save(folder / "set.000" / f"{name}.npy", np.array(values, dtype=np.float64))
    lines = {"type.raw": types, "type_map.raw": type_map, "label.raw": [label], "reference.raw": [reference]}
    lines |= {} if periodic else {"nopbc": []}
    for name, words in lines.items():
        write_atomically(folder / name, "".join(f"{word}\n" for word in words).encode())
    entries = [{"frame": k, "job": frame.name, **frame.labels.record} for k, frame in enumerate(frames)]
    write_json(folder / PROVENANCE_FILE, {"label": label, "reference": reference, "frames": entries})


def _by_type(atoms: Atoms, type_map: Sequence[str]) -> NDArray[np.int64]:
    types = np.array([type_map.index(symbol) for symbol in atoms.get_chemical_symbols()])
    return np.argsort(types, kind="stable")


def read_provenance(folder: Path) -> list[dict[str, Any]]:
    """The entries of a folder that `write_sets` wrote, in the order of its frames; empty where there are none."""
    path = folder / PROVENANCE_FILE
    return list(json.loads(path.read_text(encoding="utf-8"))["frames"]) if path.exists() else []
