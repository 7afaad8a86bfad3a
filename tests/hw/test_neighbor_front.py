"""neighbor_front against the reference's words of every neighbor."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rtl_cases import FRONT_BITS, TRAFFIC, front_beats, front_module, front_statics, front_writes, small_model

from nvnmd.fpga.verilate import unpack
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput, evaluate_atom
from nvnmd.quantize.testing import random_atoms

pytestmark = pytest.mark.hw
NAMES = ("x", "G", "Gp", "sp", "h", "hp", "guard", "guard_slope", "R")


def clipping(model: IntegerModel) -> IntegerModel:
    """The same model with R in units so small that close neighbors clip."""
    return replace(model, formats=replace(model.formats, env_frac=model.formats.env_frac + 6))


def cases() -> list[AtomInput]:
    """Random atoms down to 1.2 Å, one without neighbors, and neighbors closer than the tables start."""
    near = np.array([[0, 0, 0], [3, -2, 1], [30000, 0, 0], [-131, 70, 2]])
    atoms = random_atoms(6, 11, shortest_A=1.2, most=24)
    empty = AtomInput(1, np.zeros((0, 3), np.int64), np.zeros(0, np.int64))
    return [empty, *atoms, AtomInput(0, near, np.array([0, 1, 0, 1])), empty]


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(
    ("form", "clips"), [("pairs", False), ("pairs", True), ("strip", False), ("strip", True), ("no gates built", False)]
)
def test_words_of_every_neighbor(form: str, clips: bool, traffic: dict[str, Any]) -> None:
    model = small_model(gated=form == "strip")
    model = clipping(model) if clips else model
    atoms = cases()
    beats = [front_beats(model, atom) for atom in atoms]
    flat = [beat for part in beats for beat in part]
    run = front_module(model, gates=form != "no gates built").run(
        flat, len(flat), statics=front_statics(model), config=front_writes(model), most_cycles=20000, **traffic
    )
    assert [(b["m_none"], b["m_last"]) for b in run.beats] == [(b["s_none"], b["s_last"]) for b in flat]
    at = clipped = 0
    for atom, part in zip(atoms, beats, strict=True):
        got = run.beats[at : at + len(part)]
        at += len(part)
        result = evaluate_atom(model, atom)
        for name, (port, bits) in zip(NAMES, FRONT_BITS.items(), strict=True):
            wanted = np.asarray(result.trace[name])
            wanted = wanted[:, None] if wanted.ndim == 1 else wanted
            words = [unpack(b[f"m_{port}"], bits, wanted.shape[1]) for b in got if not b["m_none"]]
            assert words == wanted.tolist(), port
        assert sum(b["m_env_clip"].bit_count() for b in got) == result.clipped["R"]
        assert sum(b["m_too_close"] for b in got) == result.too_close
        clipped += result.clipped["R"]
    assert (clipped > 0) == clips
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left == [cycle + 11 for cycle in run.entered] == list(range(11, 11 + len(flat)))
