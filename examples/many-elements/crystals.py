"""Crystals of electrodes, dielectrics and what may form between them and Ge-Sb-Te; writes run/*.extxyz.

Lattices and sites are experimental ones, rounded; labels belong to whatever the teacher makes of strained and displaced
copies, so nothing depends on their last digits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.io import write
from ase.spacegroup import crystal

RUN = Path(__file__).parent / "run"
CORNER = (0, 0, 0)
NITRIDE = ((0.1733, 0.7694, 0.25), (1 / 3, 2 / 3, 0.25), (0.3323, 0.0314, 0.25))


def cubic(symbols: str, group: int, a: float, *sites: tuple[float, ...]) -> Atoms:
    """A crystal of one site for each symbol, in its conventional cell; lengths in A, as in the next two."""
    return crystal(symbols.split(), sites, spacegroup=group, cellpar=[a, a, a, 90, 90, 90])


def tetragonal(symbols: str, group: int, a: float, c: float, *sites: tuple[float, ...]) -> Atoms:
    """The same with another height."""
    return crystal(symbols.split(), sites, spacegroup=group, cellpar=[a, a, c, 90, 90, 90])


def hexagonal(symbols: str, group: int, a: float, c: float, *sites: tuple[float, ...]) -> Atoms:
    """The same on a hexagonal base."""
    return crystal(symbols.split(), sites, spacegroup=group, cellpar=[a, a, c, 90, 90, 120])


def cells() -> dict[str, Atoms]:
    """Every crystal in a cell of 24 to 54 atoms."""
    third = (1 / 3, 2 / 3)
    return {
        "quartz": hexagonal("Si O", 152, 4.913, 5.405, (0.4697, 0, 1 / 3), (0.4133, 0.2672, 0.2144)) * (2, 2, 1),
        "cristobalite": cubic("Si O", 227, 7.16, CORNER, (1 / 8, 1 / 8, 1 / 8)),
        "Si3N4": hexagonal("Si N N", 176, 7.608, 2.911, *NITRIDE) * (1, 1, 3),
        "Ge3N4": hexagonal("Ge N N", 176, 8.04, 3.08, *NITRIDE) * (1, 1, 3),
        "TiO2": tetragonal("Ti O", 136, 4.594, 2.959, CORNER, (0.305, 0.305, 0)) * (2, 2, 2),
        "GeO2": tetragonal("Ge O", 136, 4.395, 2.862, CORNER, (0.306, 0.306, 0)) * (2, 2, 2),
        "TeO2": tetragonal("Te O", 92, 4.81, 7.61, (0.0268, 0.0268, 0), (0.1386, 0.2576, 0.1862)) * (2, 2, 1),
        "WO3": cubic("W O", 221, 3.77, CORNER, (0.5, 0, 0)) * 2,
        "WSi2": tetragonal("W Si", 139, 3.211, 7.868, CORNER, (0, 0, 1 / 3)) * (3, 2, 1),
        "WN": hexagonal("W N", 187, 2.89, 2.83, CORNER, (*third, 0.5)) * (3, 3, 2),
        "TiTe2": hexagonal("Ti Te", 164, 3.777, 6.498, CORNER, (*third, 0.2628)) * (3, 3, 2),
        "W": bulk("W", "bcc", 3.165, cubic=True) * 3,
        "Ti": bulk("Ti", "hcp", 2.951, 4.684) * (4, 3, 2),
        "Si": bulk("Si", "diamond", 5.431, cubic=True) * (2, 2, 1),
        "Ge": bulk("Ge", "diamond", 5.658, cubic=True) * (2, 2, 1),
        "Te": hexagonal("Te", 152, 4.456, 5.921, (0.2636, 0, 1 / 3)) * (3, 2, 2),
    }


def slabs() -> dict[str, Atoms]:
    """What stands below in interfaces: TiN turned by 45 degrees, which fits rocksalt-like Ge-Sb-Te to 0.4 %, and W."""
    nitride = bulk("TiN", "rocksalt", 4.24, cubic=True)
    turned = make_supercell(nitride, [[1, 1, 0], [-1, 1, 0], [0, 0, 1]])
    turned.set_cell(np.diag(turned.cell.lengths()), scale_atoms=True)
    return {
        "TiN-45": turned * (2, 1, 1),
        "TiN": nitride * (2, 2, 1),
        "W": bulk("W", "bcc", 3.165, cubic=True) * (3, 3, 1),
    }


if __name__ == "__main__":
    RUN.mkdir(exist_ok=True)
    write(RUN / "crystals.extxyz", [Atoms(atoms) for atoms in cells().values()])
    for name, atoms in slabs().items():
        write(RUN / f"slab-{name}.extxyz", Atoms(atoms))
