"""Both forms of table against quantize.piecewise."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC, small_model, wide_row

from nvnmd.fpga.verilate import Module, pack, unpack
from nvnmd.quantize.piecewise import narrow, wide

pytestmark = pytest.mark.hw
MODEL = small_model()
FORMATS = MODEL.formats
FIRST = MODEL.u_min >> 15
STREAM = {"inputs": ("s_row", "s_t"), "outputs": ("m_value", "m_slope"), "statics": ("shift",)}


def positions(rows: int, count: int = 80) -> tuple[Any, Any]:
    """Random rows and positions, the ends of a segment included."""
    rng = np.random.default_rng(7)
    t = np.concatenate([rng.integers(0, 1 << 15, count), [0, 0, 32767, 32767, 16384]])
    return rng.integers(0, rows, len(t)), t


def beats(row: Any, t: Any) -> list[dict[str, int]]:
    return [{"s_row": int(r), "s_t": int(p)} for r, p in zip(row, t, strict=True)]


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_narrow(traffic: dict[str, Any]) -> None:
    coef = MODEL.feature_coef[1, FIRST:].astype(np.int64)
    rows, _, lanes = coef.shape
    module = Module(
        "table_narrow",
        config=("cfg_valid", "cfg_row", "cfg_lane", "cfg_coef"),
        parameters={"LANES": lanes, "ROWS": rows},
        **STREAM,
    )
    config = [
        {"cfg_row": r, "cfg_lane": k, "cfg_coef": pack(coef[r, :, k], 16)} for r in range(rows) for k in range(lanes)
    ]
    row, t = positions(rows)
    run = module.run(
        beats(row, t), len(t), statics={"shift": FORMATS.feature_shift}, config=config, most_cycles=9999, **traffic
    )
    value, slope = narrow(coef[row, 0], coef[row, 1], coef[row, 2], t[:, None], FORMATS.feature_shift)
    assert [unpack(beat["m_value"], 16, lanes) for beat in run.beats] == value.tolist()
    assert [unpack(beat["m_slope"], 16, lanes) for beat in run.beats] == slope.tolist()
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 5 for cycle in run.entered] == list(range(5, 5 + len(t)))


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("which", "value_bits"), [("s", 27), ("h", 27), ("guard", 32)])
def test_wide(which: str, value_bits: int, traffic: dict[str, Any]) -> None:
    coef = (MODEL.guard_coef[0] if which == "guard" else MODEL.scalar_coef[0, :, "sh".index(which)]).astype(np.int64)
    coef = coef[FIRST:]
    shift = {"s": FORMATS.s_shift, "h": FORMATS.h_shift, "guard": FORMATS.guard_shift}[which]
    rows, _ = coef.shape
    module = Module(
        "table_wide",
        config=("cfg_valid", "cfg_row", "cfg_coef"),
        parameters={"ROWS": rows, "VALUE_W": value_bits},
        **STREAM,
    )
    config = [{"cfg_row": r, "cfg_coef": wide_row(coef[r], value_bits)} for r in range(rows)]
    row, t = positions(rows)
    run = module.run(beats(row, t), len(t), statics={"shift": shift}, config=config, **traffic)
    value, slope = wide(coef[row, 0], coef[row, 1], coef[row, 2], t, shift)
    assert [unpack(beat["m_value"], value_bits, 1)[0] for beat in run.beats] == value.tolist()
    assert [unpack(beat["m_slope"], 27, 1)[0] for beat in run.beats] == slope.tolist()
