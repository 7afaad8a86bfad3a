"""tanh_unit against the reference's tanh_table, from exact sums on."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC, small_model

from nvnmd.fpga.verilate import Module, pack, unpack
from nvnmd.quantize.fixed import clamp, rnd
from nvnmd.quantize.reference import tanh_table

pytestmark = pytest.mark.hw
MODEL = small_model()
LANES = 3
MODULE = Module(
    "tanh_unit",
    inputs=("s_sum", "s_shift", "s_user"),
    outputs=("m_act", "m_phi", "m_user"),
    statics=("table_shift",),
    config=("cfg_valid", "cfg_row", "cfg_coef"),
    parameters={"LANES": LANES, "SEG_BITS": MODEL.formats.tanh_seg_bits, "USER_W": 3},
)
CONFIG = [{"cfg_row": n, "cfg_coef": pack(row, 16)} for n, row in enumerate(MODEL.tanh_coef.tolist())]


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_activations_and_derivatives(traffic: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    shift = rng.integers(0, 17, (120, 1))
    inside = rng.integers(-40000, 40000, (120, LANES)) << shift
    edges = np.array([[0, 1, -1], [32767, -32767, 32768], [2**31 - 1, -(2**31) + 1, -512], [511, 512, -32768]])
    sums = np.concatenate([np.clip(inside, -(2**31) + 1, 2**31 - 1), edges])
    shift = np.concatenate([shift, [[0]] * len(edges)])
    beats = [
        {"s_sum": pack(row, 32), "s_shift": int(n), "s_user": at % 7}
        for at, (row, (n,)) in enumerate(zip(sums.tolist(), shift, strict=True))
    ]
    statics = {"table_shift": MODEL.formats.tanh_shift}
    run = MODULE.run(beats, len(beats), statics=statics, config=CONFIG, **traffic)
    zt = np.stack([clamp(rnd(row, int(n)), 16) for row, (n,) in zip(sums, shift, strict=True)])
    act, phi = tanh_table(MODEL, zt)
    assert [unpack(beat["m_act"], 16, LANES) for beat in run.beats] == act.tolist()
    assert [unpack(beat["m_phi"], 16, LANES) for beat in run.beats] == phi.tolist()
    assert [beat["m_user"] for beat in run.beats] == [beat["s_user"] for beat in beats]
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 7 for cycle in run.entered] == list(range(7, 7 + len(beats)))
