"""The summary of a data set against direct counting."""

from dataclasses import replace

import frame_writers as w
import numpy as np
import pytest

from nvnmd.training.summary import data_summary, summarize


def all_distances(system, frame, cutoff):
    """Distances by center and neighbor over a block of images large enough for the cutoff; [n, n, images]."""
    shifts = (
        np.array([[a, b, c] for a in range(-3, 4) for b in range(-3, 4) for c in range(-3, 4)]) @ system.cells[frame]
    )
    vectors = system.positions[frame][None, :, None] + shifts - system.positions[frame][:, None, None]
    distances = np.linalg.norm(vectors, axis=-1)
    return np.where((distances > 1e-9) & (distances < cutoff), distances, np.inf)


def test_numbers_of_one_system():
    system = w.small_system()
    row = summarize(system, rcut=7.0)
    tables = [all_distances(system, k, 7.0) for k in range(system.n_frames)]
    counts = np.array([np.isfinite(t).sum(axis=(1, 2)) for t in tables])
    assert row.neighbors_mean == pytest.approx(counts.mean())
    assert row.neighbors_max == counts.max()
    for pair, a, b in (
        ("Ge-Ge", [0, 1], [0, 1]),
        ("Ge-Te", [0, 1], [2, 3, 4, 5]),
        ("Te-Te", [2, 3, 4, 5], [2, 3, 4, 5]),
    ):
        assert row.shortest[pair] == pytest.approx(min(t[np.ix_(a, b)].min() for t in tables))
    assert (row.energy_min, row.energy_max) == (system.energies.min() / 6, system.energies.max() / 6)
    assert row.force_max == pytest.approx(max(np.linalg.norm(f) for frame in system.forces for f in frame))
    assert row.formula == "Ge2Te4"


def test_pressure_of_a_known_virial():
    """1 eV/A^3 is 160.2 GPa; a positive virial is a positive pressure."""
    system = w.small_system()
    virials = np.eye(3) * np.arange(1.0, 5.0)[:, None, None] * system.volumes[:, None, None]
    row = summarize(replace(system, virials=virials))
    assert row.pressure_min == pytest.approx(160.21766)
    assert row.pressure_max == pytest.approx(4 * 160.21766)


def test_move_and_correlation_warning():
    close, far = w.small_system(step=0.02), w.small_system(step=0.5)
    assert any("correlated" in text for text in summarize(close).warnings)
    assert not any("correlated" in text for text in summarize(far).warnings)
    expected = np.median(np.sqrt(np.mean(np.sum(np.diff(close.positions, axis=0) ** 2, axis=2), axis=1)))
    assert summarize(close).move == pytest.approx(expected)
    assert "consecutive frames are copies of each other" in summarize(close.select([0, 0, 0])).warnings
    assert summarize(close.select([0])).move is None


def test_cluster_and_missing_virial():
    row = summarize(w.small_system(periodic=False, virial=False))
    assert row.density_min is None
    assert row.pressure_min is None
    assert any("no virial" in text for text in row.warnings)


def test_teacher_labels_are_named():
    assert "labels are not DFT but teacher:nep" in summarize(w.small_system(label="teacher:nep")).warnings


def test_whole_data_set():
    systems = [w.small_system(4), w.small_system(2, seed=1, virial=False, type_map=("Ge", "Sb"), dataset="other")]
    whole = data_summary(systems)["all"]
    assert (whole["n_frames"], whole["n_environments"]) == (6, 36)
    assert whole["elements"] == ["Ge", "Te", "Sb"]
    assert whole["frames_with_virial"] == 4
    assert whole["datasets"] == ["", "other"]
    forces = np.concatenate([s.forces.ravel() for s in systems])
    assert whole["force_rms"] == pytest.approx(np.sqrt(np.mean(forces**2)))
    assert whole["shortest"]["Ge-Ge"] == min(summarize(s).shortest["Ge-Ge"] for s in systems)
