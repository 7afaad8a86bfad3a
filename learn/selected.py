"""The chosen frames of a round as a file, extended XYZ, with their uncertainty and where they were found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path

from nvnmd.learn.candidates import Chosen
from nvnmd.training.files import write_atomically


def write_selected(path: Path, chosen: Sequence[Chosen]) -> None:
    """Write chosen frames, whole or not at all; an empty file for none."""
    from ase.io import write

    text = StringIO()
    for found in chosen:
        atoms = found.atoms.copy()
        atoms.info = {"record": json.dumps({key: value for key, value in asdict(found).items() if key != "atoms"})}
        write(text, atoms, format="extxyz")
    write_atomically(path, text.getvalue().encode())


def read_selected(path: Path) -> list[Chosen]:
    """The frames of a file that `write_selected` wrote."""
    from ase.io import read

    if not path.stat().st_size:
        return []
    found = []
    for atoms in read(path, index=":", format="extxyz"):
        record = atoms.info["record"]  # ASE may have read the JSON itself
        found.append(Chosen(atoms=atoms, **(json.loads(record) if isinstance(record, str) else record)))
    return found
