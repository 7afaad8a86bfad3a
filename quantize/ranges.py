"""Ranges of every stage on real atoms: the specification in real numbers, for choosing formats."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nvnmd.quantize.float_spec import Array, FloatSpec
from nvnmd.quantize.reference import AtomInput

_STEP_A = 1e-4


def stage_peaks(spec: FloatSpec, atoms: Iterable[AtomInput], dx_frac: int) -> dict[str, float]:
    """Return the largest magnitude of X, D, g0 … gL, Y, A, B, V (units of the specification) over ``atoms``."""
    peaks: dict[str, float] = {}
    for atom in atoms:
        for name, value in _stages(spec, atom, dx_frac).items():
            peaks[name] = max(peaks.get(name, 0.0), float(np.abs(value).max(initial=0.0)))
    return peaks


def _pair_values(spec: FloatSpec, a: int, types: Array, r: Array) -> tuple[Array, Array, Array]:
    g = np.zeros((len(r), spec.weights[0].shape[2] // spec.m2))
    s, h = np.zeros(len(r)), np.zeros(len(r))
    for b in np.unique(types):
        rows = types == b
        values = spec.features[spec.feature_table[a, b]](r[rows])
        g[rows] = values if spec.gate is None else values * spec.gate[a, b]
        s[rows] = spec.kappa * spec.radial[spec.scalar_table[a, b]](r[rows])
        h[rows] = spec.kappa * spec.angular[spec.scalar_table[a, b]](r[rows])
    return g, s, h


def _stages(spec: FloatSpec, atom: AtomInput, dx_frac: int) -> dict[str, Array]:
    x = atom.displacement * 2.0**-dx_frac
    r = np.sqrt((x * x).sum(axis=1))
    g, s, h = _pair_values(spec, atom.center_type, atom.neighbor_type, r)
    further, _, _ = _pair_values(spec, atom.center_type, atom.neighbor_type, r + _STEP_A)
    g_slope = (further - g) / (2 * r * _STEP_A)[:, None]
    env = np.concatenate([s[:, None], h[:, None] * x], axis=1)
    scale = 2.0**-spec.norm_shift
    big_x = scale * env.T @ g
    d = big_x.T @ big_x[:, : spec.m2]
    grads = _network_gradients(spec, atom.center_type, d.reshape(-1))
    gd = grads["g0"].reshape(d.shape)
    y = big_x[:, : spec.m2] @ gd.T
    y[:, : spec.m2] += big_x @ gd
    a, b = scale * g @ y.T, scale * g_slope @ y.T
    return {"X": big_x, "D": d, **grads, "Y": y, "A": a, "B": b, "V": (a[:, 1:] * x).sum(axis=1)}


def _network_gradients(spec: FloatSpec, a: int, h: Array) -> dict[str, Array]:
    slopes = []
    for weight, bias, skip in zip(spec.weights, spec.biases, spec.skip, strict=True):
        act = np.tanh(weight[a] @ h + bias[a])
        slopes.append(1 - act * act)
        h = h + act if skip else act
    g = spec.out_weight[a]
    grads = {f"g{len(slopes)}": g}
    for layer in range(len(slopes), 0, -1):
        through = spec.weights[layer - 1][a].T @ (g * slopes[layer - 1])
        g = through + g if spec.skip[layer - 1] else through
        grads[f"g{layer - 1}"] = g
    return grads
