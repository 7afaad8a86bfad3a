"""Every guarantee of docs/numerics.md, section 10, is checked: each broken model here is refused for its own reason."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.validation import all_shifts, table_extremes

Change = Callable[[IntegerModel], dict[str, Any]]


def changed(array: Any, place: Any, value: int) -> Any:
    copy = array.copy()
    copy[place] = value
    return copy


def further(m: IntegerModel, more: int) -> dict[str, Any]:
    return {"u_cut": m.u_cut + more, "rcut_A": float(np.sqrt((m.u_cut + more) * 2.0**-m.formats.u_frac))}


def first(m: IntegerModel) -> int:
    return m.u_min >> 15


BROKEN: dict[str, tuple[Change, str]] = {
    "cutoff too far": (lambda m: {"u_cut": (1 << 24) + 1}, "u_cut"),
    "table start not at a segment": (lambda m: {"u_min": m.u_min + 1}, "u_min"),
    "tables too short": (lambda m: further(m, 1 << 15), "do not cover the cutoff"),
    "m2 larger than m1": (lambda m: {"m2": m.m1 + 1}, "m2"),
    "no neighbors": (lambda m: {"max_neighbors": 0}, "max_neighbors"),
    "table index": (lambda m: {"feature_table": changed(m.feature_table, (0, 1), 99)}, "feature.table"),
    "negative table index": (lambda m: {"scalar_table": changed(m.scalar_table, (0, 1), -1)}, "scalar.table"),
    "guard index": (lambda m: {"guard_table": changed(m.guard_table, (1, 1), 3)}, "guard.table"),
    "layer counts": (lambda m: {"skip": m.skip[:-1]}, "layer counts"),
    "weight shape": (lambda m: {"weights": (m.weights[0][:, :, 1:], *m.weights[1:])}, "fit.weight.1"),
    "bias shape": (lambda m: {"biases": (m.biases[0], m.biases[1][:, 1:])}, "fit.bias.2"),
    "skip in the first layer": (lambda m: {"skip": (True, *m.skip[1:])}, "skip"),
    "output row": (lambda m: {"out_weight": m.out_weight[:, 1:]}, "fit.out.weight"),
    "feature value": (
        lambda m: {"feature_coef": changed(m.feature_coef, (0, first(m), 0, 0), 32767)},
        "feature.coef: value",
    ),
    "feature slope": (
        lambda m: {"feature_coef": changed(m.feature_coef, (0, first(m), slice(1, 3), 0), 20000)},
        "feature.coef: slope",
    ),
    "scalar value": (
        lambda m: {"scalar_coef": changed(m.scalar_coef, (0, first(m), 0, 0), 1 << 26)},
        r"scalar.coef \(s\): value",
    ),
    "scalar curvature": (
        lambda m: {"scalar_coef": changed(m.scalar_coef, (0, first(m), 1, 2), 1 << 26)},
        r"scalar.coef \(h\)",
    ),
    "guard value": (
        lambda m: {"guard_coef": changed(m.guard_coef, (0, first(m), 0), 0x7FFFFFFF)},
        "guard.coef: value",
    ),
    "tanh slope": (lambda m: {"tanh_coef": changed(m.tanh_coef, (3, 2), -32768)}, "tanh.coef"),
    "tanh shape": (lambda m: {"tanh_coef": m.tanh_coef[1:]}, "tanh.coef has a wrong shape"),
    "forward sum": (lambda m: {"weights": (m.weights[0], np.full_like(m.weights[1], 32767))}, "layer 2: the forward"),
    "forward sum by its bias": (
        lambda m: {"biases": (changed(m.biases[0], (0, 0), 0x7FFFFFFF), m.biases[1])},
        "layer 1: the forward",
    ),
    "backward sum": (
        lambda m: {"weights": (m.weights[0], changed(np.zeros_like(m.weights[1]), (0, slice(None), 0), 32767))},
        "layer 2: the backward",
    ),
    "output sum": (lambda m: {"out_weight": np.full_like(m.out_weight, 32767)}, "layer 3: the forward"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_is_refused(model: IntegerModel, name: str) -> None:
    change, message = BROKEN[name]
    broken = replace(model, **change(model))
    with pytest.raises(QuantizeError, match=message):
        broken.validate()


FORMATS = {
    "act_frac": ({"act_frac": (1, 2, 3)}, "act_frac"),
    "d_frac": ({"d_frac": 3}, "act_frac"),
    "grad_frac": ({"grad_frac": (1, 2, 3)}, "grad_frac"),
    "layers": ({"weight_frac": (3,)}, "layers"),
    "tanh": ({"tanh_shift": 9}, "tied"),
    "x_bits": ({"x_bits": 16}, "x_bits"),
    "weight_bits": ({"weight_bits": 17}, "weight_bits"),
    "narrow weights": ({"weight_bits": 8}, "exceeds 8 bits"),
    "p_bits": ({"p_bits": 28}, "p_bits must be 2 to 27"),
    "sum T": ({"a_frac": 40}, "the sum T"),
    "force sum": ({"p_frac": 4}, "the force sum"),
    "shift": ({"y_frac": 60, "a_frac": 17}, "shifts out of range"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_broken_formats_are_refused(model: IntegerModel, name: str) -> None:
    change, message = FORMATS[name]
    broken = replace(model, formats=replace(model.formats, **change))
    with pytest.raises(QuantizeError, match=message):
        broken.validate()


def test_gates_have_the_shape_of_the_types(gated: IntegerModel) -> None:
    assert gated.gate is not None
    with pytest.raises(QuantizeError, match="gate"):
        replace(gated, gate=gated.gate[:, :, 1:]).validate()


def test_good_models_pass(model: IntegerModel, gated: IntegerModel) -> None:
    assert model.validate() is model
    assert gated.validate() is gated
    assert all(0 <= shift <= 40 for shift in all_shifts(model.formats, model.n_layers).values())


def test_table_extremes_bound_every_position() -> None:
    rng = np.random.default_rng(0)
    coef = rng.integers(-9000, 9000, (40, 3))
    value, slope, c2 = table_extremes(coef, 4)
    t = np.arange(1 << 15)
    for c0, c1, curve in coef:
        q = (t * curve + (1 << 14)) >> 15
        d = c1 + q
        assert np.abs(c0 + (((t >> 4) * d + (1 << 14)) >> 15)).max() <= value
        assert np.abs(d + q).max() <= slope
        assert abs(curve) <= c2
