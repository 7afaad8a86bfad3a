"""Piecewise quadratic tables: evaluation in integers (docs/numerics.md, section 3)."""

from __future__ import annotations

from typing import Any

from nvnmd.quantize.fixed import rnd


def narrow(c0: Any, c1: Any, c2: Any, t: Any, shift: int) -> tuple[Any, Any]:
    """Evaluate the 16-bit form: return ``(value, slope)``.

    Coefficients and ``t`` (15 fraction bits, 0 … 32767) are integer arrays that broadcast together.
    """
    q = rnd(t * c2, 15)
    d = c1 + q
    return c0 + rnd((t >> shift) * d, 15), d + q


def wide(c0: Any, c1: Any, c2: Any, t: Any, shift: int) -> tuple[Any, Any]:
    """Evaluate the wide form (radial, angular and guard tables): return ``(value, slope)``."""
    q = rnd(t * c2, 15)
    d = c1 + q
    return c0 + rnd(t * d, 15 + shift), d + q
