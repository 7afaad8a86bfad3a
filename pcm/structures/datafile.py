"""LAMMPS data files, written fast enough for millions of atoms, and read back with a check of the type order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nvnmd.pcm.errors import PcmError

if TYPE_CHECKING:
    from ase import Atoms

_CHUNK = 200_000


def write_data(path: Path, atoms: Atoms, elements: Sequence[str]) -> None:
    """Write `atoms` in the style `atomic`; types are numbered in the order of `elements`. Units: A, g/mol.

    The lattice is turned into LAMMPS's orientation. The file is written whole or not at all. Raises PcmError for an
    atom of another element.
    """
    from ase.data import atomic_masses, atomic_numbers

    numbers = np.array([atomic_numbers[element] for element in elements])
    types = np.zeros(int(max(numbers.max(), atoms.numbers.max())) + 1, dtype=np.int64)
    types[numbers] = np.arange(1, len(elements) + 1)
    kinds = types[atoms.numbers]
    if not kinds.all():
        other = atoms.symbols[int(np.argmin(kinds))]
        raise PcmError(f"the structure has {other}, which is not among the elements {' '.join(elements)}")
    turned = np.linalg.cholesky(atoms.cell.array @ atoms.cell.array.T)
    positions = (np.linalg.solve(atoms.cell.array.T, atoms.positions.T).T % 1.0) @ turned
    masses = "\n".join(
        f"{k} {atomic_masses[n]:.6g} # {e}" for k, (n, e) in enumerate(zip(numbers, elements, strict=True), 1)
    )
    tilt = turned[[1, 2, 2], [0, 0, 1]]
    box = "\n".join(f"0 {turned[k, k]:.10g} {a}lo {a}hi" for k, a in enumerate("xyz"))
    if np.abs(tilt).max() > 1e-9 * turned[0, 0]:
        box += f"\n{tilt[0]:.10g} {tilt[1]:.10g} {tilt[2]:.10g} xy xz yz"
    head = f"{atoms.get_chemical_formula()}\n\n{len(atoms)} atoms\n{len(elements)} atom types\n\n{box}\n"
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(f"{head}\nMasses\n\n{masses}\n\nAtoms # atomic\n\n")
        for start in range(0, len(atoms), _CHUNK):
            part = slice(start, start + _CHUNK)
            columns = range(start + 1, start + _CHUNK + 1), kinds[part].tolist(), *positions[part].T.tolist()
            rows = zip(*columns, strict=False)
            file.write("".join(f"{k} {kind} {x:.6f} {y:.6f} {z:.6f}\n" for k, kind, x, y, z in rows))
    temporary.replace(path)


def read_structure(path: Path, elements: Sequence[str]) -> Atoms:
    """Atoms of a file that ASE knows, or of a LAMMPS data file whose masses must belong to `elements` in this order.

    Raises PcmError for a file that cannot be read, an element that is not among `elements`, and types in another order.
    """
    import ase.io

    try:
        if path.suffix in (".data", ".lmp"):
            _check_masses(path, elements)
            numbers = {k: ase.data.atomic_numbers[e] for k, e in enumerate(elements, 1)}
            found = ase.io.read(path, format="lammps-data", atom_style="atomic", Z_of_type=numbers)
        else:
            found = ase.io.read(path)
    except (OSError, ValueError, KeyError, IndexError, UnboundLocalError, ase.io.formats.UnknownFileTypeError) as error:
        if isinstance(error, PcmError):
            raise
        raise PcmError(f"{path}: cannot be read as a structure ({error})") from None
    others = sorted(set(found.get_chemical_symbols()) - set(elements))
    if others:
        raise PcmError(f"{path}: has {', '.join(others)}, which the material does not; its elements are {elements}")
    return found


def _check_masses(path: Path, elements: Sequence[str]) -> None:
    """Compare the masses of a data file with those of the elements, type by type."""
    from ase.data import atomic_masses, atomic_numbers

    lines = path.read_text(encoding="utf-8").splitlines()
    if "Masses" not in (line.strip() for line in lines):
        return
    start = [line.strip() for line in lines].index("Masses") + 2
    for line in lines[start:]:
        words = line.split("#")[0].split()
        if len(words) != 2:
            break
        kind, mass = int(words[0]), float(words[1])
        if kind > len(elements):
            raise PcmError(f"{path}: has an atom type {kind}, but only {len(elements)} elements: {' '.join(elements)}")
        expected = atomic_masses[atomic_numbers[elements[kind - 1]]]
        if abs(mass - expected) > 0.02 * expected:
            near = min(elements, key=lambda e: abs(atomic_masses[atomic_numbers[e]] - mass))
            raise PcmError(
                f"{path}: atom type {kind} has the mass {mass:g} (that of {near}), but stands for {elements[kind - 1]} "
                f"in the order {' '.join(elements)}; number the types in that order"
            )
