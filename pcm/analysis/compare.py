"""How near two curves are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mean_difference(
    r: Floats, g: Floats, other_r: Floats, other_g: Floats, low_A: float = 2.0, high_A: float = 8.0
) -> float:
    """Mean of |g - g'| from low_A to high_A, or over the part of that range which both curves cover; NaN if none.

    Curves are interpolated linearly to steps of 0.02 A.
    """
    low, high = max(low_A, r[0], other_r[0]), min(high_A, r[-1], other_r[-1])
    if high <= low:
        return float("nan")
    grid = np.arange(low, high, 0.02)
    return float(np.mean(np.abs(np.interp(grid, r, g) - np.interp(grid, other_r, other_g))))


def curve_difference(x: Floats, y: Floats, other_x: Floats, other_y: Floats) -> tuple[float, float, float]:
    """Mean of |y - y'| over the part of the axis that both curves cover, at the points of the first; and its two ends.

    The other curve is interpolated linearly. All three are NaN where the curves do not overlap.
    """
    seen, known = ~np.isnan(y), ~np.isnan(other_y)
    x, y, other_x, other_y = x[seen], y[seen], other_x[known], other_y[known]
    order = np.argsort(other_x)
    inside = (x >= other_x.min(initial=np.inf)) & (x <= other_x.max(initial=-np.inf))
    if not inside.any():
        return float("nan"), float("nan"), float("nan")
    difference = np.abs(y[inside] - np.interp(x[inside], other_x[order], other_y[order]))
    return float(difference.mean()), float(x[inside].min()), float(x[inside].max())
