"""The guarantees of docs/numerics.md, section 10, in exact arithmetic."""

from __future__ import annotations

import numpy as np

from nvnmd.quantize.errors import require
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.integer_model import IntArray, IntegerModel
from nvnmd.quantize.shapes import check_cutoff, check_shapes, check_sizes

_MOST_BITS = {
    "x_bits": 15,
    "weight_bits": 16,
    "dx_bits": 18,
    "a_bits": 18,
    "b_bits": 18,
    "v_bits": 18,
    "p_bits": 27,
    "f_bits": 32,
}


def check_model(model: IntegerModel) -> None:
    """Check every guarantee.

    Raises:
        QuantizeError: naming the first one that does not hold.
    """
    for check in (check_sizes, _check_formats, check_cutoff, check_shapes, _check_tables, _check_network):
        check(model)


def _check_formats(m: IntegerModel) -> None:
    f, layers = m.formats, m.n_layers
    for name, value in f.to_dict().items():
        words = value if isinstance(value, list) else [value]
        require(all(-64 <= word <= 64 for word in words), f"formats: {name} must be from -64 to 64")
    require(
        len(f.weight_frac) == layers + 1 and len(f.act_frac) == len(f.grad_frac) == layers + 1,
        "format lists disagree with the layers",
    )
    require(
        f.act_frac[0] == f.d_frac and len(set(f.act_frac[1:])) == 1, "act_frac: first is d_frac, the others are equal"
    )
    require(f.grad_frac[layers] == f.weight_frac[layers], "grad_frac of the last layer is weight_frac of the output")
    require(0 <= f.tanh_seg_bits <= 15, "formats: tanh_seg_bits must be 0 to 15")
    require(f.act_frac[1] + f.tanh_shift - (f.z_frac - f.tanh_seg_bits) == 15, "tanh formats are not tied")
    for name, most in _MOST_BITS.items():
        require(2 <= getattr(f, name) <= most, f"formats: {name} must be 2 to {most}")
    for skip, frac in zip(m.skip, f.weight_frac, strict=False):
        require(not skip or 0 <= frac <= 16, "formats: weight_frac of a layer with skip must be 0 to 16")
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


def _check_tables(m: IntegerModel) -> None:
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


def _check_network(m: IntegerModel) -> None:
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
    bias = m.energy_bias
    require(bool(np.all((bias > -(1 << 47)) & (bias < 1 << 47))), "energy_bias exceeds 48 bits")
