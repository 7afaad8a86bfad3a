"""Where tables sample their functions, and the parabola of each segment (docs/numerics.md, section 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def segment_nodes(n_seg: int, first: int, width: float) -> NDArray[np.float64]:
    """Return ``[n_seg - first, 3]``: start, middle and end of every used segment, in the table's variable."""
    start = np.arange(first, n_seg, dtype=np.float64)[:, None] * width
    return start + width * np.array([0.0, 0.5, 1.0])


def parabola(start: Any, middle: Any, end: Any) -> tuple[Any, Any, Any]:
    """Return real ``(c0, c1, c2)`` of ``c0 + t (c1 + t c2)`` through values at ``t = 0, 1/2, 1`` (numpy or torch)."""
    c2 = 2.0 * (start - 2.0 * middle + end)
    return start, end - start - c2, c2


def fraction_bits(peak: float, top: int, most: int) -> int:
    """Largest ``f ≤ most`` with ``peak * 2**f ≤ top - 1``."""
    if not np.isfinite(peak):
        raise ValueError("the range of a table or stage is not finite")
    return most if peak <= 0 else min(most, int(np.floor(np.log2((top - 1) / peak))))


def tanh_coefficients(act_frac: int, z_frac: int, seg_bits: int, shift: int) -> NDArray[np.int16]:
    """Return the tanh table, int16 ``[segments, 3]``.

    Two segments are not the plain parabola. The slope at zero would be 32768, one more than a word holds: the first
    segment starts at 32767 and keeps its end value. The last one ends with slope zero, because inputs beyond the table
    are clamped to its end and a slope there would be a force without an energy.
    """
    count, scale = 1 << (15 - seg_bits), 2.0 ** (act_frac + shift)
    values = np.tanh(segment_nodes(count, 0, 2.0 ** (seg_bits - z_frac)))
    _, c1, c2 = (np.rint(part * scale) for part in parabola(*values.T))
    end = np.rint(values[:, 2] * scale) - np.rint(values[:, 0] * scale)
    over = c1 > 32767
    c1[over] = 32767
    c2[over] = end[over] - 32767
    c2[-1] = -np.floor(c1[-1] / 2)
    return np.stack([np.rint(values[:, 0] * 2.0**act_frac), c1, c2], axis=1).astype(np.int16)
