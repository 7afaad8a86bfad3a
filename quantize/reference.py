"""The integer reference: docs/numerics.md executed in numpy, one line per formula.

Slow and plain on purpose. It runs on int64 arrays, or with ``dtype=object`` on Python's unbounded integers; a test
shows that both agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nvnmd.quantize.fixed import STAGES, clamp, rnd, sat
from nvnmd.quantize.integer_model import IntArray, IntegerModel
from nvnmd.quantize.piecewise import narrow, wide


@dataclass(frozen=True)
class AtomInput:
    """Neighbor words of one atom (section 2).

    Attributes:
        center_type: type of the atom.
        displacement: int64 [n, 3], ``dx_frac`` fraction bits; only neighbors inside the cutoff.
        neighbor_type: int64 [n].
    """

    center_type: int
    displacement: IntArray
    neighbor_type: IntArray


@dataclass(frozen=True)
class AtomResult:
    """What the model returns for one atom.

    Attributes:
        energy: ``E_i``, ``e_frac`` fraction bits.
        force: int64 [n, 3], ``∂E_i/∂r_ij``, ``f_frac`` fraction bits.
        clipped: words clipped per stage, in the order of ``STAGES``.
        too_close: neighbors below the table's start.
        trace: every intermediate word by its name in docs/numerics.md.
    """

    energy: int
    force: IntArray
    clipped: dict[str, int]
    too_close: int
    trace: dict[str, Any]


class _Counter:
    def __init__(self) -> None:
        self.clipped = dict.fromkeys(STAGES, 0)

    def __call__(self, stage: str, value: Any, bits: int) -> Any:
        word, mask = sat(value, bits)
        self.clipped[stage] += int(np.count_nonzero(mask))
        return word


def squared_distance(model: IntegerModel, displacement: IntArray) -> IntArray:
    """Return ``u`` (section 2) of displacements ``[..., 3]``, before the clamp to ``u_min``."""
    f = model.formats
    return rnd((displacement * displacement).sum(axis=-1), 2 * f.dx_frac - f.u_frac)


def evaluate_atom(model: IntegerModel, atom: AtomInput, dtype: Any = np.int64) -> AtomResult:
    """Run the whole specification for one atom.

    Args:
        model: a validated model.
        atom: neighbor words; every neighbor must satisfy ``u < u_cut``.
        dtype: ``np.int64``, or ``object`` for unbounded Python integers.
    """
    count = _Counter()
    x = atom.displacement.astype(dtype).reshape(-1, 3)
    u = squared_distance(model, x)
    words = _neighbor_words(model, atom, x, u, count)
    descriptor = _descriptor(model, words, count)
    energy, grad = _fitting(model, atom.center_type, descriptor["D"].reshape(-1), count)
    pair = _forces(model, words, descriptor["X"], grad["gD"], count)
    total = int(energy["E_net"]) + int(model.energy_bias[atom.center_type]) + int(words["guard"].sum())
    trace = {"u": u, **words, **descriptor, **energy, **grad, **pair}
    return AtomResult(total, pair["f"], count.clipped, int(np.count_nonzero(u < model.u_min)), trace)


def _neighbor_words(model: IntegerModel, atom: AtomInput, x: Any, u: Any, count: _Counter) -> dict[str, Any]:
    f, a, b = model.formats, atom.center_type, atom.neighbor_type
    v = np.maximum(u, model.u_min)
    seg, t = (v >> 15).astype(np.int64), v & 32767
    coef = model.feature_coef[model.feature_table[a, b], seg].astype(x.dtype)
    g, gp = narrow(coef[:, 0], coef[:, 1], coef[:, 2], t[:, None], f.feature_shift)
    if model.gate is not None:
        gate = model.gate[a, b].astype(x.dtype)
        g, gp = rnd(g * gate, 15), rnd(gp * gate, 15)
    scalar = model.scalar_coef[model.scalar_table[a, b], seg].astype(x.dtype)
    s, sp = wide(scalar[:, 0, 0], scalar[:, 0, 1], scalar[:, 0, 2], t, f.s_shift)
    h, hp = wide(scalar[:, 1, 0], scalar[:, 1, 1], scalar[:, 1, 2], t, f.h_shift)
    r0 = count("R", rnd(s, f.s_frac - f.env_frac), 16)
    rx = count("R", rnd(h[:, None] * x, f.h_frac + f.dx_frac - f.env_frac), 16)
    guard, guard_slope = _guard(model, a, b, seg, t)
    env = np.concatenate([r0[:, None], rx], axis=1)
    return {
        "x": x,
        "G": g,
        "Gp": gp,
        "s": s,
        "sp": sp,
        "h": h,
        "hp": hp,
        "R": env,
        "guard": guard,
        "guard_slope": guard_slope,
    }


def _guard(model: IntegerModel, a: int, b: IntArray, seg: IntArray, t: Any) -> tuple[Any, Any]:
    inside = seg < model.n_guard
    value, slope = np.zeros_like(t), np.zeros_like(t)
    coef = model.guard_coef[model.guard_table[a, b[inside]], seg[inside]].astype(t.dtype)
    value[inside], slope[inside] = wide(coef[:, 0], coef[:, 1], coef[:, 2], t[inside], model.formats.guard_shift)
    return value, slope


def _descriptor(model: IntegerModel, words: dict[str, Any], count: _Counter) -> dict[str, Any]:
    f = model.formats
    x_acc = words["R"].T @ words["G"]
    big_x = count("X", rnd(x_acc, f.env_frac + f.feature_frac + f.norm_shift - f.x_frac), f.x_bits)
    d = count("D", rnd(big_x.T @ big_x[:, : model.m2], 2 * f.x_frac - f.d_frac), 16)
    return {"X": big_x, "D": d}


def tanh_table(model: IntegerModel, zt: Any) -> tuple[Any, Any]:
    """Return ``(act, φ)`` of clamped inputs ``zt`` (section 6)."""
    f = model.formats
    magnitude = np.abs(zt)
    t = (magnitude & ((1 << f.tanh_seg_bits) - 1)) << (15 - f.tanh_seg_bits)
    coef = model.tanh_coef[(magnitude >> f.tanh_seg_bits).astype(np.int64)].astype(zt.dtype)
    value, slope = narrow(coef[..., 0], coef[..., 1], coef[..., 2], t, f.tanh_shift)
    return np.where(zt < 0, -value, value), slope


def _fitting(model: IntegerModel, a: int, d: Any, count: _Counter) -> tuple[dict[str, Any], dict[str, Any]]:
    f, layers = model.formats, model.n_layers
    trace: dict[str, Any] = {}
    h, phi = d, []
    for layer in range(1, layers + 1):
        weight, bias = model.weights[layer - 1][a].astype(d.dtype), model.biases[layer - 1][a].astype(d.dtype)
        z = weight @ h + bias
        zt = clamp(rnd(z, f.weight_frac[layer - 1] + f.act_frac[layer - 1] - f.z_frac), 16)
        act, slope = tanh_table(model, zt)
        h = count("H", h + act, 16) if model.skip[layer - 1] else act
        phi.append(slope)
        trace |= {f"zt{layer}": zt, f"phi{layer}": slope, f"h{layer}": h}
    out = model.out_weight[a].astype(d.dtype)
    trace["E_net"] = rnd(out @ h + int(model.out_bias[a]), f.weight_frac[layers] + f.act_frac[layers] - f.e_frac)
    return trace, _backward(model, a, out, phi, count)


def _backward(model: IntegerModel, a: int, g: Any, phi: list[Any], count: _Counter) -> dict[str, Any]:
    f = model.formats
    trace: dict[str, Any] = {}
    for layer in range(model.n_layers, 0, -1):
        gz = rnd(g * phi[layer - 1], 15)
        acc = model.weights[layer - 1][a].astype(g.dtype).T @ gz
        if model.skip[layer - 1]:
            acc = acc + (g << f.weight_frac[layer - 1])
        g = count("GRAD", rnd(acc, f.grad_frac[layer] + f.weight_frac[layer - 1] - f.grad_frac[layer - 1]), 16)
        trace |= {f"gz{layer}": gz, f"g{layer - 1}": g}
    trace["gD"] = g.reshape(model.m1, model.m2)
    return trace


def _forces(model: IntegerModel, words: dict[str, Any], big_x: Any, gd: Any, count: _Counter) -> dict[str, Any]:
    f, m2 = model.formats, model.m2
    x, env, h = words["x"], words["R"], words["h"]
    y_acc = big_x[:, :m2] @ gd.T
    y_acc[:, :m2] += big_x @ gd
    y = count("Y", rnd(y_acc, f.grad_frac[0] + f.x_frac - f.y_frac), 16)
    a = count("A", rnd(words["G"] @ y.T, f.y_frac + f.feature_frac + f.norm_shift - f.a_frac), f.a_bits)
    b = count(
        "B", rnd(words["Gp"] @ y.T, f.y_frac + f.feature_frac + f.feature_shift + f.norm_shift - f.b_frac), f.b_bits
    )
    v = count("V", rnd((a[:, 1:] * x).sum(axis=1), f.a_frac + f.dx_frac - f.v_frac), f.v_bits)
    e1, e2, e3 = f.t_align
    t_sum = ((words["sp"] * a[:, 0]) << e1) + ((words["hp"] * v) << e2) + ((env * b).sum(axis=1) << e3)
    p = count("P", rnd(t_sum, f.t_frac - f.seg_frac - f.p_frac) + words["guard_slope"], f.p_bits)
    e4, e5 = f.f_align
    force = ((2 * x * p[:, None]) << e4) + ((a[:, 1:] * h[:, None]) << e5)
    return {"Y": y, "A": a, "B": b, "V": v, "P": p, "f": count("F", rnd(force, f.f_acc - f.f_frac), f.f_bits)}
