"""Unit cells with right angles (but for the rhombohedral one): lattice vectors, sites and what may sit on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures.materials import Material

CrystalForm = Literal["rocksalt", "rhombohedral", "trigonal", "a7"]
Floats = NDArray[np.float64]

CATION = "cation"
"""Label of a site that the material's cations and vacancies share at random."""


@dataclass(frozen=True)
class UnitCell:
    """vectors: [3, 3] A, rows, lower triangular; fractions: [sites, 3]; sites: an element each, or CATION."""

    vectors: Floats
    fractions: Floats
    sites: tuple[str, ...]


# Hexagonal cells: a and c in A, and the fractional z of one layer after the other; sites are A, B, C in turn.
# Sb: Barrett et al., Acta Cryst. 16, 451 (1963). Sb2Te3: Anderson and Krause, Acta Cryst. B 30, 1307 (1974). GeSb2Te4
# and Ge2Sb2Te5: lattices of Zhou et al. (2023, supplement, table 3, GAP and PBEsol), heights of the layers within a
# block chosen so that bonds are as long as in Sb2Te3 and GeTe: Sb-Te 2.97 A at the gap and 3.15 A inside. GeTe: the
# lattice of `_pseudo_cubic` along its threefold axis, bilayers with bonds of 2.84 A inside and 3.17 A between them.
_LAYERED: dict[str, tuple[float, float, int, tuple[tuple[str, float], ...]]] = {
    "GeTe": (4.1715, 10.701, 3, (("Ge", -0.7523), ("Te", 0.7523))),
    "Sb2Te3": (4.264, 30.458, 3, (("Te", -3.64), ("Sb", -2.02), ("Te", 0.0), ("Sb", 2.02), ("Te", 3.64))),
    "GeSb2Te4": (
        4.254, 39.867, 3,
        (("Te", -5.27), ("Sb", -3.60), ("Te", -1.63), ("Ge", 0.0), ("Te", 1.63), ("Sb", 3.60), ("Te", 5.27)),
    ),
    "Ge2Sb2Te5": (
        4.245, 16.701, 1,
        (("Te", -6.97), ("Sb", -5.30), ("Te", -3.33), ("Ge", -1.80), ("Te", 0.0),
         ("Ge", 1.80), ("Te", 3.33), ("Sb", 5.30), ("Te", 6.97)),
    ),
}  # fmt: skip
_SB = (4.3084, 11.274, 0.23349)


def unit_cell(chosen: Material, form: CrystalForm) -> UnitCell:
    """Cell of a material in a form at its own lattice constants. Raises PcmError for a form that it has not."""
    if form == "a7" and chosen.name == "Sb":
        a, c, z = _SB
        return _orthogonal(a, c, [("Sb", k / 3 + s * z, 2 * k) for k in range(3) for s in (1, -1)])
    if form == "trigonal" and chosen.name in _LAYERED:
        return _layered(*_LAYERED[chosen.name])
    if form == "rhombohedral" and chosen.name == "GeTe":
        return _pseudo_cubic(chosen)
    if form == "rocksalt" and chosen.cubic_edge_A is not None:
        basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
        sites = (CATION,) * 4 + (chosen.elements[-1],) * 4
        return UnitCell(np.eye(3) * chosen.cubic_edge_A, np.vstack([basis, (basis + 0.5) % 1.0]), sites)
    known = [f for f in ("rocksalt", "rhombohedral", "trigonal", "a7") if _has(chosen, f)]
    raise PcmError(f"{chosen.name} has no crystal form {form!r} here; take {' or '.join(map(repr, known))}")


def _has(chosen: Material, form: str) -> bool:
    forms = {
        "a7": chosen.name == "Sb",
        "rhombohedral": chosen.name == "GeTe",
        "trigonal": chosen.name in _LAYERED,
        "rocksalt": chosen.cubic_edge_A is not None,
    }
    return forms[form]


def _pseudo_cubic(chosen: Material) -> UnitCell:
    """alpha-GeTe in the pseudo-cubic setting (Goldak et al., J. Chem. Phys. 44, 3323 (1966)): 88.2 degrees between
    the axes, sublattices moved against each other along [111] so that three bonds are short and three long."""
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cosine = math.cos(math.radians(88.2))
    shape = np.linalg.cholesky(np.full((3, 3), cosine) + (1 - cosine) * np.eye(3))
    # Goldak et al.: 8 atoms at 0.0372 atoms/A^3.
    vectors = np.asarray(shape * (8 / 0.0372 / np.linalg.det(shape)) ** (1 / 3), dtype=np.float64)
    fractions = np.vstack([basis, basis + 0.5 - 0.026]) % 1.0
    return UnitCell(vectors, fractions, (chosen.elements[0],) * 4 + (chosen.elements[1],) * 4)


def _layered(a: float, c: float, blocks: int, layers: tuple[tuple[str, float], ...]) -> UnitCell:
    """Blocks of layers in cubic stacking across them; `layers` are elements and heights in A from a block's center."""
    found: list[tuple[str, float, int]] = []
    middle = len(layers) // 2
    for block in range(blocks):
        # Every layer sits on the next of the three sites of a hexagonal net, across the gaps as well.
        found += [(e, block / blocks + z / c, len(layers) * block + n - middle) for n, (e, z) in enumerate(layers)]
    return _orthogonal(a, c, found)


def _orthogonal(a: float, c: float, layers: list[tuple[str, float, int]]) -> UnitCell:
    """The cell a x sqrt(3) a x c of a stack of triangular nets: element, fractional height, site (modulo 3) of each."""
    fractions, sites = [], []
    for element, height, site in layers:
        shift = (site % 3) / 3
        for x, y in ((0.0, 0.0), (0.5, 0.5)):
            fractions.append([x, (y + shift) % 1.0, height % 1.0])
            sites.append(element)
    return UnitCell(np.diag([a, math.sqrt(3) * a, c]), np.array(fractions), tuple(sites))
