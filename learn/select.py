"""Which frames are worth a label: unsure ones, unlike those known and unlike each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Selection:
    """Frames by what their uncertainty says, and those chosen.

    Attributes:
        chosen: indices of the frames to label.
        accurate, candidate, failed: frames below the lower level, between both, and from the upper one on.
    """

    chosen: Ints
    accurate: int
    candidate: int
    failed: int


def select_frames(
    scores: Floats, vectors: Floats, known: Floats, low: float, high: float, most: int, least: int = 0
) -> Selection:
    """Choose at most `most` frames whose score lies between the levels, by farthest-point sampling.

    Args:
        scores: [n] uncertainty of each frame; NaN counts as failed.
        vectors: [n, d] descriptor of each frame; known: [m, d] of the frames that need not be chosen again.
        low, high: below the one a frame is known well enough, from the other on it is taken for unphysical.
        most: frames to choose.
        least: where fewer lie between the levels, the most uncertain ones below `low` are added up to this number.
    """
    sane = np.isfinite(scores) & (scores < high)
    inside = np.flatnonzero(sane & (scores >= low))
    candidates, below = len(inside), np.flatnonzero(sane & (scores < low))
    if len(inside) < min(least, most):
        extra = below[np.argsort(-scores[below], kind="stable")][: min(least, most) - len(inside)]
        inside = np.concatenate([inside, extra])
    chosen = inside[farthest_points(vectors[inside], known, most)] if len(inside) else inside
    return Selection(np.sort(chosen), len(below), candidates, len(scores) - len(below) - candidates)


def farthest_points(vectors: Floats, known: Floats, most: int) -> Ints:
    """Indices of at most `most` vectors, each the one farthest from all known and chosen before (Gonzalez 1985).

    Components are scaled to unit spread first. A vector that equals one that is there already is not chosen.

    Args:
        vectors: [n, d] to choose from; known: [m, d], may be empty, then the one nearest to the mean comes first.
        most: how many.
    """
    everything = np.vstack([vectors, known]) if len(known) else vectors
    spread = everything.std(axis=0)
    scale = np.where(spread > 1e-12 * (1.0 + np.abs(everything).max()), spread, np.inf)
    points, there = vectors / scale, known / scale if len(known) else np.empty((0, vectors.shape[1]))
    if len(there):
        gap = np.array([np.square(there - point).sum(axis=1).min() for point in points])
        chosen: list[int] = []
    else:
        chosen = [int(np.square(points - points.mean(axis=0)).sum(axis=1).argmin())][:most]
        gap = np.square(points - points[chosen[0]]).sum(axis=1) if chosen else np.zeros(0)
    while len(chosen) < min(most, len(points)):
        farthest = int(gap.argmax())
        if gap[farthest] <= 1e-12:
            break
        chosen.append(farthest)
        gap = np.minimum(gap, np.square(points - points[farthest]).sum(axis=1))
    return np.array(chosen, dtype=np.int64)


def spread_evenly(count: int, most: int) -> Ints:
    """At most `most` of `count` indices, evenly spread, the last one among them."""
    return (
        np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)) if count else np.zeros(0, int)
    )
