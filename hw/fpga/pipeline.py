"""A model on ``atom_pipeline``: its sizes as parameters, its constants as ports, its tables and weights as writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.memory import bus, fitting_rows
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.validation import all_shifts

NEIGHBORS, FITTING, ENERGY_BIAS = range(3)
"""Units of the pipeline, as ``cfg_unit`` numbers them."""
FEATURE, RADIAL, ANGULAR, GUARD, FIRST_ROWS, GATE = range(6)
"""Parts of the unit ``NEIGHBORS``."""


class Row(NamedTuple):
    """One write through the ``cfg_`` ports of ``atom_pipeline``."""

    unit: int
    part: int
    layer: int
    output: int
    row: int
    data: int


def sizes(model: IntegerModel) -> dict[str, int]:
    """Parameters of ``atom_pipeline`` that a model fixes; a larger number of segments or tables holds it too.

    Raises:
        FpgaError: the RTL cannot hold a network of this shape, or its words have other widths.
    """
    f, widths = model.formats, {weight.shape[1] for weight in model.weights}
    if len(widths) != 1:
        raise FpgaError(f"the RTL needs hidden layers of one width, not {sorted(widths)}")
    if len(set(model.skip[1:])) > 1 or model.skip[0]:
        raise FpgaError("the RTL needs a skip connection on all hidden layers behind the first, or on none")
    words = {"x_bits": 15, "a_bits": 18, "b_bits": 18, "v_bits": 18, "p_bits": 27, "f_bits": 32}
    if other := [f"{name} = {getattr(f, name)}" for name, bits in words.items() if getattr(f, name) != bits]:
        raise FpgaError(f"the RTL has words of {words}; the model has {', '.join(other)}")
    return {
        "TYPES": model.n_types,
        "M1": model.m1,
        "M2": model.m2,
        "LAYERS": model.n_layers,
        "WIDTH": widths.pop(),
        "SKIP": int(any(model.skip)),
        "SEG_BITS": f.tanh_seg_bits,
        "SEGMENTS": model.n_seg,
        "FEATURE_TABLES": len(model.feature_coef),
        "SCALAR_TABLES": len(model.scalar_coef),
        "GUARD_SEGMENTS": max(1, model.n_guard),
        "GUARD_TABLES": max(1, len(model.guard_coef)),
        "GATES": int(model.gate is not None),
    }


def constants(model: IntegerModel) -> dict[str, int]:
    """Ports of ``atom_pipeline`` that keep one value for a model."""
    f, shifts = model.formats, all_shifts(model.formats, model.n_layers)
    layers = range(1, model.n_layers + 1)
    named = {"u": "u", "r0": "R0", "r": "R", "x": "X", "d": "D", "e": "E", "y": "Y"} | {
        name.lower(): name for name in "ABVPF"
    }
    return {
        "u_min": model.u_min,
        "guard_end": model.n_guard,
        "gated": int(model.gate is not None),
        "feature_shift": f.feature_shift,
        "s_shift": f.s_shift,
        "h_shift": f.h_shift,
        "guard_shift": f.guard_shift,
        "tanh_shift": f.tanh_shift,
        "z_shift": bus([shifts[f"z{layer}"] for layer in layers], 6),
        "g_shift": bus([shifts[f"g{layer}"] for layer in layers], 6),
        "skip_shift": bus([f.weight_frac[layer - 1] for layer in layers], 6),
        "align": bus([*f.t_align, *f.f_align], 6),
    } | {f"{port}_shift": shifts[name] for port, name in named.items()}


def rows(model: IntegerModel, net_lanes: int, segments: int, guard_segments: int) -> Iterator[Row]:
    """Every write of a model for streams of ``net_lanes`` words in the fitting network.

    ``segments`` and ``guard_segments`` are those of the build, at least the model's.
    """
    for part, row, output, data in neighbor_rows(model, segments, guard_segments):
        yield Row(NEIGHBORS, part, 0, output, row, data)
    for write in fitting_rows(model, net_lanes):
        yield Row(FITTING, *write)
    for t, energy in enumerate(model.energy_bias):
        yield Row(ENERGY_BIAS, 0, 0, 0, t, bus([energy], 64))


def neighbor_rows(model: IntegerModel, segments: int, guard_segments: int) -> Iterator[tuple[int, int, int, int]]:
    """Writes ``(part, row, lane, data)`` of the tables, the first rows and the gates of every type pair."""
    for table, segment, lane in np.ndindex(len(model.feature_coef), model.n_seg, model.m1):
        coef = model.feature_coef[table, segment, :, lane]
        yield FEATURE, table * segments + segment, lane, bus(coef, 16)
    for table, segment in np.ndindex(len(model.scalar_coef), model.n_seg):
        for part, coef in zip((RADIAL, ANGULAR), model.scalar_coef[table, segment], strict=True):
            yield part, table * segments + segment, 0, _wide_row(coef, 27)
    for table, segment in np.ndindex(len(model.guard_coef), model.n_guard):
        yield GUARD, table * guard_segments + segment, 0, _wide_row(model.guard_coef[table, segment], 32)
    for pair, (a, b) in enumerate(np.ndindex(model.n_types, model.n_types)):
        first = [
            model.feature_table[a, b] * segments,
            model.scalar_table[a, b] * segments,
            model.guard_table[a, b] * guard_segments,
        ]
        yield FIRST_ROWS, pair, 0, bus(first, 16)
        for lane, gate in enumerate(() if model.gate is None else model.gate[a, b]):
            yield GATE, pair, lane, bus([gate], 16)


def _wide_row(coef: Any, value_bits: int) -> int:
    """Coefficients ``(c0, c1, c2)`` as one word of the memory of a wide table."""
    return bus(coef[:1], value_bits) | bus(coef[1:], 27) << value_bits
