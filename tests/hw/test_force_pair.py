"""force_pair against the reference: V, P, the pair force and their clip flags, from A and B on."""

from typing import Any

import numpy as np
import pytest
from force_cases import clipping, results, statics
from rtl_cases import TRAFFIC, small_model

from nvnmd.fpga.verilate import Module, pack, unpack

pytestmark = pytest.mark.hw
PORTS = {"a": ("A", 18), "b": ("B", 18), "dx": ("x", 18), "s_slope": ("sp", 27), "h": ("h", 27)} | {
    "h_slope": ("hp", 27),
    "guard_slope": ("guard_slope", 27),
    "env": ("R", 16),
}
MODULE = Module(
    "force_pair",
    inputs=tuple(f"s_{name}" for name in (*PORTS, "user")),
    outputs=("m_force", "m_v_clip", "m_p_clip", "m_f_clip", "m_user"),
    statics=("v_shift", "p_shift", "f_shift", "align"),
    parameters={"USER_W": 7},
)


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("clips", [False, True])
def test_forces(clips: bool, traffic: dict[str, Any]) -> None:
    model = clipping(small_model()) if clips else small_model()
    done = [result for _, result in results(model)]
    beats: list[dict[str, int]] = []
    for result in done:
        words = {name: np.asarray(result.trace[key]) for name, (key, _) in PORTS.items()}
        for n in range(len(result.force)):
            beat = {f"s_{name}": pack(np.atleast_1d(words[name][n]), bits) for name, (_, bits) in PORTS.items()}
            beats.append(beat | {"s_user": len(beats) % 128})
    run = MODULE.run(beats, len(beats), statics={port: statics(model)[port] for port in MODULE.statics}, **traffic)
    assert [unpack(beat["m_force"], 32, 3) for beat in run.beats] == np.concatenate([r.force for r in done]).tolist()
    assert [beat["m_user"] for beat in run.beats] == [beat["s_user"] for beat in beats]
    for stage in ("V", "P", "F"):
        total = sum(result.clipped[stage] for result in done)
        assert sum(beat[f"m_{stage.lower()}_clip"].bit_count() for beat in run.beats) == total
        assert (total > 0) == clips, stage
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 12 for cycle in run.entered] == list(range(12, 12 + len(beats)))
