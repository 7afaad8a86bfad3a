"""The sampler: every frame once a round, weights, saved state."""

import numpy as np
import pytest

from nvnmd.training.sampler import Sampler, auto_batch_size


def test_every_frame_comes_once_a_round():
    sampler = Sampler([3, 4], 1, seed=0)
    rounds = [[sampler.next()[0] for _ in range(7)] for _ in range(3)]
    assert all(sorted(r) == list(range(7)) for r in rounds)
    assert rounds[0] != rounds[1]


def test_weights_choose_the_system():
    sampler = Sampler([2, 50], 4, seed=0, weights=[3, 1])
    drawn = np.array([sampler.next() for _ in range(500)]).ravel()
    assert np.mean(drawn < 2) == pytest.approx(0.75, abs=0.04)


@pytest.mark.parametrize("weights", [None, [1, 2]])
def test_a_restored_sampler_continues(weights):
    sampler = Sampler([5, 6], 3, seed=1, weights=weights)
    for _ in range(5):
        sampler.next()
    other = Sampler([5, 6], 3, seed=99, weights=weights)
    other.restore(sampler.state())
    assert [sampler.next() for _ in range(20)] == [other.next() for _ in range(20)]


@pytest.mark.parametrize(("atoms", "rule", "size"), [([64], "auto", 1), ([10], "auto", 4), ([64, 27], "auto:128", 5)])
def test_auto_batch_size(atoms, rule, size):
    assert auto_batch_size(atoms, rule) == size
