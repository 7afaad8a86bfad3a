"""Angular-limited three-body correlation (ALTBC): how a bond's length goes with that of the bond opposite to it.

For a center with neighbors at r1 and r2 whose directions are within 30 degrees of opposite, the density of (r1, r2).
A cubic environment gives one peak on the diagonal; a Peierls distortion moves it apart into two, short beside long
(Raty et al., Nat. Commun. 6, 7467 (2015)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.angles import pair_cosines
from nvnmd.pcm.analysis.neighbors import neighbor_blocks
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]

MAX_DEVIATION_DEG = 30.0
SMOOTHING_A = 0.04
LONGEST_A = 3.6
"""Longer ones are no bonds: there the second neighbors of a glass begin, whose density would win over every peak."""


@dataclass(frozen=True)
class Altbc:
    """r: [bins] centers in A; density: [bins, bins] per A^2, symmetric, with unit integral; pairs: triplets counted."""

    r: Floats
    density: Floats
    pairs: int
    frames: int

    def peak(self) -> tuple[float, float]:
        """Shorter and longer bond in A, up to LONGEST_A, where the smoothed density is highest."""
        from scipy.ndimage import gaussian_filter

        smooth = gaussian_filter(self.density, SMOOTHING_A / (self.r[1] - self.r[0]), mode="nearest")
        bonds = self.r <= LONGEST_A
        i, j = np.unravel_index(np.argmax(np.where(bonds[:, None] & bonds, smooth, 0.0)), smooth.shape)
        return float(min(self.r[i], self.r[j])), float(max(self.r[i], self.r[j]))

    @property
    def has_peak(self) -> bool:
        """Whether the density falls again beyond the peak; a ridge that reaches LONGEST_A has none."""
        return self.peak()[1] < LONGEST_A - SMOOTHING_A

    @property
    def peierls_ratio(self) -> float:
        """Longer over shorter bond at the peak; 1 without a distortion."""
        short, long = self.peak()
        return long / short


def altbc(
    frames: Iterable[Snapshot],
    low_A: float = 2.4,
    high_A: float = 4.0,
    bins: int = 80,
    centers: Iterable[str] | None = None,
) -> Altbc:
    """ALTBC of all atoms, or of those of the elements in `centers`, for bonds from `low_A` to `high_A`.

    Raises PcmError without a frame or without any nearly straight triplet.
    """
    edges = np.linspace(low_A, high_A, bins + 1)
    wanted = None if centers is None else list(centers)
    limit = np.cos(np.radians(180.0 - MAX_DEVIATION_DEG))
    counts = np.zeros((bins, bins))
    number = 0
    for snapshot in frames:
        number += 1
        for block in neighbor_blocks(snapshot, high_A):
            chosen = block if wanted is None else block.select(np.isin(snapshot.symbols[block.centers], wanted))
            for _, cosines, (first, second) in pair_cosines(chosen):
                straight = cosines < limit
                r1, r2 = chosen.distances[first[straight]], chosen.distances[second[straight]]
                counts += np.histogram2d(r1, r2, (edges, edges))[0]
    counts = counts + counts.T
    if not counts.any():
        raise PcmError(f"no two bonds between {low_A} and {high_A} A are nearly opposite; there is no ALTBC to show")
    width = (high_A - low_A) / bins
    density = counts / (counts.sum() * width**2)
    return Altbc((edges[1:] + edges[:-1]) / 2, density, int(counts.sum() / 2), number)
