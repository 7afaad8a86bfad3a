"""stream_narrow and stream_widen keep every byte and every end."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.verilate import Module

pytestmark = pytest.mark.hw
WIDTH, FACTOR = 24, 4
RNG = np.random.default_rng(0)
WIDE = [int.from_bytes(RNG.bytes(WIDTH * FACTOR // 8), "little") for _ in range(30)]
ENDS = RNG.integers(0, 2, len(WIDE)).tolist()
NARROW = [word >> WIDTH * n & (1 << WIDTH) - 1 for word in WIDE for n in range(FACTOR)]
NARROW_ENDS = [int(end and n == FACTOR - 1) for end in ENDS for n in range(FACTOR)]


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("name", ["stream_narrow", "stream_widen"])
def test_bytes_and_ends(name: str, traffic: dict[str, Any]) -> None:
    module = Module(name, ("s_data", "s_last"), ("m_data", "m_last"), parameters={"WIDTH": WIDTH, "FACTOR": FACTOR})
    wide, narrow = list(zip(WIDE, ENDS, strict=True)), list(zip(NARROW, NARROW_ENDS, strict=True))
    given, wanted = (wide, narrow) if name == "stream_narrow" else (narrow, wide)
    run = module.run([{"s_data": data, "s_last": last} for data, last in given], len(wanted), **traffic)
    assert [(beat["m_data"], beat["m_last"]) for beat in run.beats] == wanted
    if not traffic["idle"] and not traffic["stall"]:
        busy = run.left if name == "stream_narrow" else run.entered
        assert np.diff(busy).tolist() == [1] * (len(NARROW) - 1), "a narrow beat every cycle"
