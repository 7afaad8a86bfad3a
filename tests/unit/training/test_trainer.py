"""The training loop: it learns, continues to the same bits, stops when asked, and names bad frames."""

import dataclasses
import os
import signal

import numpy as np
import pytest
from small_models import labeled_system, random_model, small_settings

from nvnmd.training.build import build_model, center_energies, settle_energies
from nvnmd.training.checkpoint import CheckpointError
from nvnmd.training.metrics import predict
from nvnmd.training.setup import build_trainer, prepare_data
from nvnmd.training.trainer import TrainingError


@pytest.fixture(scope="module")
def systems():
    teacher = random_model(seed=11)
    return [labeled_system(teacher, 6, 8, "a", seed=1), labeled_system(teacher, 3, 5, "b", seed=2, virials=False)]


def new_trainer(systems, settings, folder, held_out=None, **watchers):
    data = prepare_data(systems, held_out)
    model = build_model(settings, data.train, data.model_shifts)
    trainer = build_trainer(model, settings, data, folder, **watchers)
    center_energies(model, trainer.frames)
    return model, trainer


def force_rmse(model, system):
    return float(np.sqrt(np.mean((predict(model, system).forces - system.forces) ** 2)))


@pytest.mark.parametrize("form", ["se_e2_a", "se_atten"])
def test_training_lowers_errors(systems, tmp_path, form):
    model, trainer = new_trainer(systems, small_settings(150, form), tmp_path)
    before = force_rmse(model, systems[0])
    assert trainer.run()
    assert force_rmse(model, systems[0]) < 0.5 * before


def test_a_model_of_other_frames_begins_at_the_energies_of_these(tmp_path):
    known = random_model(seed=11)
    known.energy_shifts[:] = 0.0
    systems = [labeled_system(known, 4, n, f"set-{n}", seed=n) for n in (5, 8)]
    types = [np.arange(system.n_atoms) % 3 == 0 for system in systems]
    systems = [dataclasses.replace(s, types=t.astype(np.int64)) for s, t in zip(systems, types, strict=True)]
    labels = [predict(known, system) for system in systems]
    moved = [p.energies - 3.0 * (~t).sum() - 2.0 * t.sum() for p, t in zip(labels, types, strict=True)]
    systems = [
        dataclasses.replace(s, energies=e, forces=p.forces) for s, e, p in zip(systems, moved, labels, strict=True)
    ]
    data = prepare_data(systems)
    model = random_model(seed=11)
    model.energy_shifts = data.model_shifts.copy()
    trainer = build_trainer(model, small_settings(1), data, tmp_path)
    settle_energies(model, trainer.frames)
    for system in systems:
        np.testing.assert_allclose(predict(model, system).energies, system.energies, atol=1e-3)


@pytest.mark.parametrize(("form", "dataset"), [("se_e2_a", "other"), ("se_atten", "")])
def test_a_restarted_run_ends_in_the_same_bits(systems, tmp_path, form, dataset):
    systems = [systems[0], dataclasses.replace(systems[1], dataset=dataset)]
    (tmp_path / "whole").mkdir()
    (tmp_path / "halves").mkdir()
    settings = small_settings(12, form)
    held_out = [labeled_system(random_model(seed=11), 3, 8, "held", seed=3)]
    whole, trainer = new_trainer(systems, settings, tmp_path / "whole", held_out)
    assert trainer.run()

    def stop_after_five(step):
        if step == 5:
            first.request_stop()

    _, first = new_trainer(systems, settings, tmp_path / "halves", held_out, on_step=stop_after_five)
    assert not first.run()
    other = settings.model_copy(update={"nvnmd": settings.nvnmd.model_copy(update={"cache_mb": 0.001})})
    halves, second = new_trainer(systems, other, tmp_path / "halves", held_out)
    second.resume()
    assert second.step == 5
    assert second.run()
    for name, value in whole.arrays().items():
        np.testing.assert_array_equal(value, halves.arrays()[name])
    curves = [(tmp_path / name / "lcurve.out").read_text() for name in ("whole", "halves")]
    assert curves[0] == curves[1]
    assert len(curves[0].splitlines()) == 2 + 7  # header, step 1 and every second step


def test_a_signal_stops_between_steps_and_saves(systems, tmp_path):
    def interrupt(step):
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    _, trainer = new_trainer(systems, small_settings(50), tmp_path, on_step=interrupt)
    assert not trainer.run()
    assert trainer.step == 3
    assert trainer.checkpoint_path.exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_bad_label_is_named_and_the_checkpoint_stays(systems, tmp_path):
    bad = systems[0].forces.copy()
    bad[:, 0, 0] = np.inf
    _, trainer = new_trainer([dataclasses.replace(systems[0], forces=bad)], small_settings(5), tmp_path)
    with pytest.raises(TrainingError, match=r"at step 1, on a, frame \d, a, frame \d.*start_lr"):
        trainer.run()
    assert not trainer.checkpoint_path.exists()


@pytest.mark.parametrize("change", ["settings", "data"])
def test_a_restart_with_something_else_is_refused(systems, tmp_path, change):
    _, trainer = new_trainer(systems, small_settings(2), tmp_path)
    trainer.run()
    settings = small_settings(2, gradient_max_norm=1.0) if change == "settings" else small_settings(2)
    _, other = new_trainer(systems if change == "settings" else systems[:1], settings, tmp_path)
    with pytest.raises(CheckpointError, match="training = " if change == "settings" else "training data = "):
        other.resume()


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint"])
def test_a_missing_or_damaged_checkpoint_is_named(systems, tmp_path, content):
    _, trainer = new_trainer(systems, small_settings(2), tmp_path)
    if content is not None:
        trainer.checkpoint_path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.ckpt\.pt"):
        trainer.resume()


def test_checkpoints_come_with_a_call_and_leave_no_temporary_files(systems, tmp_path):
    saved = []
    _, trainer = new_trainer(systems, small_settings(7, save_freq=3), tmp_path, on_save=lambda: saved.append(1))
    trainer.run()
    assert len(saved) == 3  # steps 3, 6 and the end
    assert {path.name for path in tmp_path.iterdir()} == {"lcurve.out", "model.ckpt.pt"}


def test_curve_has_deepmd_columns(systems, tmp_path):
    held_out = [labeled_system(random_model(seed=11), 2, 8, "held", seed=3)]
    seen = []
    _, trainer = new_trainer(systems, small_settings(4), tmp_path, held_out, on_progress=seen.append)
    trainer.run()
    header, _, *lines = (tmp_path / "lcurve.out").read_text().splitlines()
    names = "step rmse_val rmse_trn rmse_e_val rmse_e_trn rmse_f_val rmse_f_trn rmse_v_val rmse_v_trn lr"
    assert header.lstrip("#").split() == names.split()
    assert [int(line.split()[0]) for line in lines] == [1, 2, 4]
    assert float(lines[-1].split()[6]) == pytest.approx(seen[-1].train.force, rel=0.01)


def test_tensorboard_logs_are_written(systems, tmp_path):
    _, trainer = new_trainer(systems, small_settings(2, tensorboard=True), tmp_path)
    trainer.run()
    assert list((tmp_path / "log").glob("events*"))


def test_data_sets_with_other_energy_references_train_together(systems, tmp_path):
    """A constant per atom in one set's energies must change nothing."""
    moved = dataclasses.replace(systems[0], name="moved", energies=systems[0].energies + 8 * 50.0, dataset="other")
    data = prepare_data([systems[0], moved])
    model = build_model(small_settings(2), data.train, data.model_shifts)
    trainer = build_trainer(model, small_settings(2), data, tmp_path)
    first, second = trainer.frames.batch([0]), trainer.frames.batch([6])
    assert first.labels.energies.item() == pytest.approx(second.labels.energies.item(), abs=1e-9)


@pytest.mark.parametrize("cache_mb", [100.0, 1e-3])
def test_the_constant_between_two_references_is_learned(systems, tmp_path, caplog, cache_mb):
    """One system in two sets, the lower and the higher half of its energies, each with a mean of its own."""
    order = np.argsort(systems[0].energies)
    both = [systems[0].select(order[:3]), dataclasses.replace(systems[0].select(order[3:]), dataset="other")]
    data = prepare_data(both)
    settings = small_settings(300)
    settings = settings.model_copy(update={"nvnmd": settings.nvnmd.model_copy(update={"cache_mb": cache_mb})})
    model = build_model(settings, data.train, data.model_shifts)
    trainer = build_trainer(model, settings, data, tmp_path)
    center_energies(model, trainer.frames)
    wanted = [float(s.energies[0] - data.shifts[0][s.types].sum()) / 8 for s in both]
    assert abs(trainer.frames.batch([3]).labels.energies.item() / 8 - wanted[1]) > 0.1
    with caplog.at_level("INFO"):
        trainer.run()
    found = [trainer.frames.batch([index]).labels.energies.item() / 8 for index in (0, 3)]
    assert found == [pytest.approx(wanted[0], abs=1e-9), pytest.approx(wanted[1], abs=0.03)]
    assert "energies of other were moved" in caplog.text


@pytest.mark.parametrize("optimizer", ["soap", "adam"])
def test_decay_keeps_matrices_small(systems, tmp_path, optimizer):
    sizes = []
    for decay in (0.0, 50.0):
        settings = small_settings(20)
        own = settings.nvnmd.model_copy(update={"optimizer": optimizer, "weight_decay": decay})
        folder = tmp_path / str(decay)
        folder.mkdir()
        model, trainer = new_trainer(systems, settings.model_copy(update={"nvnmd": own}), folder)
        assert trainer.run()
        sizes.append(sum(float(p.detach().square().sum()) for p in model.parameters() if p.ndim > 2))
    assert sizes[1] < 0.9 * sizes[0]
