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
