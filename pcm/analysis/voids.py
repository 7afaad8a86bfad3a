"""Voids: connected regions that are far from every atom."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.neighbors import freud_box
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DISTANCE_A = 2.8
"""How far from all atoms a point of a void is, as in studies of cavities in Ge-Sb-Te glasses (Akola and Jones 2007)."""
_BLOCK = 200_000


@dataclass(frozen=True)
class Voids:
    """fraction: part of the cell's volume; volumes_A3: [voids] from the largest on; largest_radius_A: of the largest
    empty sphere around a grid point; spacing_A: of the grid, which bounds the resolution."""

    fraction: float
    volumes_A3: Floats
    largest_radius_A: float
    spacing_A: float


def find_voids(snapshot: Snapshot, distance_A: float = DISTANCE_A, spacing_A: float = 0.6) -> Voids:
    """Regions of points farther than `distance_A` from every atom center, on a grid of about `spacing_A`.

    Raises PcmError for a grid coarser than the distance.
    """
    if not 0 < spacing_A < distance_A:
        raise PcmError(f"a grid of {spacing_A} A cannot show voids of {distance_A} A; take a finer one")
    shape = np.maximum(1, np.round(np.linalg.norm(snapshot.cell, axis=1) / spacing_A)).astype(np.int64)
    distances = _distances(snapshot, shape)
    inside = distances > distance_A
    voxel = abs(float(np.linalg.det(snapshot.cell))) / distances.size
    labels = _periodic_labels(inside)
    volumes = np.sort(np.bincount(labels[labels > 0]))[::-1].astype(np.float64) * voxel
    spacing = float((np.linalg.norm(snapshot.cell, axis=1) / shape).max())
    return Voids(float(inside.mean()), volumes[volumes > 0], float(distances.max()), spacing)


def _distances(snapshot: Snapshot, shape: Integers) -> Floats:
    """Distance from each grid point to the nearest atom [shape] in A."""
    from freud.locality import AABBQuery

    fractions = np.linalg.solve(snapshot.cell.T, snapshot.positions.T).T % 1.0
    repeats = np.ones(3, dtype=np.int64)
    box = freud_box(snapshot.cell, repeats)
    query = AABBQuery(box, box.make_absolute(fractions))
    nearest = np.full(int(np.prod(shape)), np.inf)
    for start in range(0, nearest.size, _BLOCK):
        index = np.arange(start, min(start + _BLOCK, nearest.size))
        points = np.stack(np.unravel_index(index, tuple(shape)), axis=1) / shape
        pairs = query.query(box.make_absolute(points), {"mode": "nearest", "num_neighbors": 1}).toNeighborList()
        nearest[start + np.asarray(pairs.query_point_indices)] = np.asarray(pairs.distances)
    return nearest.reshape(tuple(shape))


def _periodic_labels(inside: NDArray[np.bool_]) -> Integers:
    """Numbers of the connected regions, joined across the faces of the cell; 0 outside."""
    from scipy.ndimage import label
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    labels, count = label(inside, structure=np.ones((3, 3, 3)))
    links: list[Integers] = []
    for axis in range(3):
        first, last = (np.take(labels, k, axis=axis) for k in (0, -1))
        for shift in product((-1, 0, 1), repeat=2):
            moved = np.roll(last, shift, axis=(0, 1))
            both = (first > 0) & (moved > 0)
            links.append(np.stack([first[both], moved[both]], axis=1))
    pairs = np.unique(np.concatenate(links), axis=0)
    graph = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count + 1, count + 1))
    _, joined = connected_components(graph, directed=False)
    # Region 0 is the outside and is linked to nothing, so that it keeps the number 0.
    return np.asarray(joined[labels], dtype=np.int64)
