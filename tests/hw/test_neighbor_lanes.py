"""neighbor_lanes against the reference: words of every lane, guard energy and counts of every atom."""

from typing import Any

import numpy as np
import pytest
from pipeline_cases import beats_of, random_mix
from rtl_cases import TRAFFIC, front_module, front_statics, front_writes, small_model

from nvnmd.fpga.pipeline import sizes
from nvnmd.fpga.verilate import Module, pack, unpack
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import evaluate_atom

pytestmark = pytest.mark.hw
CARRIED = (("R", 16), ("guard_slope", 27), ("hp", 27), ("h", 27), ("sp", 27), ("Gp", 16), ("G", 16), ("x", 18))
"""Words of a neighbor for the force stage, lowest first."""


def module(model: IntegerModel, lanes: int) -> Module:
    sized, front = sizes(model), front_module(model)
    kept = {name: sized[name] for name in ("TYPES", "GATES", *front.parameters) if name in sized}
    return Module(
        "neighbor_lanes",
        inputs=("s_last", "s_none", "s_center", "s_type", "s_dx"),
        outputs=(
            "m_last",
            "m_none",
            "m_feature",
            "m_env",
            "m_carry",
            "m_center",
            "m_guard",
            "m_r_clips",
            "m_too_close",
        ),
        statics=front.statics,
        config=front.config,
        parameters=kept | {"LANES": lanes},
    )


def carried(trace: dict[str, Any], n: int) -> int:
    """The word of neighbor ``n`` that waits for the backward pass."""
    bus = at = 0
    for name, bits in CARRIED:
        words = np.atleast_1d(trace[name][n])
        bus |= pack(words, bits) << at
        at += bits * len(words)
    return bus


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("lanes", "gated"), [(1, False), (3, True)])
def test_lanes(lanes: int, gated: bool, traffic: dict[str, Any]) -> None:
    model = small_model(gated=gated)
    atoms = random_mix(model.n_types, most=20)
    parts = [beats_of(model, atom, lanes) for atom in atoms]
    flat = [beat for beats, _ in parts for beat in beats]
    config, statics = front_writes(model), front_statics(model)
    run = module(model, lanes).run(flat, len(flat), statics=statics, config=config, most_cycles=20000, **traffic)
    assert [(b["m_last"], b["m_none"], b["m_center"]) for b in run.beats] == [
        (b["s_last"], b["s_none"], b["s_center"]) for b in flat
    ]
    carry_bits = 226 + 32 * model.m1
    at = 0
    for atom, (beats, place) in zip(atoms, parts, strict=True):
        got, result = run.beats[at : at + len(beats)], evaluate_atom(model, atom)
        at += len(beats)
        for n, where in enumerate(place.tolist()):
            beat, lane = got[where // lanes], where % lanes
            assert beat["m_carry"] >> carry_bits * lane & (1 << carry_bits) - 1 == carried(result.trace, n)
            feature = beat["m_feature"] >> 16 * model.m1 * lane
            assert unpack(feature & (1 << 16 * model.m1) - 1, 16, model.m1) == result.trace["G"][n].tolist()
            assert unpack(beat["m_env"] >> 64 * lane & (1 << 64) - 1, 16, 4) == result.trace["R"][n].tolist()
        assert unpack(got[-1]["m_guard"], 48, 1) == [int(result.trace["guard"].sum())]
        assert (got[-1]["m_r_clips"], got[-1]["m_too_close"]) == (result.clipped["R"], result.too_close)
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 11 for cycle in run.entered] == list(range(11, 11 + len(flat)))
