"""Learning rates by step against DeePMD-kit's formulas."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nvnmd.training.schedule import LearningRate, LearningRateSettings
from nvnmd.training.settings import SettingsError, parse_settings


def rates(numb_steps: int, at: list[int], **keys: Any) -> list[float]:
    rate = LearningRate.from_settings(LearningRateSettings(**keys), numb_steps)
    return [rate.at(step) for step in at]


def test_exp_reaches_stop_at_the_last_step() -> None:
    found = rates(10000, [0, 99, 5000, 10000], start_lr=1e-3, stop_lr=1e-5)
    assert found == pytest.approx([1e-3, 1e-3, 1e-4, 1e-5])


def test_exp_with_a_given_rate_stops_falling_at_stop() -> None:
    found = rates(1000, [9, 10, 29, 30, 900], start_lr=1e-3, stop_lr=1e-4, decay_steps=10, decay_rate=0.5)
    assert found == pytest.approx([1e-3, 5e-4, 2.5e-4, 1.25e-4, 1e-4])


def test_smooth_exp_falls_with_every_step() -> None:
    found = rates(1000, [0, 5, 10], start_lr=1e-3, stop_lr=1e-5, decay_steps=10, decay_rate=0.5, smooth=True)
    assert found == pytest.approx([1e-3, 1e-3 * math.sqrt(0.5), 5e-4])


def test_cosine_is_half_a_wave() -> None:
    found = rates(1000, [0, 250, 500, 1000], type="cosine", start_lr=1e-2, stop_lr=1e-4)
    quarter = 1e-4 + (1e-2 - 1e-4) * (1 + math.sqrt(0.5)) / 2
    assert found == pytest.approx([1e-2, quarter, 5.05e-3, 1e-4])


@pytest.mark.parametrize(
    ("decay_type", "half"), [("linear", 5.05e-3), ("cosine", 5.05e-3), ("inverse_linear", 2 / (1e2 + 1e4))]
)
def test_wsd_falls_at_the_end_only(decay_type: str, half: float) -> None:
    keys = {"type": "wsd", "start_lr": 1e-2, "stop_lr": 1e-4, "decay_phase_ratio": 0.2, "decay_type": decay_type}
    assert rates(1000, [0, 800, 900, 1000], **keys) == pytest.approx([1e-2, 1e-2, half, 1e-4])


@pytest.mark.parametrize("kind", ["exp", "cosine", "wsd"])
def test_a_warmup_rises_to_start_and_the_schedule_takes_the_rest(kind: str) -> None:
    keys = {"type": kind, "start_lr": 1e-3, "stop_lr": 1e-5, "warmup_start_factor": 0.1}
    by_steps = rates(1000, [0, 50, 100, 1000], **keys, warmup_steps=100)
    assert by_steps == pytest.approx([1e-4, 5.5e-4, 1e-3, 1e-5])
    assert rates(1000, [0, 50, 100, 1000], **keys, warmup_ratio=0.1) == by_steps


def test_stop_lr_may_be_given_as_a_ratio() -> None:
    assert LearningRateSettings(start_lr=2e-3, stop_lr_ratio=0.01).stop_lr == pytest.approx(2e-5)
    assert LearningRateSettings(start_lr=2e-3, stop_lr=None, stop_lr_ratio=None).stop_lr == 1e-5


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"stop_lr": 1e-5, "stop_lr_ratio": 0.1}, "stop_lr and stop_lr_ratio say the same"),
        ({"start_lr": "fast", "stop_lr_ratio": 0.1}, "must be numbers"),
        ({"warmup_steps": 10, "warmup_ratio": 0.1}, "warmup_steps and warmup_ratio say the same"),
        ({"warmup_steps": 1000}, r"warmup_steps \(1000\) must be smaller than training.numb_steps \(1000\)"),
        ({"type": "cosine", "decay_rate": 0.9}, "decay_rate belongs to type 'exp', and the type is 'cosine'"),
        ({"decay_phase_ratio": 0.2}, "decay_phase_ratio belongs to type 'wsd', and the type is 'exp'"),
        ({"type": "plateau"}, "'exp', 'cosine' or 'wsd'"),
    ],
)
def test_what_cannot_be_is_refused(keys: dict[str, Any], message: str) -> None:
    training = {"training_data": {"systems": ["a"]}, "numb_steps": 1000}
    with pytest.raises(SettingsError, match=message):
        parse_settings({"model": {"type_map": ["Ge"]}, "learning_rate": keys, "training": training})


def test_settings_survive_being_written_out() -> None:
    settings = LearningRateSettings(type="wsd", start_lr=2e-3, stop_lr_ratio=0.01, decay_phase_ratio=0.3)
    assert LearningRateSettings.model_validate(settings.model_dump(mode="json")) == settings
