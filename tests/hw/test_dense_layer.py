"""dense_layer against numpy: the sums of the reference's forward pass and, with transposed weights, its backward."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC, dense_writes, parts, small_model

from nvnmd.fpga.verilate import Module, pack, unpack

pytestmark = pytest.mark.hw
MODEL = small_model()


def module(weight: Any, lanes: int, out_lanes: int, bias: bool) -> Module:
    types, outputs, inputs = weight.shape
    return Module(
        "dense_layer",
        inputs=("s_type", "s_word"),
        outputs=("m_sum", "m_last", "m_type"),
        config=("cfg_valid", "cfg_is_bias", "cfg_output", "cfg_row", "cfg_weight", "cfg_bias"),
        parameters={
            "INPUTS": inputs,
            "OUTPUTS": outputs,
            "INPUT_LANES": lanes,
            "OUTPUT_LANES": out_lanes,
            "TYPES": types,
            "BIAS": int(bias),
        },
    )


def vectors(inputs: int, count: int = 14) -> tuple[Any, Any]:
    rng = np.random.default_rng(inputs)
    words = rng.integers(-32767, 32768, (count, inputs))
    words[:3] = np.array([[0], [32767], [-32767]])
    return words, rng.integers(0, 2, count)


def play(weight: Any, bias: Any, lanes: int, out_lanes: int, traffic: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return (sums of the module, sums of numpy, run)."""
    words, types = vectors(weight.shape[2])
    beats = [
        {"s_type": int(t), "s_word": pack(part, 16)}
        for row, t in zip(words, types, strict=True)
        for part in parts(row, lanes)
    ]
    out_beats = -(-weight.shape[1] // out_lanes)
    config = dense_writes(weight, bias, lanes)
    run = module(weight, lanes, out_lanes, bool(bias.any())).run(
        beats, len(words) * out_beats, config=config, **traffic
    )
    assert [beat["m_last"] for beat in run.beats] == ([0] * (out_beats - 1) + [1]) * len(words)
    assert [beat["m_type"] for beat in run.beats] == np.repeat(types, out_beats).tolist()
    got = np.array([unpack(beat["m_sum"], 32, out_lanes) for beat in run.beats]).reshape(len(words), -1)
    assert not got[:, weight.shape[1] :].any(), "lanes beyond the vector are zero"
    wanted = np.stack([weight[t].astype(np.int64) @ row + bias[t] for row, t in zip(words, types, strict=True)])
    return got[:, : weight.shape[1]], wanted, run


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("lanes", "out_lanes"), [(2, 2), (1, 8), (8, 1), (3, 3), (5, 3)])
def test_forward(lanes: int, out_lanes: int, traffic: dict[str, Any]) -> None:
    got, wanted, _ = play(MODEL.weights[1], MODEL.biases[1], lanes, out_lanes, traffic)
    assert np.array_equal(got, wanted)


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_backward(traffic: dict[str, Any]) -> None:
    weight = MODEL.weights[0].transpose(0, 2, 1)
    got, wanted, _ = play(weight, np.zeros(weight.shape[:2], int), 2, 2, traffic)
    assert np.array_equal(got, wanted)


def test_latency_and_rate() -> None:
    _, _, run = play(MODEL.weights[1], MODEL.biases[1], 2, 2, {})
    assert run.entered == list(range(len(run.entered))), "a vector every INPUTS / INPUT_LANES cycles"
    assert run.left == [cycle + 8 for cycle in run.entered], "4 beats in, 4 stages, then 4 beats out"
