"""block_fifo keeps order and loses nothing, whichever side is slower."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.verilate import Module

pytestmark = pytest.mark.hw


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("depth", [2, 8])
def test_order(depth: int, traffic: dict[str, Any]) -> None:
    module = Module("block_fifo", ("s_data",), ("m_data",), parameters={"WIDTH": 80, "DEPTH": depth})
    words = [int(n) << 40 | int(m) for n, m in np.random.default_rng(0).integers(0, 1 << 40, (80, 2))]
    run = module.run([{"s_data": word} for word in words], len(words), **traffic)
    assert [beat["m_data"] for beat in run.beats] == words
    most = max(n + 1 - sum(left < cycle for left in run.left) for n, cycle in enumerate(run.entered))
    assert most <= depth + 1
    if traffic["stall"]:
        assert most == depth + 1, "a slow sink fills it"
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 2 for cycle in run.entered] == list(range(2, 82))
