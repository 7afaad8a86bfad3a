"""Public data sets through load-atoms: fetched once, written as extended XYZ with citation and licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nvnmd.learn.errors import LearnError
from nvnmd.training.extxyz import ENERGY_KEYS, FORCE_KEYS, VIRIAL_KEYS
from nvnmd.training.files import write_atomically

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True)
class Fetched:
    """A set on this disk.

    Attributes:
        file: of the frames; frames: in it; left_out: without energy or forces, or with NaN.
        license: its name; citation: BibTeX.
    """

    file: Path
    frames: int
    left_out: int
    license: str
    citation: str


def fetch(name: str, folder: Path, root: Path | None = None, reference: str | None = None) -> Fetched:
    """Fetch a set by its name and write `frames.extxyz`, `CITATION.bib`, `LICENSE.txt` and `reference.raw`.

    Args:
        name: at load-atoms, in any case.
        folder: to write to.
        root: where load-atoms keeps what it fetched; None takes its own place.
        reference: word of the energy reference; None takes the name.

    Raises:
        LearnError: load-atoms is missing, the set is unknown or cannot be reached, or it has no labeled frame.
    """
    try:
        from load_atoms import load_dataset
    except ModuleNotFoundError:
        raise LearnError("load-atoms is not installed; install it with: pip install 'nvnmd[data]'") from None
    known = _known_name(name, root)
    try:
        dataset = load_dataset(known, root=root)
    except Exception as error:  # of the network, of the format, of an unknown name
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise LearnError(
            f"{name}: load-atoms cannot get it ({said}); names are listed at "
            "https://jla-gardner.github.io/load-atoms, and fetching needs internet"
        ) from None
    frames = [_labeled(atoms) for atoms in dataset]
    kept = [atoms for atoms in frames if atoms is not None]
    if not kept:
        raise LearnError(f"{name}: none of its {len(frames)} frames has energy and forces to train on")
    entry = dataset.description
    license, citation = str(entry.license or "not stated"), str(entry.citation or "not stated").strip()
    _write(folder, kept, {"CITATION.bib": citation, "LICENSE.txt": license, "reference.raw": reference or known})
    return Fetched(folder / "frames.extxyz", len(kept), len(frames) - len(kept), license, citation)


def _known_name(name: str, root: Path | None) -> str:
    """The name in load-atoms's own letters, where a copy of the set is at hand; else in capitals, as most are."""
    place = (root or Path.home() / ".load-atoms") / "database-entries"
    for path in sorted(place.glob("*.yaml")):
        if path.stem.lower() == name.lower():
            return path.stem
    return name.upper() if name.islower() else name


def _labeled(atoms: Atoms) -> Atoms | None:
    """The frame with the keys that nvnmd reads, or None where a label is missing or is not a number."""
    from ase import Atoms as Plain

    energy, forces = _first(atoms.info, ENERGY_KEYS), _first(atoms.arrays, FORCE_KEYS)
    if energy is None or forces is None:
        return None
    numbers = (np.float64(energy), np.asarray(forces, dtype=np.float64), atoms.positions, atoms.cell.array)
    if not all(np.isfinite(value).all() for value in numbers):
        return None
    found = Plain(atoms.get_chemical_symbols(), positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    found.info["energy"], found.arrays["forces"] = float(energy), numbers[1]
    virial = _first(atoms.info, VIRIAL_KEYS)
    if virial is not None and np.isfinite(np.asarray(virial, dtype=np.float64)).all():
        found.info["virial"] = np.asarray(virial, dtype=np.float64)
    if "config_type" in atoms.info:
        found.info["config_type"] = str(atoms.info["config_type"])
    return found


def _first(values: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((values[key] for key in keys if values.get(key) is not None), None)


def _write(folder: Path, frames: list[Atoms], texts: Mapping[str, str]) -> None:
    from io import StringIO

    from ase.io import write

    folder.mkdir(parents=True, exist_ok=True)
    text = StringIO()
    write(text, frames, format="extxyz")
    write_atomically(folder / "frames.extxyz", text.getvalue().encode())
    for name, words in texts.items():
        write_atomically(folder / name, f"{words}\n".encode())
