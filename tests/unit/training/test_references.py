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
    references.fit(SETS, [0.1, 0.2, 0.3])
    assert not references.values["first"].any()
    assert references.values["second"][:2].all()
    assert references.values["second"][2] == 0


@pytest.mark.parametrize("sets", [SETS[:1], [SETS[1], Composition("third", np.array([0.0, 1.0, 0.0]))]])
def test_sets_without_common_elements_have_nothing_to_learn(sets):
    assert not References(sets).moving


def test_constants_fit_the_errors_of_a_model_that_stays():
    references, wanted = References(SETS), np.array([0.3, -0.2, 0.0])
    references.fit(SETS, [0.7, *(float(s.shares @ wanted) for s in SETS[1:])])
    np.testing.assert_allclose(references.values["second"], wanted, atol=1e-9)
    assert not references.values["first"].any()


def test_constants_and_model_are_fitted_together():
    model, off = np.array([0.1, 0.5, -0.2]), np.array([0.3, -0.2, 0.0])
    few = [*SETS, Composition("first", np.array([0.8, 0.2, 0.0])), Composition("second", np.array([0.0, 0.9, 0.1]))]
    references = References(few)
    errors = [float(s.shares @ (model + off * (s.dataset == "second"))) for s in few]
    np.testing.assert_allclose(references.fit(few, errors, model_moves=True), -model, atol=1e-9)
    np.testing.assert_allclose(references.values["second"], off, atol=1e-9)


def test_state_goes_there_and_back():
    references = References(SETS)
    references.restore({"second": [0.25, -0.5, 0.0]})
    other = References(SETS)
    other.restore(references.state())
    assert other.of(SETS[2]) == references.of(SETS[2]) == -0.25
    assert other.of(Composition("unknown", SETS[0].shares)) == 0.0
    other.restore({})
    assert other.of(SETS[2]) == -0.25
