"""Pairs of atoms within the cutoff, found once per frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.errors import NvnmdError


class GeometryError(NvnmdError, ValueError):
    """A frame whose geometry cannot be used: atoms on top of each other, a flat cell, NaN."""


@dataclass(frozen=True)
class PairList:
    """Every ordered pair (center i, neighbor j or an image of j) closer than the cutoff.

    Attributes:
        centers: [n_pairs] index of the center atom i.
        neighbors: [n_pairs] index of the neighbor atom j (the image's parent).
        vectors: [n_pairs, 3] from i to the image of j, angstrom.
        distances: [n_pairs] angstrom.
        reverse: [n_pairs] index of the pair seen from the other end; an involution.
    """

    centers: NDArray[np.int64]
    neighbors: NDArray[np.int64]
    vectors: NDArray[np.float64]
    distances: NDArray[np.float64]
    reverse: NDArray[np.int64]


def find_pairs(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    cutoff_A: float,
    periodic: bool = True,
    name: str = "frame",
    atom_ids: NDArray[np.int64] | None = None,
) -> PairList:
    """Find all ordered pairs closer than the cutoff, several images of one atom included.

    Args:
        positions: [n_atoms, 3] angstrom, inside the cell or not.
        cell: [3, 3] angstrom, rows are the cell vectors; any shape and size.
        cutoff_A: pairs at this distance or beyond are left out.
        periodic: along all three vectors, or not at all.
        name: of the frame, for messages.
        atom_ids: [n_atoms] what messages call each atom; by default its index.

    Raises:
        GeometryError: NaN positions, a periodic cell without volume, two atoms at one place.
    """
    atom_ids = np.arange(len(positions)) if atom_ids is None else atom_ids
    _check_frame(positions, cell, periodic, name, atom_ids)
    i, j, shifts, distances, vectors = _search(positions, cell, cutoff_A, periodic)
    inside = distances < cutoff_A
    i, j, shifts, distances, vectors = i[inside], j[inside], shifts[inside], distances[inside], vectors[inside]
    if distances.size and distances.min() < 1e-3:
        worst = int(distances.argmin())
        first, second = atom_ids[i[worst]], atom_ids[j[worst]]
        raise GeometryError(
            f"{name}: atoms {first} and {second} are {distances[worst]:.1e} A apart; check positions and cell"
        )
    order = np.lexsort((shifts[:, 2], shifts[:, 1], shifts[:, 0], j, i))
    i, j, shifts = i[order], j[order], shifts[order]
    return PairList(i, j, vectors[order], distances[order], _reverse_index(i, j, shifts))


def _check_frame(
    positions: NDArray[np.float64], cell: NDArray[np.float64], periodic: bool, name: str, atom_ids: NDArray[np.int64]
) -> None:
    bad = np.flatnonzero(~np.isfinite(positions).all(axis=1))
    if bad.size:
        raise GeometryError(f"{name}: the position of atom {atom_ids[bad[0]]} is not a finite number")
    if periodic and not abs(np.linalg.det(cell)) > 1e-6:
        raise GeometryError(f"{name}: the cell {cell.tolist()} has no volume; give three independent vectors or none")


def _search(
    positions: NDArray[np.float64], cell: NDArray[np.float64], cutoff_A: float, periodic: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    from vesin import NeighborList

    box = np.ascontiguousarray(cell, dtype=np.float64) if periodic else np.zeros((3, 3))
    finder = NeighborList(cutoff=cutoff_A, full_list=True)
    i, j, shifts, distances, vectors = finder.compute(
        np.ascontiguousarray(positions, dtype=np.float64), box, periodic, "ijSdD"
    )
    return i.astype(np.int64), j.astype(np.int64), shifts.astype(np.int64), distances, vectors


def _reverse_index(i: NDArray[np.int64], j: NDArray[np.int64], shifts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of (j, i, -shift) for each (i, j, shift) of a list sorted by (i, j, shift)."""
    mirrored = np.lexsort((-shifts[:, 2], -shifts[:, 1], -shifts[:, 0], i, j))
    reverse = np.empty_like(i)
    reverse[mirrored] = np.arange(i.size)
    return reverse
