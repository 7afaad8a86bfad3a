"""Constants between data sets, from errors alone."""

import numpy as np
import pytest

from nvnmd.training.references import Composition, References

SETS = [
    Composition("first", np.array([0.5, 0.5, 0.0])),
    Composition("second", np.array([1.0, 0.0, 0.0])),
    Composition("second", np.array([0.0, 0.5, 0.5])),
]


def test_elements_count_from_the_first_set_that_holds_them():
    references = References(SETS)
    assert references.moving
    change = references.change(SETS, [1.0, 1.0, 1.0], 1.0)
    assert (change[0] == 0).all()
    assert (change[1, :2] > 0).all()
    assert change[1, 2] == 0


@pytest.mark.parametrize("sets", [SETS[:1], [SETS[1], Composition("third", np.array([0.0, 1.0, 0.0]))]])
def test_sets_without_common_elements_have_nothing_to_learn(sets):
    assert not References(sets).moving


def test_the_constants_are_found_and_settle():
    references, wanted = References(SETS), np.array([0.3, -0.2, 0.0])
    steps = []
    for progress in np.linspace(1, 0, 4000):
        errors = [0.0, *(float(s.shares @ wanted) - references.of(s) for s in SETS[1:])]
        change = references.change(SETS, errors, progress)
        steps.append(np.abs(change).max())
        references.move(change)
    np.testing.assert_allclose(references.values["second"], wanted, atol=1e-6)
    assert steps[0] > 0.01 > steps[-1] == 0


def test_state_goes_there_and_back():
    references = References(SETS)
    references.move(np.array([[0.0, 0, 0], [0.25, -0.5, 0]]))
    other = References(SETS)
    other.restore(references.state())
    assert other.of(SETS[2]) == references.of(SETS[2]) == -0.25
    assert other.of(Composition("unknown", SETS[0].shares)) == 0.0
    other.restore({})
    assert other.of(SETS[2]) == -0.25
