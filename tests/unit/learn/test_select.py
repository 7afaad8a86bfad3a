"""Which frames are chosen."""

from pathlib import Path

import numpy as np
import pytest
from toys import structure

from nvnmd.learn.candidates import Chosen
from nvnmd.learn.select import farthest_points, select_frames, spread_evenly
from nvnmd.learn.selected import read_selected, write_selected

NONE = np.empty((0, 2))


def test_farthest_points_are_the_corners() -> None:
    grid = np.array([[x, y] for x in range(5) for y in range(5)], dtype=float)
    found = farthest_points(grid, np.array([[2.0, 2.0]]), 4)
    assert {tuple(grid[k]) for k in found} == {(0, 0), (0, 4), (4, 0), (4, 4)}


def test_each_choice_is_the_farthest_of_all_that_are_left() -> None:
    rng = np.random.default_rng(3)
    points, known = rng.normal(size=(60, 5)), rng.normal(size=(10, 5))
    scale = np.vstack([points, known]).std(axis=0)
    found = farthest_points(points, known, 20)
    there = list(known / scale)
    for k in found:
        gaps = [min(np.linalg.norm(p / scale - q) for q in there) for p in points]
        assert gaps[k] == pytest.approx(max(gaps))
        there.append(points[k] / scale)
    assert len(set(found.tolist())) == 20


def test_what_is_known_already_is_not_chosen() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [3.0, 0.0]])
    assert set(farthest_points(points, points[:1], 10).tolist()) == {1, 3}
    assert farthest_points(points[:1], points[:1], 3).tolist() == []


def test_without_anything_known_it_begins_in_the_middle() -> None:
    points = np.array([[0.0, 0.0], [4.0, 0.0], [2.1, 0.0]])
    assert farthest_points(points, NONE, 1).tolist() == [2]


def test_a_component_that_never_changes_does_not_count() -> None:
    points = np.array([[0.0, 7.0], [1.0, 7.0], [0.1, 7.0]])
    assert farthest_points(points, points[:1], 1).tolist() == [1]


def test_frames_are_taken_between_the_levels_only() -> None:
    scores = np.array([0.05, 0.2, 0.3, 5.0, np.nan, 0.4])
    vectors = np.arange(12.0).reshape(6, 2)
    found = select_frames(scores, vectors, NONE, 0.1, 1.0, 10)
    assert found.chosen.tolist() == [1, 2, 5]
    assert (found.accurate, found.candidate, found.failed) == (1, 3, 2)
    assert len(select_frames(scores, vectors, NONE, 0.1, 1.0, 2).chosen) == 2
    assert select_frames(scores, vectors, NONE, 0.6, 1.0, 10).chosen.tolist() == []


def test_the_least_number_is_filled_with_the_most_uncertain() -> None:
    scores = np.array([0.01, 0.03, 0.02, 9.0])
    found = select_frames(scores, np.arange(8.0).reshape(4, 2), NONE, 0.1, 1.0, 10, least=2)
    assert found.chosen.tolist() == [1, 2]


def test_even_spread() -> None:
    assert spread_evenly(100, 5).tolist() == [0, 25, 50, 74, 99]
    assert spread_evenly(3, 5).tolist() == [0, 1, 2]
    assert spread_evenly(0, 5).tolist() == []


def test_chosen_frames_come_back_with_their_record(tmp_path: Path) -> None:
    chosen = [
        Chosen("melt", False, structure(1), 0.25, {"run": 2, "stage": "quench", "step": 500}),
        Chosen("held-out", True, structure(2), 0.125, {}),
    ]
    write_selected(tmp_path / "selected.extxyz", chosen)
    found = read_selected(tmp_path / "selected.extxyz")
    for a, b in zip(found, chosen, strict=True):
        assert (a.item, a.test, a.score, a.origin) == (b.item, b.test, b.score, b.origin)
        np.testing.assert_allclose(a.atoms.positions, b.atoms.positions, atol=1e-7)
    write_selected(tmp_path / "selected.extxyz", [])
    assert read_selected(tmp_path / "selected.extxyz") == []
