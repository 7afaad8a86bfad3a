"""gate_unit against section 4 of the specification."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.verilate import Module, pack, unpack
from nvnmd.quantize.fixed import rnd

pytestmark = pytest.mark.hw
CHANNELS, PAIRS, COUNT = 3, 4, 60
MODULE = Module(
    "gate_unit",
    inputs=("s_pair", "s_value", "s_slope"),
    outputs=("m_value", "m_slope"),
    statics=("gated",),
    config=("cfg_valid", "cfg_pair", "cfg_lane", "cfg_gate"),
    parameters={"CHANNELS": CHANNELS, "PAIRS": PAIRS},
)


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("gated", [0, 1])
def test_words(gated: int, traffic: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    gate = rng.integers(-32768, 32768, (PAIRS, CHANNELS))
    gate[0] = [32767, -32768, 16384]
    pair = rng.integers(0, PAIRS, COUNT)
    words = rng.integers(-32767, 32768, (COUNT, 2, CHANNELS))
    words[:2], pair[:2] = np.array([[[32767]], [[-32767]]]), 0
    beats = [
        {"s_pair": int(p), "s_value": pack(v, 16), "s_slope": pack(s, 16)}
        for p, (v, s) in zip(pair, words, strict=True)
    ]
    config = [
        {"cfg_pair": p, "cfg_lane": k, "cfg_gate": pack(gate[p, k : k + 1], 16)} for p, k in np.ndindex(PAIRS, CHANNELS)
    ]
    run = MODULE.run(beats, COUNT, statics={"gated": gated}, config=config, **traffic)
    wanted = rnd(words * gate[pair][:, None, :], 15) if gated else words
    assert [unpack(beat["m_value"], 16, CHANNELS) for beat in run.beats] == wanted[:, 0].tolist()
    assert [unpack(beat["m_slope"], 16, CHANNELS) for beat in run.beats] == wanted[:, 1].tolist()
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 3 for cycle in run.entered] == list(range(3, 3 + COUNT))
