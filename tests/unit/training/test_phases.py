"""Errors by phase."""

from dataclasses import replace

import frame_writers as w
import pytest

from nvnmd.training.evaluation import Evaluated, Predicted
from nvnmd.training.phases import by_phase, parse_groups, phase_of
from nvnmd.training.system import FramesError


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("gete-cp2k/hot-crystal", "crystal"),
        ("gete-cp2k/melt-quench/crystal-300K", "crystal"),
        ("data/melt-1500K", "liquid"),
        ("liquid/set.000", "liquid"),
        ("gete/Amorphous_300K", "amorphous"),
        ("gete/glass (train)", "amorphous"),
        ("gete/quench-300K", "other"),
        ("smelter/x", "other"),
    ],
)
def test_the_last_part_that_speaks_of_a_phase_tells_it(name, phase):
    assert phase_of(name) == phase


def evaluated(name, force, part="train"):
    system = replace(w.small_system(2), name=name)
    return Evaluated(system, Predicted(system.energies, system.forces + force, system.virials), part)


def test_errors_stand_by_phase_and_part():
    rows = [evaluated("a/liquid", 3.0), evaluated("b/melt-2", 1.0), evaluated("a/crystal", 2.0, "held out")]
    found = by_phase([*rows, evaluated("a/x", 4.0)])
    assert list(found) == ["crystal", "liquid", "other"]
    assert found["liquid"]["train"]["force_rmse"] == pytest.approx(5.0**0.5)
    assert found["crystal"]["held out"]["n_frames"] == 2
    assert list(found["crystal"]) == ["held out"]


def test_groups_go_before_names():
    groups = parse_groups(["hot=*-2", "hot=*/x", "cold=a/*"])
    found = by_phase([evaluated("b/melt-2", 1.0), evaluated("a/liquid", 3.0), evaluated("a/x", 1.0)], groups)
    assert {g: p["train"]["force_rmse"] for g, p in found.items()} == pytest.approx({"cold": 3.0, "hot": 1.0})


@pytest.mark.parametrize("text", ["liquid", "=x", "liquid="])
def test_groups_of_another_form_are_refused(text):
    with pytest.raises(FramesError, match="NAME=PATTERN"):
        parse_groups([text])
