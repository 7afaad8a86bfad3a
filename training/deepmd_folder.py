"""What a deepmd folder must hold, looked at before dpdata reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nvnmd.training.system import FramesError


def check_folder(folder: Path, form: str) -> None:
    """Files present and arrays of matching shapes, set by set.

    Raises:
        FramesError: naming the file.
    """
    n_atoms = len(_types(folder))
    periodic = not (folder / "nopbc").exists()
    if form == "deepmd/raw":
        _check_set(folder, ".raw", n_atoms, periodic)
        return
    sets = sorted(folder.glob("set.*"))
    with_virial = [_check_set(part, ".npy", n_atoms, periodic, mixed=form.endswith("mixed")) for part in sets]
    if any(with_virial) and not all(with_virial):
        missing = sets[with_virial.index(False)]
        raise FramesError(f"{missing}: virial.npy is missing while other sets of this folder have one")


def check_types(folder: Path, type_map: Sequence[str] | None) -> None:
    """Every type of a folder has an element name, either of its own or from `type_map`.

    Raises:
        FramesError: no names, or fewer names than types.
    """
    own = folder / "type_map.raw"
    names = own.read_text().split() if own.exists() else type_map
    if names is None:
        raise FramesError(f"{folder}: no type_map.raw says which elements its types are; add it, or give a type map")
    types = _types(folder)
    if types.min() < 0 or types.max() >= len(names):
        raise FramesError(
            f"{folder / 'type.raw'}: type {types.max() if types.max() > 0 else types.min()} is outside the type map "
            f"{' '.join(names)} (counted from 0)"
        )


def _types(folder: Path) -> np.ndarray:
    path = folder / "type.raw"
    try:
        types = np.loadtxt(path, ndmin=1, dtype=np.int64)
    except ValueError as error:
        raise FramesError(f"{path}: must hold one integer an atom: {error}") from None
    if types.size == 0:
        raise FramesError(f"{path}: is empty")
    return types


def _check_set(folder: Path, ending: str, n_atoms: int, periodic: bool, mixed: bool = False) -> bool:
    """Check one set; returns whether it has virials."""
    widths = {"coord": 3 * n_atoms, "energy": 1, "force": 3 * n_atoms}
    if periodic:
        widths["box"] = 9
    if mixed:
        widths["real_atom_types"] = n_atoms
    with_virial = (folder / f"virial{ending}").exists()
    if with_virial:
        widths["virial"] = 9
    n_frames = None
    for name, width in widths.items():
        path = folder / f"{name}{ending}"
        size = _size(path)
        n_frames = size // width if n_frames is None else n_frames
        if size == 0 or size != n_frames * width:
            raise FramesError(
                f"{path}: holds {size} numbers, not {n_frames} frames x {width} (type.raw lists {n_atoms} atoms)"
            )
    return with_virial


def _size(path: Path) -> int:
    if not path.exists():
        what = {"force": "forces are", "energy": "energies are", "box": "cells are"}.get(path.stem, "it is")
        hint = "; a cluster without cell needs an empty file `nopbc`" if path.stem == "box" else ""
        raise FramesError(f"{path}: is missing; {what} needed for training{hint}")
    try:
        return np.load(path, mmap_mode="r").size if path.suffix == ".npy" else np.loadtxt(path).size
    except (ValueError, OSError, EOFError) as error:
        raise FramesError(f"{path}: is damaged or truncated: {error}") from None
