"""Fine-tuning: improves on a model quantized coarsely, is never worse, and continues where it stopped."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from quantize_cases import crystal, labeled, small_potential

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.energy_reference import match_reference
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import load_model
from nvnmd.quantize.predict import predict
from nvnmd.quantize.ptq import quantize_model
from nvnmd.quantize.qat.judging import Score, Verdict
from nvnmd.quantize.qat.tuning import Tuner, TuningOptions, tuning_settings
from nvnmd.training.checkpoint import CheckpointError
from nvnmd.training.metrics import predict as predict_float
from nvnmd.training.model import DeepPot
from nvnmd.training.settings import Settings, parse_settings
from nvnmd.training.setup import TrainingData

Case = tuple[DeepPot, IntegerModel, TrainingData]


@pytest.fixture(scope="module")
def case() -> Case:
    """A potential, coarsely quantized, and frames labeled with one that is three percent off."""
    potential = small_potential()
    truth = copy.deepcopy(potential)
    with torch.no_grad():
        for parameter in truth.parameters():
            parameter.mul_(1.03)
    frames = [crystal(cells=2, spacing_A=2.9, shake_A=0.15, seed=seed) for seed in range(8)]
    train, held_out = labeled(frames[:6], truth, "train"), labeled(frames[6:], truth, "held out")
    shifts = potential.energy_shifts
    data = TrainingData([train], [held_out], [shifts], [shifts], shifts)
    return potential, quantize_model(potential, [train], CompileOptions(weight_bits=6)), data


def settings() -> Settings:
    parsed, _ = parse_settings(
        {
            "model": {"type_map": ["Ge", "Te"]},
            "loss": {"start_pref_e": 0.5, "limit_pref_e": 1, "start_pref_f": 20, "limit_pref_f": 10},
            "training": {"training_data": {"systems": ["toy"], "batch_size": 1}, "numb_steps": 999},
        }
    )
    return parsed


def tuner(case: Case, folder: Path, steps: int = 40, restart: bool = False, rate: float = 1e-3) -> Tuner:
    potential, integer, data = case
    start = load_model(folder / "model.nvnmd") if restart else integer
    return Tuner(potential, start, data, settings(), TuningOptions(steps, rate, rate / 100), folder, restart)


def test_settings_become_those_of_fine_tuning() -> None:
    changed = tuning_settings(settings(), TuningOptions(steps=40, start_lr=1e-4))
    # Prefactors are those that training had at this learning rate, a tenth of where it started.
    assert changed.loss.start_pref_e == pytest.approx(1 - 0.5 * 0.1)
    assert changed.loss.start_pref_f == pytest.approx(10 + 10 * 0.1)
    assert (changed.loss.limit_pref_e, changed.loss.limit_pref_f) == (1, 10)
    assert changed.training.numb_steps == 40
    assert changed.learning_rate.start_lr == 1e-4


def test_fine_tuning_improves_a_coarse_model(case: Case, tmp_path: Path) -> None:
    run = tuner(case, tmp_path)
    before = run.verdict.parts[0]
    assert run.run()
    after = load_model(tmp_path / "model.nvnmd")
    found = run.verdict.parts[0]
    assert found.energy < 0.5 * before.energy
    assert found.force < 0.9 * before.force
    assert after.provenance["quantize"]["best"]["errors"] == run.verdict.to_json()
    held_out = case[2].validation[0]

    def force_error(model: IntegerModel) -> float:
        return float(np.square(predict(model, held_out).forces - held_out.forces).mean())

    assert force_error(after) < force_error(case[1])
    assert (tmp_path / "lcurve.out").read_text(encoding="utf-8").startswith("#")


def test_the_result_is_never_worse_than_without(case: Case, tmp_path: Path) -> None:
    run = tuner(case, tmp_path, steps=6, rate=0.3)  # far too large on purpose
    run.run()
    best = load_model(tmp_path / "model.nvnmd")
    assert best.provenance["quantize"]["best"]["step"] == 0
    for name, array in case[1].tensors.items():
        assert np.array_equal(best.tensors[name], array), name


def scores(*parts: tuple[float, float, float]) -> Verdict:
    return Verdict(tuple(Score(*part) for part in parts))


@pytest.mark.parametrize(
    ("found", "better"),
    [
        (scores((0.9, 2.0, 3.0), (9.0, 5.0, 6.0)), True),
        (scores((0.9, 2.009, 3.0), (9.0, 5.0, 6.029)), True),  # within half a percent
        (scores((1.0, 2.0, 3.0), (1.0, 5.0, 6.0)), False),  # the same loss as the best so far
        (scores((0.5, 2.1, 3.0), (1.0, 5.0, 6.0)), False),  # worse than at the start: energies of held-out frames
        (scores((0.5, 2.0, 3.1), (1.0, 5.0, 6.0)), False),  # their forces
        (scores((0.5, 2.0, 3.0), (1.0, 5.1, 6.0)), False),  # energies of training frames
        (scores((0.5, 2.0, 3.0), (1.0, 5.0, 6.1)), False),
        (scores((0.5, 2.0, float("nan")), (1.0, 5.0, 6.0)), False),
    ],
)
def test_better_is_a_smaller_loss_with_no_error_worse_than_at_the_start(found: Verdict, better: bool) -> None:
    start, best = scores((2.0, 2.0, 3.0), (2.0, 5.0, 6.0)), scores((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    assert found.better_than(best, start) is better


def test_a_stopped_run_continues_to_the_same_result(case: Case, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    for folder in (whole, part):
        folder.mkdir()
    straight = tuner(case, whole, steps=6)
    straight.run()
    first = tuner(case, part, steps=6)
    first.trainer.on_step = lambda step: first.trainer.request_stop() if step == 3 else None
    assert not first.run()
    second = tuner(case, part, steps=6, restart=True)
    assert second.trainer.step == 3
    assert second.run()
    for a, b in zip(straight.trainer.model.parameters(), second.trainer.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert second.verdict == straight.verdict


def test_other_settings_cannot_continue(case: Case, tmp_path: Path) -> None:
    tuner(case, tmp_path, steps=4).run()
    with pytest.raises(CheckpointError, match="options"):
        tuner(case, tmp_path, steps=5, restart=True)


@pytest.mark.parametrize("absolute", [True, False])
def test_frames_and_model_come_to_one_energy_reference(case: Case, absolute: bool) -> None:
    potential, _, data = case
    up = np.array([3.0, -2.0])
    system = labeled([crystal(cells=2, spacing_A=2.9, shake_A=0.15, seed=seed) for seed in range(4)], potential)
    data = replace(data, train=[system])
    if absolute:  # the same energies, but shifts that were fitted to other frames
        other = replace(data, shifts=[data.shifts[0] + up / 80], model_shifts=data.model_shifts + up / 80)
        expected = data.shifts[0]
    else:  # another code's energies
        energies = system.energies + up[system.types].sum()
        other = replace(
            data,
            train=[replace(system, energies=energies)],
            shifts=[data.shifts[0] + up],
            model_shifts=data.model_shifts + up,
        )
        expected = data.shifts[0] + up
    model, matched = match_reference(potential, other)
    assert matched.shifts[0] == pytest.approx(expected)
    assert model.energy_shifts == pytest.approx(expected)
    labels = matched.train[0].energies - matched.shifts[0][system.types].sum()
    own = predict_float(model, system).energies - model.energy_shifts[system.types].sum()
    assert labels == pytest.approx(own, abs=1e-6)


def test_a_second_set_comes_to_the_reference_of_the_first(case: Case) -> None:
    """Whatever its shifts were fitted to, its labels end where the model, which learned them, has them."""
    potential, _, data = case
    first, second = (
        labeled([crystal(cells=2, spacing_A=2.9, shake_A=0.15, seed=seed) for seed in seeds], potential)
        for seeds in ((0, 1), (2, 3, 4))
    )
    second = replace(second, dataset="other", energies=second.energies + 5.0 * second.n_atoms)
    wrong = data.shifts[0] + np.array([5.1, 4.7])
    both = replace(
        data, train=[first, second], shifts=[data.shifts[0], wrong], validation=[second], validation_shifts=[wrong]
    )
    model, matched = match_reference(potential, both)
    assert model is potential
    assert matched.shifts[0] == pytest.approx(data.shifts[0])
    for system, shift in ((matched.train[1], matched.shifts[1]), (matched.validation[0], matched.validation_shifts[0])):
        labels = system.energies - shift[system.types].sum()
        own = predict_float(model, system).energies - model.energy_shifts[system.types].sum()
        assert labels == pytest.approx(own, abs=1e-6)
