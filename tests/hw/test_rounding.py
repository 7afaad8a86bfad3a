"""round_saturate against quantize.fixed, and through it the package that every module rounds with."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.verilate import Module, pack, unpack
from nvnmd.quantize.fixed import rnd, sat

pytestmark = pytest.mark.hw
LANES, IN_W, OUT_W = 3, 48, 16
MODULE = Module(
    "round_saturate",
    inputs=("s_word", "s_last"),
    outputs=("m_word", "m_clip", "m_last"),
    statics=("shift",),
    parameters={"LANES": LANES, "IN_W": IN_W, "OUT_W": OUT_W},
)


def words(shift: int, count: int = 60) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Words of all sizes, halves that tie, both edges of the output range and of the input word."""
    rng = np.random.default_rng(shift)
    size = rng.integers(0, IN_W - 1, (count, LANES))
    value = rng.integers(-(2**46), 2**46, (count, LANES)) >> (46 - size)
    edge = np.array([32766, 32767, 32768, -32767, -32768, -32769, 0, 1, -1], np.int64).reshape(3, LANES)
    half = 1 << max(shift - 1, 0)
    special = [((edge << shift) + part) for part in (0, half, half - 1, -half)] if shift < 30 else []
    return np.concatenate([value, *special, [[2**46, -(2**46), -(2**46) - 1]]])


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("shift", [0, 1, 15, 40])
def test_words_and_clip_flags(shift: int, traffic: dict[str, Any]) -> None:
    value = words(shift)
    last = np.arange(len(value)) % 3 == 2
    beats = [{"s_word": pack(row, IN_W), "s_last": int(flag)} for row, flag in zip(value.tolist(), last, strict=True)]
    run = MODULE.run(beats, len(beats), statics={"shift": shift}, **traffic)
    word, clipped = sat(rnd(value, shift), OUT_W)
    assert [unpack(beat["m_word"], OUT_W, LANES) for beat in run.beats] == word.tolist()
    assert [beat["m_clip"] for beat in run.beats] == [pack(row, 1) for row in clipped.tolist()]
    assert [beat["m_last"] for beat in run.beats] == last.astype(int).tolist()
    assert clipped.any() == (shift < 40)


def test_latency_and_rate() -> None:
    beats = [{"s_word": i, "s_last": 0} for i in range(8)]
    run = MODULE.run(beats, len(beats), statics={"shift": 0})
    assert [out - into for into, out in zip(run.entered, run.left, strict=True)] == [2] * len(beats)
    assert run.left == list(range(2, 10))
