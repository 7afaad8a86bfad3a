"""Static structure factors, total and partial, from the wave vectors that the periodic cell allows.

    S_ab(q) = <rho_a(q) rho_b*(q)> / N        S(q) = sum over a, b of S_ab(q)

N counts all atoms, so that S_aa goes to the concentration of a at large q and S_ab to 0. All wave
vectors of the cell count, in every direction, because small cells have few of one length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.neighbors import Pair
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]

_MOST_LISTED = 4_000_000
_BLOCK = 4_000_000


@dataclass(frozen=True)
class StructureFactor:
    """q: [bins] centers in 1/A; partial: for each unordered pair [bins]; concentration: share of each element."""

    q: Floats
    partial: dict[Pair, Floats]
    concentration: dict[str, float]
    frames: int

    def total(self, weights: Mapping[str, float] | None = None) -> Floats:
        """S(q) [bins]; `weights` are scattering lengths or, for X-rays at small q, numbers of electrons (1 where None).

        Normalized by the mean square weight, so that it goes to 1 at large q.
        """
        weight = dict.fromkeys(self.concentration, 1.0) if weights is None else weights
        norm = sum(part * weight[a] ** 2 for a, part in self.concentration.items())
        terms = [(1 if a == b else 2) * weight[a] * weight[b] * s for (a, b), s in self.partial.items()]
        return np.asarray(sum(terms) / norm, dtype=np.float64)


def structure_factor(
    frames: Iterable[Snapshot], q_max: float = 10.0, bins: int = 120, per_bin: int = 60, seed: int = 0
) -> StructureFactor:
    """Average S(q) of every pair of elements up to `q_max` in 1/A; bins without a wave vector hold NaN.

    per_bin: at most so many of a bin's wave vectors are summed over, drawn at random, in each frame. Raises PcmError
    without a frame.
    """
    edges = np.linspace(0.0, q_max, bins + 1)
    sums: dict[Pair, Floats] = {}
    shares: dict[str, float] = {}
    found = np.zeros(bins)
    generator = np.random.default_rng(seed)
    number = 0
    for snapshot in frames:
        number += 1
        vectors = wave_vectors(snapshot.cell, edges, per_bin, generator)
        index = np.minimum((np.linalg.norm(vectors, axis=1) / q_max * bins).astype(np.int64), bins - 1)
        found += np.bincount(index, minlength=bins)
        waves = {}
        for name in np.unique(snapshot.symbols).tolist():
            own = snapshot.positions[snapshot.symbols == name]
            waves[name] = _density_waves(own, vectors)
            shares[name] = len(own) / len(snapshot.symbols)
        for a, b in combinations_with_replacement(waves, 2):
            products = (waves[a] * waves[b].conj()).real / len(snapshot.symbols)
            sums[a, b] = sums.get((a, b), np.zeros(bins)) + np.bincount(index, products, bins)
    if not number:
        raise PcmError("no frame was given; S(q) needs at least one")
    with np.errstate(invalid="ignore"):
        partial = {pair: np.where(found > 0, s / found, np.nan) for pair, s in sums.items()}
    return StructureFactor((edges[1:] + edges[:-1]) / 2, partial, shares, number)


def wave_vectors(cell: Floats, edges: Floats, per_bin: int, generator: np.random.Generator) -> Floats:
    """Up to `per_bin` vectors [n, 3] in 1/A of the reciprocal lattice in each bin of length, one of each pair +q, -q.

    Small lattices are listed and drawn from; in large ones random vectors are moved to the nearest lattice point.
    """
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    most = np.ceil(edges[-1] * np.linalg.norm(cell, axis=1) / (2 * np.pi)).astype(np.int64)
    listed = bool(np.prod(2 * most + 1) <= _MOST_LISTED)
    if listed:
        index = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1).reshape(-1, 3)
    else:
        length = generator.uniform(np.repeat(edges[:-1], per_bin), np.repeat(edges[1:], per_bin))
        directions = generator.normal(size=(len(length), 3))
        points = directions * (length / np.linalg.norm(directions, axis=1))[:, None]
        index = np.round(points @ np.linalg.inv(reciprocal)).astype(np.int64)
    # -q says the same as q: take the one whose first component other than zero is positive.
    leading = np.take_along_axis(index, np.argmax(index != 0, axis=1)[:, None], axis=1)[:, 0]
    index = index[leading > 0] if listed else np.unique((index * np.sign(leading)[:, None])[leading != 0], axis=0)
    vectors = index @ reciprocal
    bins = np.searchsorted(edges, np.linalg.norm(vectors, axis=1), side="right") - 1
    order = generator.permutation(len(vectors))
    order = order[np.argsort(bins[order], kind="stable")]
    rank = np.arange(len(order)) - np.searchsorted(bins[order], bins[order])
    return np.asarray(vectors[order[(rank < per_bin) & (bins[order] < len(edges) - 1)]], dtype=np.float64)


def _density_waves(positions: Floats, vectors: Floats) -> NDArray[np.complex128]:
    """Sum of exp(i q r) over atoms, for each q [vectors], a block of atoms at a time."""
    total = np.zeros(len(vectors), dtype=np.complex128)
    block = max(1, _BLOCK // max(1, len(vectors)))
    for start in range(0, len(positions), block):
        total += np.exp(1j * (positions[start : start + block] @ vectors.T)).sum(axis=0)
    return total
