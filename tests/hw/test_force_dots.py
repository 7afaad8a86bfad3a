"""force_dots against section 8 of the specification: A, B and their clip flags."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.verilate import Module, pack, unpack
from nvnmd.quantize.fixed import rnd, sat

pytestmark = pytest.mark.hw
COUNT, BITS = 40, 18
SHIFTS = {"a_shift": 12, "b_shift": 11}


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("m1", "group"), [(4, 8), (6, 4), (1, 1)])
def test_dot_products(m1: int, group: int, traffic: dict[str, Any]) -> None:
    rng = np.random.default_rng(m1)
    size = rng.choice([900, 32767], (COUNT, 1))
    y = rng.integers(-32767, 32768, (COUNT, 4, m1))
    g, gp = rng.integers(-size, size + 1, (2, COUNT, m1))
    y[:2], g[:2], gp[:2] = np.array([[[32767]], [[-32767]]]), 32767, 32767
    module = Module(
        "force_dots",
        inputs=("s_y", "s_feature", "s_feature_slope", "s_user"),
        outputs=("m_a", "m_b", "m_a_clip", "m_b_clip", "m_user"),
        statics=tuple(SHIFTS),
        parameters={"M1": m1, "GROUP": group, "USER_W": 5},
    )
    beats = [
        {
            "s_y": pack(y[n].T.reshape(-1), 16),
            "s_feature": pack(g[n], 16),
            "s_feature_slope": pack(gp[n], 16),
            "s_user": n % 32,
        }
        for n in range(COUNT)
    ]
    run = module.run(beats, COUNT, statics=SHIFTS, **traffic)
    for name, words in (("a", g), ("b", gp)):
        value, clipped = sat(rnd(np.einsum("nck,nk->nc", y, words), SHIFTS[f"{name}_shift"]), BITS)
        assert [unpack(beat[f"m_{name}"], BITS, 4) for beat in run.beats] == value.tolist()
        assert [beat[f"m_{name}_clip"] for beat in run.beats] == [pack(row, 1) for row in clipped.astype(int)]
        assert clipped.any()
        assert not clipped.all()
    assert [beat["m_user"] for beat in run.beats] == [n % 32 for n in range(COUNT)]
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 5 for cycle in run.entered] == list(range(5, 5 + COUNT))
