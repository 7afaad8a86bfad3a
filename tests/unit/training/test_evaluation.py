"""Errors against hand-made predictions, and the marks of trained and held-out frames."""

from dataclasses import replace

import frame_writers as w
import numpy as np
import pytest

from nvnmd.training.evaluation import Evaluated, Predicted, by_part, errors, frame_hashes, prediction_arrays, summary


def predicted(system, energy=0.0, force=0.0, virial=0.0):
    """Labels with errors added: energy [n_frames] in eV, the rest for every component."""
    virials = np.zeros((system.n_frames, 3, 3)) if system.virials is None else system.virials
    return Predicted(system.energies + energy, system.forces + force, virials + virial)


def provenance(train=(), held_out=()):
    return {
        "training_data": [{"name": s.name, "frame_hashes": frame_hashes(s)} for s in train],
        "validation_data": [{"name": s.name, "frame_hashes": frame_hashes(s)} for s in held_out],
    }


def test_perfect_predictions():
    system = w.small_system()
    found = errors([Evaluated(system, predicted(system))])
    assert found.energy_rmse == found.force_rmse == found.virial_rmse == found.energy_mae == 0.0
    assert found.force_rms == pytest.approx(np.sqrt(np.mean(system.forces**2)))


def test_known_errors():
    system = w.small_system(4)
    found = errors([Evaluated(system, predicted(system, 6.0 * np.array([1.0, 1.0, -1.0, 3.0]), -0.5, 12.0))])
    assert found.energy_rmse == pytest.approx(np.sqrt(3.0))
    assert found.energy_mae == pytest.approx(1.5)
    assert found.energy_offset == pytest.approx(1.0)
    assert found.energy_scatter == pytest.approx(np.sqrt(2.0))
    assert (found.force_rmse, found.force_mae) == pytest.approx((0.5, 0.5))
    assert (found.virial_rmse, found.virial_mae) == pytest.approx((2.0, 2.0))


def test_pooled_errors_weigh_every_frame_and_component():
    small, large = w.small_system(3), w.small_system(1, seed=1, virial=False)
    both = [Evaluated(small, predicted(small, force=1.0)), Evaluated(large, predicted(large, force=3.0))]
    found = errors(both)
    assert found.n_frames == 4
    assert found.force_rmse == pytest.approx(np.sqrt((3 * 1.0 + 9.0) / 4))
    assert found.virial_rmse == 0.0


def test_no_virial_labels():
    system = w.small_system(virial=False)
    found = errors([Evaluated(system, predicted(system))])
    assert found.virial_rmse is None


def test_summary_by_system_and_part():
    one, two = w.small_system(2, name="a"), w.small_system(1, seed=1, name="b")
    rows = [Evaluated(one, predicted(one, force=1.0), "train"), Evaluated(two, predicted(two, force=2.0), "held out")]
    found = summary(rows)
    assert [(row["name"], row["part"], row["n_frames"]) for row in found["systems"]] == [
        ("a", "train", 2),
        ("b", "held out", 1),
    ]
    assert found["parts"]["train"]["force_mae"] == pytest.approx(1.0)
    assert found["parts"]["held out"]["force_mae"] == pytest.approx(2.0)
    assert found["all"]["n_frames"] == 3


def test_arrays_for_the_report():
    one, two = w.small_system(2, name="set/a"), w.small_system(1, seed=1, name="b", virial=False)
    arrays = prediction_arrays([Evaluated(one, predicted(one, force=1.0), "train"), Evaluated(two, predicted(two))])
    assert arrays["names"].tolist() == ["set/a", "b"]
    assert arrays["parts"].tolist() == ["train", "new"]
    np.testing.assert_array_equal(arrays["set/a/force_dft"], one.forces)
    np.testing.assert_array_equal(arrays["set/a/force_pred"], one.forces + 1.0)
    assert "b/virial_dft" not in arrays
    assert "b/virial_pred" in arrays


def test_frames_are_recognized_in_any_company():
    """A system evaluated whole is cut into what was trained on, held out, and new."""
    system = w.small_system(5, name="a")
    origin = {"float_model": provenance([system.select([0, 1], "x")], [system.select([3], "y")])}
    parts = by_part(system.select([4, 3, 2, 1, 0]), origin)
    assert [(s.name, part) for s, part in parts] == [
        ("a (new)", "new"),
        ("a (held out)", "held out"),
        ("a (train)", "train"),
    ]
    np.testing.assert_array_equal(parts[0][0].energies, system.energies[[4, 2]])
    np.testing.assert_array_equal(parts[2][0].energies, system.energies[[1, 0]])


def test_frames_of_one_part_keep_their_name():
    system = w.small_system(name="a")
    assert [(s.name, part) for s, part in by_part(system, provenance([system]))] == [("a", "train")]
    assert [(s.name, part) for s, part in by_part(system, {})] == [("a", "new")]


def test_hashes_do_not_depend_on_the_type_map():
    system = w.small_system()
    assert frame_hashes(system) == frame_hashes(system.with_type_map(("Sb", "Te", "Ge")))
    assert len(set(frame_hashes(system))) == system.n_frames
    assert frame_hashes(system) != frame_hashes(replace(system, energies=system.energies + 1e-9))
    assert frame_hashes(system) != frame_hashes(replace(system, types=system.types[::-1]))
