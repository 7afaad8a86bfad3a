"""A model as the contents of the project's memory ports, which are loaded at run time."""

from __future__ import annotations

from typing import Any

import numpy as np

from nvnmd.fpga.hls.sizes import Sizes
from nvnmd.quantize.integer_model import IntArray, IntegerModel
from nvnmd.quantize.validation import all_shifts

ROWS, CONSTANTS, WEIGHT, BIAS = "rows", "constants", "weight", "bias"
"""Ports of a layer; no layer has more than two."""
Ports = dict[str, IntArray]


def port_words(model: IntegerModel, sizes: Sizes) -> Ports:
    """Words of every port, int64 [rows, words a row], under ``layer_port``. What a smaller model leaves free is zero.

    Raises:
        HlsError: the model does not fit the build.
    """
    sizes.check(model)
    shifts = all_shifts(model.formats, model.n_layers)
    return _tables(model, sizes, shifts) | _network(model, sizes, shifts) | _pairs(model, shifts)


def _column(*words: Any) -> IntArray:
    return np.array(words, np.int64).reshape(-1, 1)


def _memory(rows: int, words: int, parts: list[tuple[int, Any]]) -> IntArray:
    """A memory of zeros with ``parts`` written at their first rows."""
    memory = np.zeros((rows, words), np.int64)
    for first, part in parts:
        memory[first : first + len(part), : part.shape[1]] = part
    return memory


def _first_rows(model: IntegerModel, sizes: Sizes, table: IntArray, stride: int) -> list[int]:
    first = np.zeros((sizes.types, sizes.types), np.int64)
    first[: model.n_types, : model.n_types] = table.astype(np.int64) * stride
    return first.ravel().tolist()


def _tables(model: IntegerModel, sizes: Sizes, shifts: dict[str, int]) -> Ports:
    f, place = model.formats, [shifts["u"], model.u_min]
    feature = [(t * sizes.segments, coef.reshape(len(coef), -1)) for t, coef in enumerate(model.feature_coef)]
    radial = [(t * sizes.segments, coef.reshape(len(coef), -1)) for t, coef in enumerate(model.scalar_coef)]
    guard = [(t * sizes.guard_segments, coef) for t, coef in enumerate(model.guard_coef)]
    gates = sizes.types**2 if sizes.gates else 0
    first_gate = sizes.feature_tables * sizes.segments
    if model.gate is not None:
        feature += [(first_gate + a * sizes.types, model.gate[a]) for a in range(model.n_types)]
    pairs = {
        "feature": _first_rows(model, sizes, model.feature_table, sizes.segments),
        "radial": _first_rows(model, sizes, model.scalar_table, sizes.segments),
        "guard": _first_rows(model, sizes, model.guard_table, sizes.guard_segments),
    }
    gated = int(model.gate is not None)
    return {
        "packet_in_constants": _column(model.n_types),
        "radial_rows": _memory(sizes.scalar_tables * sizes.segments, 6, radial),
        "radial_constants": _column(*place, f.s_shift, f.h_shift, *pairs["radial"]),
        "guard_rows": _memory(sizes.guard_tables * sizes.guard_segments, 3, guard),
        "guard_constants": _column(*place, f.guard_shift, model.n_guard, *pairs["guard"]),
        "feature_rows": _memory(first_gate + gates, 3 * sizes.m1, feature),
        "feature_constants": _column(*place, f.feature_shift, gated, *pairs["feature"]),
        "environment_constants": _column(*place, shifts["R0"], shifts["R"]),
    }


def _per_type(sizes: Sizes, words: IntArray) -> IntArray:
    """``words [types, n]`` as rows ``[n, types]``."""
    return _memory(words.shape[1], sizes.types, [(0, words.T.astype(np.int64))])


def _network(model: IntegerModel, sizes: Sizes, shifts: dict[str, int]) -> Ports:
    f, ports = model.formats, Ports()
    for layer, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True), start=1):
        ports |= {
            f"dense{layer}_weight": _per_type(sizes, weight.reshape(model.n_types, -1)),
            f"dense{layer}_bias": _per_type(sizes, bias),
            f"back{layer}_weight": _per_type(sizes, weight.transpose(0, 2, 1).reshape(model.n_types, -1)),
            f"round{layer - 1}_constants": _column(
                shifts[f"g{layer}"], *([f.weight_frac[layer - 1]] if model.skip[layer - 1] else [])
            ),
        }
        for name in ("tanh", "slope"):
            ports[f"{name}{layer}_rows"] = model.tanh_coef.astype(np.int64)
            ports[f"{name}{layer}_constants"] = _column(shifts[f"z{layer}"], f.tanh_shift)
    ports["dense_out_weight"] = _per_type(sizes, model.out_weight)
    ports["dense_out_bias"] = _per_type(sizes, model.out_bias[:, None])
    ports["output_weights_rows"] = _per_type(sizes, model.out_weight)
    ports["energy_rows"] = _memory(sizes.types, 1, [(0, model.energy_bias[:, None])])
    ports["energy_constants"] = _column(shifts["E"])
    return ports


def _pairs(model: IntegerModel, shifts: dict[str, int]) -> Ports:
    f = model.formats
    return {
        "contraction_constants": _column(shifts["X"]),
        "symmetric_constants": _column(shifts["D"]),
        "contraction_grad_constants": _column(shifts["Y"]),
        "force_dots_constants": _column(shifts["A"], shifts["B"]),
        "force_pair_constants": _column(shifts["V"], shifts["P"], shifts["F"], *f.t_align, *f.f_align),
    }
