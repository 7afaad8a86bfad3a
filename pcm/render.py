"""Pictures of structures as PNG, colored by element."""

from __future__ import annotations

import io
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.raster import Rods, Spheres, draw, view_rotation
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]

COLORS = {"Ge": "#3a7ca5", "Te": "#e0992f", "Sb": "#7d5ba6", "Se": "#b5543c", "In": "#4f9d69", "Si": "#8d99ae"}
RADII_A = {"Ge": 0.62, "Te": 0.80, "Sb": 0.78, "Se": 0.68, "In": 0.80, "Si": 0.58}
BOND_RADIUS_A = 0.13
CELL_RADIUS_A = 0.05
MAX_BONDED_ATOMS = 8000
UNBONDED_SCALE = 2.2
"""Larger spheres where no bonds are drawn, so that they nearly touch."""
_OTHER_COLOR, _OTHER_RADIUS_A = "#808080", 0.7


def render(
    snapshot: Snapshot,
    bond_A: float = 3.2,
    size_px: int = 900,
    colors: Floats | None = None,
    view_deg: tuple[float, float] = (28.0, 16.0),
) -> bytes:
    """PNG of a structure: atoms in the home cell, bonds up to `bond_A`, the cell's edges, transparent background.

    colors: [n, 3] red, green, blue from 0 to 1, those of the elements where None; view_deg: azimuth and elevation, (0,
    0) looks along y with z up. Bonds that cross the cell's faces are left out; in cells of more than MAX_BONDED_ATOMS
    atoms, all are, and spheres are larger.
    """
    from matplotlib.image import imsave

    positions = _home(snapshot)
    turn = view_rotation(*view_deg).T
    colors = element_colors(snapshot) if colors is None else colors
    radii = np.array([RADII_A.get(symbol, _OTHER_RADIUS_A) for symbol in snapshot.symbols])
    starts, ends = (corner @ turn for corner in _cell_edges(snapshot.cell))
    bonded = len(positions) <= MAX_BONDED_ATOMS
    if not bonded:
        radii *= UNBONDED_SCALE
    lines = [Rods(starts, ends, CELL_RADIUS_A, np.full((len(starts), 3), 0.62))]
    if bonded:
        first, second = _bonds(positions, snapshot, bond_A)
        middle = (positions[first] + positions[second]) / 2 @ turn
        lines += [Rods(positions[k] @ turn, middle, BOND_RADIUS_A, colors[k]) for k in (first, second)]
    buffer = io.BytesIO()
    imsave(buffer, draw(Spheres(positions @ turn, radii, colors), lines, size_px), format="png")
    return buffer.getvalue()


def element_colors(snapshot: Snapshot) -> Floats:
    """Each atom's color by its element [n, 3]."""
    names, index = np.unique(snapshot.symbols, return_inverse=True)
    return np.array([_rgb(str(name)) for name in names])[index]


def _rgb(symbol: str) -> tuple[float, float, float]:
    text = COLORS.get(symbol, _OTHER_COLOR)
    red, green, blue = (int(text[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue


def _home(snapshot: Snapshot) -> Floats:
    fractions = np.linalg.solve(snapshot.cell.T, snapshot.positions.T).T % 1.0
    return np.asarray(fractions @ snapshot.cell, dtype=np.float64)


def _bonds(positions: Floats, snapshot: Snapshot, bond_A: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both ends of the bonds that do not cross the cell's faces."""
    from vesin import NeighborList

    found = NeighborList(cutoff=bond_A, full_list=False).compute(
        points=positions, box=snapshot.cell, periodic=False, quantities="ij"
    )
    return found[0].astype(np.int64), found[1].astype(np.int64)


def _cell_edges(cell: Floats) -> tuple[Floats, Floats]:
    """Both ends [12, 3] of the edges of the cell."""
    corners = np.array(list(product((0, 1), repeat=3)))
    pairs = [(a, b) for a, b in combinations(corners, 2) if abs(a - b).sum() == 1]
    return np.array([a for a, _ in pairs]) @ cell, np.array([b for _, b in pairs]) @ cell
