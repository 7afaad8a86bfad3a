"""stream_fifo keeps order and loses nothing, whichever side is slower."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.verilate import Module

pytestmark = pytest.mark.hw


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("depth", [2, 4])
def test_order(depth: int, traffic: dict[str, Any]) -> None:
    module = Module("stream_fifo", ("s_data",), ("m_data",), parameters={"WIDTH": 80, "DEPTH": depth})
    words = [int(n) << 40 | int(m) for n, m in np.random.default_rng(0).integers(0, 1 << 40, (60, 2))]
    run = module.run([{"s_data": word} for word in words], len(words), **traffic)
    assert [beat["m_data"] for beat in run.beats] == words
    held = [sum(left < cycle for left in run.left) for cycle in run.entered]
    most = max(n - gone for n, gone in enumerate(held)) + 1
    assert most <= depth
    if traffic["stall"]:
        assert most == depth, "a slow sink fills it"
