"""Crystalline atoms by bond order, and grains, after ten Wolde, Ruiz-Montero and Frenkel, J. Chem. Phys. 104, 9932
(1996), with the numbers of Dunton, Arbaugh and Starr (2024, supplement 1) for the rocksalt-like crystal:

q4 of an atom is the unit vector of the nine averages of Y_4m over its neighbors within 3.6 A. Two neighbors are
connected if Re(q4(i) . q4(j)) > 0.75. An atom is crystalline if it has more than 2 connections and at least one
crystalline neighbor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.graph import graph_of_pairs
from nvnmd.pcm.analysis.neighbors import neighbor_blocks
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CUTOFF_A = 3.6
CONNECTED = 0.75
MIN_CONNECTIONS = 3
_L = 4


@dataclass(frozen=True)
class CrystalOrder:
    """Per atom: crystalline [n]; connections [n]; grain [n], its grain's number from the largest (0) on, -1 outside.

    grain_atoms: [grains] atoms of each grain; density_per_A3: of the frame, for sizes in nm.
    """

    crystalline: NDArray[np.bool_]
    connections: Integers
    grain: Integers
    grain_atoms: Integers
    density_per_A3: float

    @property
    def fraction(self) -> float:
        """Share of crystalline atoms."""
        return float(self.crystalline.mean())

    def grain_diameters_nm(self, at_least: int = 20) -> Floats:
        """Diameters of spheres as large as the grains of at least so many atoms."""
        atoms = self.grain_atoms[self.grain_atoms >= at_least]
        return np.asarray(0.2 * (3 * atoms / (4 * np.pi * self.density_per_A3)) ** (1 / 3), dtype=np.float64)


def crystal_order(snapshot: Snapshot, cutoff_A: float = CUTOFF_A, connected: float = CONNECTED) -> CrystalOrder:
    """Crystalline atoms and grains of a frame; a grain is a set of crystalline atoms joined by connections.

    Connected neighbors are oriented alike, so that two grains that touch stay two.
    """
    q = bond_vectors(snapshot, cutoff_A)
    count = len(q)
    links = []
    for block in neighbor_blocks(snapshot, cutoff_A):
        alike = np.einsum("pm,pm->p", q[block.centers], q[block.others].conj()).real > connected
        links.append((block.centers[alike], block.others[alike]))
    centers, others = (np.concatenate([link[k] for link in links]) for k in (0, 1))
    connections = np.bincount(centers, minlength=count)
    solid = connections >= MIN_CONNECTIONS
    beside = np.zeros(count, dtype=bool)
    for block in neighbor_blocks(snapshot, cutoff_A):
        beside[block.centers[solid[block.others]]] = True
    solid &= beside
    parts = graph_of_pairs(count, centers, others).components(solid)
    sizes = np.bincount(parts[solid]) if solid.any() else np.zeros(0, dtype=np.int64)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    grain = np.full(count, -1, dtype=np.int64)
    grain[solid] = rank[parts[solid]]
    volume = abs(float(np.linalg.det(snapshot.cell)))
    return CrystalOrder(solid, connections.astype(np.int64), grain, sizes[order].astype(np.int64), count / volume)


def bond_vectors(snapshot: Snapshot, cutoff_A: float = CUTOFF_A, l: int = _L) -> NDArray[np.complex128]:  # noqa: E741
    """Unit vectors q_l [n, 2 l + 1] of every atom; zero for atoms without neighbors."""
    from scipy.special import sph_harm_y

    q = np.zeros((len(snapshot.positions), 2 * l + 1), dtype=np.complex128)
    for block in neighbor_blocks(snapshot, cutoff_A):
        polar = np.arccos(np.clip(block.vectors[:, 2] / block.distances, -1.0, 1.0))
        azimuth = np.arctan2(block.vectors[:, 1], block.vectors[:, 0])
        first, last = (block.centers[0], block.centers[-1] + 1) if len(block.centers) else (0, 0)
        for m in range(l + 1):
            y = sph_harm_y(l, m, polar, azimuth)
            local = block.centers - first
            real, imag = (np.bincount(local, part, minlength=last - first) for part in (y.real, y.imag))
            q[first:last, l + m] = real + 1j * imag
            q[first:last, l - m] = (-1) ** m * (real - 1j * imag)
    norm = np.linalg.norm(q, axis=1, keepdims=True)
    return q / np.where(norm > 0, norm, 1.0)


def crystallinity(frames: Iterable[Snapshot], cutoff_A: float = CUTOFF_A) -> tuple[Integers, Floats]:
    """Step and share of crystalline atoms of each frame: two arrays [frames]. Raises PcmError without a frame."""
    found = [(snapshot.step, crystal_order(snapshot, cutoff_A).fraction) for snapshot in frames]
    if not found:
        raise PcmError("no frame was given; crystallinity needs at least one")
    steps, values = zip(*found, strict=True)
    return np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64)
