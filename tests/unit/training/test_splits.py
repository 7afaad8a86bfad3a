"""Held-out parts are whole systems or contiguous blocks, and never share a frame with the rest."""

import frame_writers as w
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvnmd.training.splits import SplitError, hold_out_blocks, hold_out_systems, k_folds


def systems(sizes):
    """Systems whose energies number the frames, so that each frame can be told from all others."""
    made = [w.small_system(n, name=f"set/{k}") for k, n in enumerate(sizes)]
    return [
        w.small_system(s.n_frames, name=s.name, energies=100.0 * k + np.arange(s.n_frames)) for k, s in enumerate(made)
    ]


def frames(parts):
    return [float(e) for s in parts for e in s.energies]


def test_by_name():
    split = hold_out_systems(systems([2, 3, 4]), ["set/1", "*/2"])
    assert [s.name for s in split.train] == ["set/0"]
    assert [s.name for s in split.held_out] == ["set/1", "set/2"]


def test_by_name_that_matches_nothing():
    with pytest.raises(SplitError, match="no system matches 'melt'; the names are set/0"):
        hold_out_systems(systems([2]), ["melt"])


def test_by_name_leaves_something_to_train_on():
    with pytest.raises(SplitError, match="every system is held out"):
        hold_out_systems(systems([2, 2]), ["*"])


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    fraction=st.floats(0.05, 0.9),
    gap=st.integers(0, 3),
)
def test_blocks_are_contiguous_and_apart(sizes, fraction, gap):
    given_systems = systems(sizes)
    try:
        split = hold_out_blocks(given_systems, fraction, gap)
    except SplitError:
        assert all(round(n * fraction + 1e-9) == 0 or n - round(n * fraction + 1e-9) - gap < 1 for n in sizes)
        return
    train, held_out = frames(split.train), frames(split.held_out)
    assert not set(train) & set(held_out)
    for part in (*split.train, *split.held_out):
        assert (np.diff(part.energies) == 1).all()
    for part in split.held_out:
        block = [e for e in train if e // 100 == part.energies[0] // 100]
        assert part.energies[0] - max(block) == gap + 1
    dropped = len(split.held_out) * gap
    assert len(train) + len(held_out) + dropped == sum(sizes)


def test_blocks_name_their_frames():
    split = hold_out_blocks(systems([10]), 0.2, gap=1)
    assert split.train[0].name == "set/0[0:7]"
    assert split.held_out[0].name == "set/0[8:10]"


def test_short_systems_are_trained_on_in_full():
    split = hold_out_blocks(systems([2, 10]), 0.2)
    assert [s.n_frames for s in split.train] == [2, 8]
    assert [s.name for s in split.held_out] == ["set/1[8:10]"]


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.2])
def test_fraction_out_of_range(fraction):
    with pytest.raises(SplitError, match="between 0 and 1"):
        hold_out_blocks(systems([10]), fraction)


def test_nothing_to_hold_out():
    with pytest.raises(SplitError, match="no frame can be held out"):
        hold_out_blocks(systems([3, 4]), 0.1)


@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=8), k=st.integers(2, 8), seed=st.integers(0, 5))
def test_every_system_is_held_out_once(sizes, k, seed):
    given_systems = systems(sizes)
    if k > len(sizes):
        with pytest.raises(SplitError):
            k_folds(given_systems, k, seed)
        return
    folds = k_folds(given_systems, k, seed)
    assert sorted(s.name for fold in folds for s in fold.held_out) == sorted(s.name for s in given_systems)
    for fold in folds:
        assert fold.train
        assert fold.held_out
        assert len(fold.train) + len(fold.held_out) == len(sizes)
    held = [sum(s.n_frames for s in fold.held_out) for fold in folds]
    assert max(held) - min(held) <= max(sizes)


def test_folds_need_two():
    with pytest.raises(SplitError, match="3 systems cannot be split"):
        k_folds(systems([1, 1, 1]), 1)
