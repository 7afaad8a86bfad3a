"""The guarantees of docs/numerics.md, section 10, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.integer_model import IntArray, IntegerModel

Require = Callable[[bool, str], None]


def check_model(model: IntegerModel) -> None:
    """Check every guarantee.

    Raises:
        QuantizeError: naming the first one that does not hold.
    """
    for check in (_check_shapes, _check_formats, _check_tables, _check_network):
        check(model, _require)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise QuantizeError(f"integer model: {message}")


def _check_shapes(m: IntegerModel, require: Require) -> None:
    n, width = m.n_types, m.m1 * m.m2
    require(n >= 1 and 1 <= m.m2 <= m.m1, "needs at least one type and 1 <= m2 <= m1")
    require(m.u_cut <= 1 << 24 and 0 < m.u_min < m.u_cut and m.u_min % (1 << 15) == 0, "u_cut or u_min out of range")
    require(m.n_seg == -(-m.u_cut >> 15), f"{m.n_seg} table segments do not cover the cutoff")
    require(1 <= m.max_neighbors <= 1024, "max_neighbors must be 1 … 1024")
    for name, table, count in (
        ("feature", m.feature_table, len(m.feature_coef)),
        ("scalar", m.scalar_table, len(m.scalar_coef)),
        ("guard", m.guard_table, len(m.guard_coef) if m.n_guard else 1),
    ):
        require(
            table.shape == (n, n) and bool(np.all((table >= 0) & (table < count))),
            f"{name}.table has a wrong shape or index",
        )
    require(m.scalar_coef.shape[1:] == (m.n_seg, 2, 3) and m.feature_coef.shape[2] == 3, "table shapes disagree")
    require(m.n_guard <= m.n_seg and m.guard_coef.shape[2] == 3, "guard table is longer than the cutoff")
    require(m.gate is None or m.gate.shape == (n, n, m.m1), "gate has a wrong shape")
    require(len(m.weights) == len(m.biases) == len(m.skip) >= 1, "layer counts disagree")
    for layer, (weight, bias, skip) in enumerate(zip(m.weights, m.biases, m.skip, strict=True), start=1):
        require(
            weight.ndim == 3 and weight.shape[0] == n and weight.shape[2] == width,
            f"fit.weight.{layer} has a wrong shape",
        )
        require(bias.shape == weight.shape[:2], f"fit.bias.{layer} has a wrong shape")
        require(not skip or (layer > 1 and weight.shape[1] == width), f"layer {layer} cannot have a skip connection")
        width = weight.shape[1]
    require(
        m.out_weight.shape == (n, width) and m.out_bias.shape == (n,) and m.energy_bias.shape == (n,),
        "output row shapes disagree",
    )


def _check_formats(m: IntegerModel, require: Require) -> None:
    f, layers = m.formats, m.n_layers
    require(
        len(f.weight_frac) == layers + 1 and len(f.act_frac) == len(f.grad_frac) == layers + 1,
        "format lists disagree with the layers",
    )
    require(
        f.act_frac[0] == f.d_frac and len(set(f.act_frac[1:])) == 1, "act_frac: first is d_frac, the others are equal"
    )
    require(f.grad_frac[layers] == f.weight_frac[layers], "grad_frac of the last layer is weight_frac of the output")
    require(f.act_frac[1] + f.tanh_shift - (f.z_frac - f.tanh_seg_bits) == 15, "tanh formats are not tied")
    require(m.tanh_coef.shape == (1 << (15 - f.tanh_seg_bits), 3), "tanh.coef has a wrong shape")
    require(2 <= f.x_bits <= 15 and 2 <= f.weight_bits <= 16, "x_bits or weight_bits out of range")
    require(
        f.dx_bits <= 18 and max(f.a_bits, f.b_bits, f.v_bits) <= 18 and f.p_bits <= 27 and f.f_bits <= 32,
        "a word is too wide",
    )
    require(f.t_bits <= 52, f"the sum T needs {f.t_bits} bits, more than 52")
    require(f.f_bits_needed <= 52, f"the force sum needs {f.f_bits_needed} bits, more than 52")
    shifts = all_shifts(f, layers)
    bad = {name: shift for name, shift in shifts.items() if not 0 <= shift <= 40}
    require(not bad, f"shifts out of range 0 … 40: {bad}")


def all_shifts(f: NumberFormats, layers: int) -> dict[str, int]:
    """Every right shift that the formats imply, by stage."""
    shifts = {
        "u": 2 * f.dx_frac - f.u_frac,
        "feature": f.feature_shift,
        "s": f.s_shift,
        "h": f.h_shift,
        "tanh": f.tanh_shift,
        "guard": f.guard_shift,
        "R0": f.s_frac - f.env_frac,
        "R": f.h_frac + f.dx_frac - f.env_frac,
        "X": f.env_frac + f.feature_frac + f.norm_shift - f.x_frac,
        "D": 2 * f.x_frac - f.d_frac,
        "E": f.weight_frac[layers] + f.act_frac[layers] - f.e_frac,
        "Y": f.grad_frac[0] + f.x_frac - f.y_frac,
        "A": f.y_frac + f.feature_frac + f.norm_shift - f.a_frac,
        "B": f.y_frac + f.feature_frac + f.feature_shift + f.norm_shift - f.b_frac,
        "V": f.a_frac + f.dx_frac - f.v_frac,
        "P": f.t_frac - f.seg_frac - f.p_frac,
        "F": f.f_acc - f.f_frac,
        "W": f.dx_frac + f.f_frac - f.w_frac,
    }
    for layer in range(1, layers + 1):
        shifts[f"z{layer}"] = f.weight_frac[layer - 1] + f.act_frac[layer - 1] - f.z_frac
        shifts[f"g{layer}"] = f.grad_frac[layer] + f.weight_frac[layer - 1] - f.grad_frac[layer - 1]
    return shifts


def _check_tables(m: IntegerModel, require: Require) -> None:
    f, first = m.formats, m.u_min >> 15
    narrow_top, wide_top = 32767, (1 << 26) - 1
    s, h = m.scalar_coef[:, first:, 0], m.scalar_coef[:, first:, 1]
    for name, coef, shift, value_top, slope_top, c2_top in (
        (
            "feature.coef",
            np.moveaxis(m.feature_coef[:, first:], 2, -1),
            f.feature_shift,
            narrow_top,
            narrow_top,
            narrow_top,
        ),
        ("tanh.coef", m.tanh_coef, f.tanh_shift, narrow_top, narrow_top, narrow_top),
        ("scalar.coef (s)", s, f.s_shift, wide_top, wide_top, wide_top),
        ("scalar.coef (h)", h, f.h_shift, wide_top, wide_top, wide_top),
        ("guard.coef", m.guard_coef[:, first:], f.guard_shift, 0x7FFFFFFF, wide_top, wide_top),
    ):
        value, slope, c2 = table_extremes(coef, shift)
        require(
            slope <= slope_top and c2 <= c2_top,
            f"{name}: slope {slope} or curvature {c2} exceeds {slope_top}, {c2_top}",
        )
        require(value <= value_top, f"{name}: value {value} exceeds {value_top}")


def table_extremes(coef: IntArray, shift: int) -> tuple[int, int, int]:
    """Bounds of ``|value|``, ``|slope|`` and ``|c2|`` of table rows ``[..., 3]`` for every ``t``."""
    if coef.size == 0:
        return 0, 0, 0
    c0, c1, c2 = np.moveaxis(coef.astype(np.int64), -1, 0)
    d = np.maximum(np.abs(c1), np.abs(c1 + c2))
    slope = np.maximum(np.abs(c1), np.abs(c1 + 2 * c2))
    return int((np.abs(c0) + (d >> shift) + 1).max()), int(slope.max()), int(np.abs(c2).max())


def _check_network(m: IntegerModel, require: Require) -> None:
    f, top = m.formats, 0x7FFFFFFF
    rows = [*zip(m.weights, m.biases, strict=True), (m.out_weight[:, None, :], m.out_bias[:, None])]
    for layer, (weight, bias) in enumerate(rows, start=1):
        magnitude = np.abs(weight.astype(np.int64))
        require(
            int(magnitude.max(initial=0)) < 1 << (f.weight_bits - 1),
            f"layer {layer}: a weight exceeds {f.weight_bits} bits",
        )
        require(
            bool(np.all(magnitude.sum(axis=2) * 32767 + np.abs(bias.astype(np.int64)) <= top)),
            f"layer {layer}: the forward sum can exceed 32 bits",
        )
        if layer <= m.n_layers:
            carried = 32767 << f.weight_frac[layer - 1] if m.skip[layer - 1] else 0
            require(
                bool(np.all(magnitude.sum(axis=1) * 32767 + carried <= top)),
                f"layer {layer}: the backward sum can exceed 32 bits",
            )
