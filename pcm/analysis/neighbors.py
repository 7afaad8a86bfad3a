"""Neighbors of every atom within a cutoff, in blocks of center atoms, so that memory does not grow with the cell.

freud's trees find them; a cell thinner than twice the cutoff is repeated first, so that every periodic image counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

if TYPE_CHECKING:
    from freud.box import Box
    from freud.locality import AABBQuery

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Pair = tuple[str, str]
Cutoffs = float | Mapping[Pair, float]
"""One bond length in A for all pairs, or one for each unordered pair of elements."""

BOND_A = 3.2
"""Bond length in A that studies of Ge-Sb-Te glasses count with; g(r) of Ge-Te has its first minimum near it."""
BLOCK = 20_000


@dataclass(frozen=True)
class Neighbors:
    """Directed pairs, sorted by center: centers, others: [pairs] atom indices; vectors: [pairs, 3] A from center to
    other, in a frame with the cell's first vector along x; distances: [pairs] A."""

    centers: Integers
    others: Integers
    vectors: Floats
    distances: Floats

    def select(self, keep: NDArray[np.bool_]) -> Neighbors:
        """The pairs where `keep` [pairs] is true."""
        return Neighbors(self.centers[keep], self.others[keep], self.vectors[keep], self.distances[keep])

    def groups(self) -> Iterator[tuple[Integers, Integers]]:
        """Centers with equally many neighbors together: centers [n], positions [n, count] in this object's arrays."""
        starts = np.flatnonzero(np.diff(self.centers, prepend=-1))
        counts = np.diff(np.append(starts, len(self.centers)))
        for count in np.unique(counts):
            first = starts[counts == count]
            yield self.centers[first], first[:, None] + np.arange(count)


def neighbor_blocks(snapshot: Snapshot, cutoff_A: float, block: int = BLOCK) -> Iterator[Neighbors]:
    """All neighbors within `cutoff_A` of every atom, `block` centers at a time; lone atoms have no pair."""
    if not cutoff_A > 0:
        raise PcmError(f"a cutoff of {cutoff_A} A finds no neighbors; give a positive one, such as {BOND_A}")
    query, home = periodic_query(snapshot, cutoff_A)
    count = len(home)
    for start in range(0, count, block):
        found = query.query(home[start : start + block], {"mode": "ball", "r_max": cutoff_A, "exclude_ii": False})
        pairs = found.toNeighborList()
        centers = np.asarray(pairs.query_point_indices, dtype=np.int64) + start
        points = np.asarray(pairs.point_indices, dtype=np.int64)
        vectors, distances = np.asarray(pairs.vectors, np.float64), np.asarray(pairs.distances, np.float64)
        # The home cell's images come first: the point with the center's own number is the center itself.
        yield Neighbors(centers, points % count, vectors, distances).select(points != centers)


def bond_blocks(snapshot: Snapshot, cutoffs: Cutoffs = BOND_A, block: int = BLOCK) -> Iterator[Neighbors]:
    """Bonds: neighbors within the cutoff of their pair of elements. Raises PcmError for a pair without a cutoff."""
    elements, kinds = element_indices(snapshot)
    table = cutoff_table(elements, cutoffs)
    for found in neighbor_blocks(snapshot, float(table.max()), block):
        yield found.select(found.distances <= table[kinds[found.centers], kinds[found.others]])


def element_indices(snapshot: Snapshot) -> tuple[list[str], Integers]:
    """Elements of a frame in alphabetical order, and each atom's index into them [n]."""
    names, kinds = np.unique(snapshot.symbols, return_inverse=True)
    return [str(name) for name in names], kinds.astype(np.int64)


def cutoff_table(elements: Sequence[str], cutoffs: Cutoffs) -> Floats:
    """Cutoffs [elements, elements] in A."""
    if not isinstance(cutoffs, Mapping):
        return np.full((len(elements), len(elements)), float(cutoffs))
    table = np.zeros((len(elements), len(elements)))
    for (i, a), (j, b) in product(enumerate(elements), repeat=2):
        value = cutoffs.get((a, b), cutoffs.get((b, a)))
        if value is None:
            raise PcmError(
                f"the bond lengths lack the pair {a}-{b}; they have {', '.join('-'.join(p) for p in cutoffs)}"
            )
        table[i, j] = value
    return table


def periodic_query(snapshot: Snapshot, cutoff_A: float) -> tuple[AABBQuery, Floats]:
    """freud's tree over all needed images, the home cell first, and the atoms' own positions [n, 3] in its frame."""
    from freud.locality import AABBQuery

    fractions = np.linalg.solve(snapshot.cell.T, snapshot.positions.T).T % 1.0
    repeats = cell_repeats(snapshot.cell, cutoff_A)
    box = freud_box(snapshot.cell, repeats)
    shifts = np.array(list(product(*(range(n) for n in repeats))))
    images = (fractions[None, :, :] + shifts[:, None, :]).reshape(-1, 3)
    return AABBQuery(box, box.make_absolute(images / repeats)), np.asarray(box.make_absolute(fractions / repeats))


def cell_repeats(cell: Floats, r_max_A: float) -> Integers:
    """How often the cell is repeated along each axis so that a sphere of r_max meets every image once at most."""
    heights = abs(np.linalg.det(cell)) / np.linalg.norm(np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]]), axis=1)
    return np.ceil(2.0002 * r_max_A / heights).astype(np.int64)


def freud_box(cell: Floats, repeats: Integers) -> Box:
    """freud's box of the repeated cell; it knows one orientation only, so the lattice is turned into that one."""
    from freud.box import Box

    vectors = cell * repeats[:, None]
    turned = np.linalg.cholesky(vectors @ vectors.T)
    (lx, ly, lz), tilts = np.diag(turned), turned[[1, 2, 2], [0, 0, 1]]
    return Box(lx, ly, lz, *(tilts / [ly, lz, lz]))
