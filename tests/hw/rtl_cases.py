"""Small models and the traffic patterns that every RTL test plays."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from nvnmd.fpga.pipeline import constants, neighbor_rows, sizes
from nvnmd.fpga.verilate import Module, pack
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput
from nvnmd.quantize.testing import random_model

FRONT_BITS = {
    "dx": 18,
    "feature": 16,
    "feature_slope": 16,
    "s_slope": 27,
    "h": 27,
    "h_slope": 27,
    "guard": 32,
    "guard_slope": 27,
    "env": 16,
}
"""Word widths of neighbor_front's outputs."""
FRONT_SIZES = ("M1", "SEGMENTS", "FEATURE_TABLES", "SCALAR_TABLES", "GUARD_SEGMENTS", "GUARD_TABLES")

TRAFFIC = [
    pytest.param({"idle": 0.0, "stall": 0.0}, id="full rate"),
    pytest.param({"idle": 0.6, "stall": 0.0, "seed": 1}, id="idle source"),
    pytest.param({"idle": 0.0, "stall": 0.6, "seed": 2}, id="stalling sink"),
    pytest.param({"idle": 0.4, "stall": 0.4, "seed": 3}, id="both"),
]


@cache
def small_model(seed: int = 0, gated: bool = False) -> IntegerModel:
    """Two types, 4 channels, two hidden layers of 8 with a skip connection."""
    return random_model(seed, m1=4, m2=2, neuron=(8, 8), gated=gated)


def wide_row(coef: Any, value_bits: int) -> int:
    """Coefficients ``(c0, c1, c2)`` as one word of the memory of a wide table."""
    return pack(coef[:1], value_bits) | pack(coef[1:], 27) << value_bits


def front_module(model: IntegerModel, gates: bool = True) -> Module:
    """neighbor_front with the sizes of a model."""
    return Module(
        "neighbor_front",
        inputs=("s_pair", "s_dx", "s_none", "s_last"),
        outputs=tuple(f"m_{name}" for name in (*FRONT_BITS, "env_clip", "too_close", "none", "last")),
        statics=(
            "u_shift",
            "u_min",
            "guard_end",
            "gated",
            "feature_shift",
            "s_shift",
            "h_shift",
            "guard_shift",
            "r0_shift",
            "r_shift",
        ),
        config=("cfg_valid", "cfg_target", "cfg_row", "cfg_lane", "cfg_data"),
        parameters={name: sizes(model)[name] for name in FRONT_SIZES}
        | {"PAIRS": model.n_types**2, "GATES": int(gates)},
    )


def front_statics(model: IntegerModel) -> dict[str, int]:
    """The constants of a model that neighbor_front needs."""
    return {port: constants(model)[port] for port in front_module(model).statics}


def front_writes(model: IntegerModel) -> list[dict[str, int]]:
    """Writes of all tables and of the first rows and gates of every pair."""
    ports = ("cfg_target", "cfg_row", "cfg_lane", "cfg_data")
    return [dict(zip(ports, row, strict=True)) for row in neighbor_rows(model, model.n_seg, model.n_guard)]


def front_beats(model: IntegerModel, atom: AtomInput) -> list[dict[str, int]]:
    """One beat a neighbor, or one that says there is none."""
    if not len(atom.neighbor_type):
        return [{"s_pair": 0, "s_dx": 0x123456789AB, "s_none": 1, "s_last": 1}]
    last = len(atom.neighbor_type) - 1
    return [
        {
            "s_pair": atom.center_type * model.n_types + int(b),
            "s_dx": pack(x, 18),
            "s_none": 0,
            "s_last": int(n == last),
        }
        for n, (x, b) in enumerate(zip(atom.displacement, atom.neighbor_type, strict=True))
    ]


def parts(words: Any, lanes: int) -> list[Any]:
    """A vector cut into beats of ``lanes`` words, the last filled up with zeros."""
    return list(np.pad(words, (0, -len(words) % lanes)).reshape(-1, lanes))


def dense_writes(weight: Any, bias: Any, lanes: int) -> list[dict[str, int]]:
    """Writes of all biases and weights of a dense_layer."""
    types, outputs, inputs = weight.shape
    beats, writes = -(-inputs // lanes), []
    for t, j in np.ndindex(types, outputs):
        base = {"cfg_output": j, "cfg_weight": 0, "cfg_bias": 0}
        writes.append(base | {"cfg_is_bias": 1, "cfg_row": t, "cfg_bias": pack(bias[t, j : j + 1], 32)})
        for n, words in enumerate(parts(weight[t, j], lanes)):
            writes.append(base | {"cfg_is_bias": 0, "cfg_row": t * beats + n, "cfg_weight": pack(words, 16)})
    return writes
