"""Fixed-point primitives: the only rounding and saturation of the integer model (docs/numerics.md, section 1)."""

from __future__ import annotations

from typing import Any

import numpy as np

STAGES = ("R", "X", "D", "H", "GRAD", "Y", "A", "B", "V", "P", "F")
"""Names of the saturating stages, in the order of the counters of every backend."""


def rnd(value: Any, shift: int) -> Any:
    """Return ``floor((value + 2**(shift-1)) / 2**shift)``, round half up; a negative shift multiplies.

    ``value`` is an integer array (int64, or object dtype for unbounded Python integers) or a Python int.
    """
    if shift > 0:
        return (value + (1 << (shift - 1))) >> shift
    return value << -shift if shift else value


def limit(bits: int) -> int:
    """Largest magnitude of a symmetric signed word of ``bits`` bits."""
    return (1 << (bits - 1)) - 1


def clamp(value: Any, bits: int) -> Any:
    """Clamp to the symmetric range of ``bits`` bits without counting (only for the input of the tanh table)."""
    top = limit(bits)
    return np.minimum(np.maximum(value, -top), top)


def sat(value: Any, bits: int) -> tuple[Any, Any]:
    """Return ``(clamped value, mask of the words that the clamp changed)``."""
    clipped = clamp(value, bits)
    return clipped, clipped != value
