"""force_stage against the reference: forces of whole atoms and the clip counts of each."""

from typing import Any

import numpy as np
import pytest
from force_cases import STAGES, WORD_BITS, beats_of, clipping, results, statics
from rtl_cases import TRAFFIC, small_model

from nvnmd.fpga.verilate import Module, unpack

pytestmark = pytest.mark.hw


def module(m1: int, lanes: int) -> Module:
    return Module(
        "force_stage",
        inputs=("s_last", "s_none", "s_y", *(f"s_{name}" for name in WORD_BITS)),
        outputs=("m_last", "m_none", "m_force", "m_clips"),
        statics=(*(f"{name.lower()}_shift" for name in STAGES), "align"),
        parameters={"M1": m1, "LANES": lanes},
    )


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("clips", "lanes"), [(False, 1), (True, 1), (False, 3), (True, 3)])
def test_atoms(clips: bool, lanes: int, traffic: dict[str, Any]) -> None:
    model = clipping(small_model()) if clips else small_model()
    done = results(model)
    beats = [beats_of(result, atom, lanes) for atom, result in done]
    flat = [beat for part in beats for beat in part]
    run = module(model.m1, lanes).run(flat, len(flat), statics=statics(model), **traffic)
    assert [(b["m_last"], b["m_none"]) for b in run.beats] == [(b["s_last"], b["s_none"]) for b in flat]
    at, clipped = 0, dict.fromkeys(STAGES, 0)
    for (_, result), part in zip(done, beats, strict=True):
        got = run.beats[at : at + len(part)]
        at += len(part)
        force = np.array([unpack(beat["m_force"], 32, 3 * lanes) for beat in got]).reshape(-1, 3)
        assert np.array_equal(force[: len(result.force)], result.force)
        counts = dict(zip(STAGES, unpack(got[-1]["m_clips"], 16, 5), strict=True))
        assert counts == {stage: result.clipped[stage] for stage in STAGES}
        clipped = {stage: clipped[stage] + counts[stage] for stage in STAGES}
    assert all((total > 0) == clips for total in clipped.values()), clipped
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 17 for cycle in run.entered] == list(range(17, 17 + len(flat)))
