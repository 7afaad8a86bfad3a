"""Packing: which neighbors belong to an atom, at every edge."""

from dataclasses import replace

import numpy as np
import pytest
from quantize_cases import FRAMES

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import evaluate_frame, pack_frame

BOX = np.eye(3) * 40.0


def neighbors_at(model: IntegerModel, distance_A: float, direction: tuple[float, float, float] = (1, 0, 0)) -> int:
    """Neighbors of the first of two atoms so far apart."""
    unit = np.array(direction) / np.linalg.norm(direction)
    words = pack_frame(model, np.array([[9.0, 9, 9], [9, 9, 9] + unit * distance_A]), BOX, [0, 1])
    return int(words.first[1])


def test_the_cutoff_itself_is_outside(model: IntegerModel) -> None:
    assert neighbors_at(model, model.rcut_A) == 0
    assert neighbors_at(model, model.rcut_A - 2.0**-14) == 1
    assert neighbors_at(model, model.rcut_A + 2.0**-14) == 0


def test_the_integer_words_decide_and_not_the_distance(model: IntegerModel) -> None:
    # Nearer than the cutoff by less than half a step: rounds to the cutoff and is left out.
    assert neighbors_at(model, model.rcut_A - 2.0**-16) == 0
    assert neighbors_at(model, model.rcut_A, (1, 1, 1)) in (0, 1)


def test_ties_of_displacements_go_to_even(model: IntegerModel) -> None:
    step = 2.0**-14
    for half, expected in ((2.5, 2), (3.5, 4), (-2.5, -2), (-3.5, -4)):
        words = pack_frame(model, np.array([[8.0, 8, 8], [8 + 3, 8 + half * step, 8]]), BOX, [0, 0])
        assert words.displacement[0, 1] == expected


def test_a_small_cell_gives_several_images(model: IntegerModel) -> None:
    edge = 3.1
    words = pack_frame(model, np.zeros((1, 3)), np.eye(3) * edge, [0])
    shells = np.array([[a, b, c] for a in range(-2, 3) for b in range(-2, 3) for c in range(-2, 3)])
    expected = ((shells * edge) ** 2).sum(axis=1)
    assert words.first[1] == np.count_nonzero((expected > 0) & (expected < model.rcut_A**2))
    assert evaluate_frame(model, words).force.tolist() == [[0, 0, 0]]


def test_without_periodicity_there_are_no_images(model: IntegerModel) -> None:
    words = pack_frame(model, np.zeros((1, 3)), np.eye(3) * 3.1, [0], periodic=False)
    assert words.first.tolist() == [0, 0]


def test_too_many_neighbors_name_the_atom(model: IntegerModel) -> None:
    frame = FRAMES["crystal"]
    with pytest.raises(QuantizeError, match=r"atom \d+ has \d+ neighbors within 6.0 Å; the model holds 3"):
        pack_frame(replace(model, max_neighbors=3), frame.positions, frame.cell, frame.types)


def test_exactly_as_many_neighbors_as_the_model_holds(model: IntegerModel) -> None:
    frame = FRAMES["perfect crystal"]
    words = pack_frame(replace(model, max_neighbors=1024), frame.positions, frame.cell, frame.types)
    most = int(np.diff(words.first).max())
    pack_frame(replace(model, max_neighbors=most), frame.positions, frame.cell, frame.types)
    with pytest.raises(QuantizeError):
        pack_frame(replace(model, max_neighbors=most - 1), frame.positions, frame.cell, frame.types)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_positions_that_are_no_numbers_name_the_atom(model: IntegerModel, bad: float) -> None:
    positions = np.array([[1.0, 1, 1], [2, bad, 2]])
    with pytest.raises(QuantizeError, match="atom 1"):
        pack_frame(model, positions, BOX, [0, 0])


def test_exact_displacements_are_of_the_same_neighbors(model: IntegerModel) -> None:
    frame = FRAMES["liquid"]
    rounded = pack_frame(model, frame.positions, frame.cell, frame.types)
    exact = pack_frame(model, frame.positions, frame.cell, frame.types, exact=True)
    assert np.array_equal(rounded.neighbor, exact.neighbor)
    assert np.abs(rounded.displacement - exact.displacement).max() <= 0.5


def test_no_atoms_are_no_problem(model: IntegerModel) -> None:
    words = pack_frame(model, np.zeros((0, 3)), BOX, np.zeros(0, int))
    assert evaluate_frame(model, words).atom_energy.shape == (0,)
