"""Fraction bits of tables, weights and aligned sums: the largest that keep what docs/numerics.md, section 10, asks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nvnmd.quantize.fixed import limit
from nvnmd.quantize.float_spec import Array, FloatSpec
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.nodes import fraction_bits, parabola


def table_fractions(nodes: Array, value_top: int, slope_top: int, curve_top: int, most: int) -> tuple[int, int]:
    """Value fraction and slope shift; nodes have shape [tables, segments, 3, ...]."""
    c0, c1, c2 = parabola(*np.moveaxis(nodes, 2, 0))
    slope = np.maximum(np.abs(c1), np.abs(c1 + 2 * c2)).max()
    slope_frac = min(
        fraction_bits(float(slope), slope_top - 2, 30), fraction_bits(float(np.abs(c2).max()), curve_top - 2, 30)
    )
    reach = np.abs(c0) + np.maximum(np.abs(c1), np.abs(c1 + c2))
    value_frac = min(fraction_bits(float(reach.max()), value_top - 3, most), slope_frac)
    return value_frac, min(slope_frac - value_frac, 14)


def weight_fractions(spec: FloatSpec, bits: int, act_frac: list[int]) -> list[int]:
    layers = [
        *zip(spec.weights, spec.biases, spec.skip, strict=True),
        (spec.out_weight[:, None, :], spec.out_bias[:, None], False),
    ]
    return [
        _weight_fraction(weight, bias, skip, bits, act)
        for (weight, bias, skip), act in zip(layers, act_frac, strict=True)
    ]


def _weight_fraction(weight: Array, bias: NDArray[np.float64], skip: bool, bits: int, act_frac: int) -> int:
    """Largest fraction that keeps the weights in ``bits`` and both sums within 32 bits (section 10).

    With half a unit for the rounding of every weight, whatever it is after fine-tuning.
    """
    top, peak = 2.0**31 - 1, float(np.abs(weight).max())
    most = fraction_bits(peak, limit(bits), 15) if bits > 2 else 0
    if most < 1:
        raise ValueError(
            f"fitting weights up to {peak:.3g} do not fit {bits} bits; use more weight bits, or train with weight decay"
        )
    for frac in range(most, 0, -1):
        words = np.abs(weight * 2.0**frac)
        forward = (words.sum(axis=2) + weight.shape[2] / 2) * 32767 + np.abs(bias) * 2.0 ** (frac + act_frac)
        backward = (words.sum(axis=1) + weight.shape[1] / 2) * 32767 + (32767 * 2.0**frac if skip else 0)
        if forward.max() <= top and backward.max() <= top:
            return frac
    raise ValueError("a fitting layer has weights or biases too large for 32-bit sums; train with weight decay")


def align(f: NumberFormats) -> NumberFormats:
    """Lower fractions until T and the force sum fit 52 bits (docs/numerics.md, section 10).

    Raises:
        ValueError: ranges too far apart.
    """
    while f.t_bits > 52 or f.f_bits_needed > 52:
        if f.t_bits > 52:
            lowered = ("a_frac", "v_frac", "b_frac")[f.t_align.index(0)]
        elif f.f_align[1] == 0:
            lowered = "h_frac"
        else:
            raise ValueError("the range of the per-neighbor scalars is too large for the force sum")
        f = replace(f, **{lowered: getattr(f, lowered) - 1})
    return f
