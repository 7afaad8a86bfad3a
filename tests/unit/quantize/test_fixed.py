"""Rounding and saturation: the primitives that every backend shares."""

from fractions import Fraction
from math import floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nvnmd.quantize.fixed import clamp, limit, rnd, sat

integers = st.integers(-(2**47), 2**47)
shifts = st.integers(0, 40)
widths = st.integers(2, 32)


@given(integers, shifts)
def test_rnd_is_the_nearest_integer_half_up(value: int, shift: int) -> None:
    assert rnd(value, shift) == floor(Fraction(value, 2**shift) + Fraction(1, 2))


@given(integers, shifts)
def test_rnd_is_the_same_for_int64_and_python_integers(value: int, shift: int) -> None:
    assert int(rnd(np.array([value]), shift)[0]) == rnd(value, shift)
    assert rnd(np.array([value], dtype=object), shift)[0] == rnd(value, shift)


@given(integers, shifts)
def test_rnd_agrees_with_doubles(value: int, shift: int) -> None:
    # What quantization-aware training does: exact while the value has fewer than 53 bits.
    assert int(np.floor(value * 2.0**-shift + 0.5)) == rnd(value, shift)


def test_halves_go_up_on_both_sides_of_zero() -> None:
    assert [rnd(v, 1) for v in (-3, -2, -1, 0, 1, 2, 3)] == [-1, -1, 0, 0, 1, 1, 2]
    assert [rnd(v, 2) for v in (-6, -2, 2, 6)] == [-1, 0, 1, 2]


def test_a_negative_shift_multiplies_and_zero_does_nothing() -> None:
    assert rnd(-3, -2) == -12
    assert rnd(-3, 0) == -3


@given(integers, widths)
def test_sat_is_symmetric_and_counts_only_what_it_changes(value: int, bits: int) -> None:
    word, mask = sat(np.array([value, -value]), bits)
    assert word[0] == -word[1]
    assert abs(int(word[0])) <= limit(bits) == 2 ** (bits - 1) - 1
    assert mask.tolist() == [int(word[0]) != value] * 2
    assert clamp(np.array([value]), bits)[0] == word[0]


def test_minus_one_step_beyond_the_limit_is_clipped() -> None:
    word, mask = sat(np.array([-32768, -32767, 32767, 32768]), 16)
    assert word.tolist() == [-32767, -32767, 32767, 32767]
    assert mask.tolist() == [True, False, False, True]
