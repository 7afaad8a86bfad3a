"""Tables: accuracy, continuity, and slopes that are derivatives of the values."""

import numpy as np
import pytest

from nvnmd.quantize.choose import CompileOptions, sample_tables
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.nodes import fraction_bits, parabola, segment_nodes, tanh_coefficients
from nvnmd.quantize.piecewise import narrow, wide
from nvnmd.quantize.reference import tanh_table
from nvnmd.quantize.testing import random_spec

T = np.arange(0, 1 << 15, 7)


def test_the_parabola_goes_through_both_ends_and_the_middle() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 3))
    c0, c1, c2 = parabola(*values.T)
    for k, t in enumerate((0.0, 0.5, 1.0)):
        assert np.allclose(c0 + t * (c1 + t * c2), values[:, k])


def test_nodes_of_neighboring_segments_coincide() -> None:
    nodes = segment_nodes(9, 2, 0.125)
    assert nodes.shape == (7, 3)
    assert nodes[0, 0] == 0.25
    assert (nodes[:-1, 2] == nodes[1:, 0]).all()


def test_fraction_bits_are_the_largest_that_fit() -> None:
    for peak in (0.3, 1.0, 7.9, 123.4):
        frac = fraction_bits(peak, 32767, 30)
        assert peak * 2.0**frac <= 32766 < peak * 2.0 ** (frac + 1)
    assert fraction_bits(0.0, 32767, 11) == 11
    with pytest.raises(ValueError, match="not finite"):
        fraction_bits(float("nan"), 32767, 11)


def test_scalar_tables_are_accurate_to_a_few_units(model: IntegerModel) -> None:
    f, spec = model.formats, random_spec(1, m1=8, m2=2, neuron=(16, 16))
    for seg in (model.u_min >> 15, 100, 200, model.n_seg - 2):
        r = np.sqrt((seg + T * 2.0**-15) * 2.0**-f.seg_frac)
        for row, frac, shift, function in (
            (0, f.s_frac, f.s_shift, spec.radial[0]),
            (1, f.h_frac, f.h_shift, spec.angular[0]),
        ):
            value, _ = wide(*model.scalar_coef[0, seg, row].astype(np.int64), T, shift)
            exact = spec.kappa * function(r)
            assert np.abs(value * 2.0**-frac - exact).max() < 2e-4 * np.abs(exact).max() + 3 * 2.0**-frac


def test_feature_tables_are_accurate_to_a_few_units(model: IntegerModel) -> None:
    f, spec = model.formats, random_spec(1, m1=8, m2=2, neuron=(16, 16))
    for seg in (model.u_min >> 15, 100, 200, model.n_seg - 2):
        r = np.sqrt((seg + T * 2.0**-15) * 2.0**-f.seg_frac)
        c0, c1, c2 = model.feature_coef[3, seg].astype(np.int64)[:, None, :]
        value, _ = narrow(c0, c1, c2, T[:, None], f.feature_shift)
        # The narrow form drops the last `shift` bits of t: one unit of value, besides the rounding of three words.
        assert np.abs(value * 2.0**-f.feature_frac - spec.features[3](r)).max() < 4 * 2.0**-f.feature_frac


@pytest.mark.parametrize("row", [0, 1])
def test_scalar_tables_are_continuous(model: IntegerModel, row: int) -> None:
    shift = (model.formats.s_shift, model.formats.h_shift)[row]
    coef = model.scalar_coef[0, model.u_min >> 15 :, row].astype(np.int64)
    end, _ = wide(*coef[:-1].T, np.full(len(coef) - 1, 32767), shift)
    step = np.abs(coef[:-1, 1] + 2 * coef[:-1, 2]) >> (15 + shift)
    assert (np.abs(end - coef[1:, 0]) <= step + 3).all()


def test_slopes_are_derivatives_of_values(model: IntegerModel) -> None:
    f = model.formats
    coef = model.scalar_coef[0, 120, 0].astype(np.int64)
    low, _ = wide(*coef, T[:-64], f.s_shift)
    high, _ = wide(*coef, T[64:], f.s_shift)
    _, slope = wide(*coef, (T[:-64] + T[64:]) // 2, f.s_shift)
    rise = (high - low) * 2.0**-f.s_frac / ((T[64:] - T[:-64]) * 2.0**-15)
    assert np.abs(rise - slope * 2.0 ** -(f.s_frac + f.s_shift)).max() < 2 * 2.0**-f.s_frac / (64 * 7 * 2.0**-15)


def test_sampled_tables_have_a_guard_per_pair_of_types() -> None:
    nodes = sample_tables(random_spec(0), CompileOptions())
    assert nodes.guard.shape[0] == 3
    assert nodes.features.shape[1:3] == nodes.radial.shape[1:] == nodes.angular.shape[1:]
    assert sample_tables(random_spec(0, guard=False), CompileOptions()).guard.shape == (1, 0, 3)


def test_tanh_is_odd_and_accurate(model: IntegerModel) -> None:
    f = model.formats
    z = np.arange(-32767, 32768)
    act, slope = tanh_table(model, z)
    exact = np.tanh(z * 2.0**-f.z_frac)
    assert (act == -act[::-1]).all()
    assert (slope == slope[::-1]).all()
    assert act[32767] == 0
    assert np.abs(act * 2.0 ** -f.act_frac[1] - exact).max() < 1.5 * 2.0 ** -f.act_frac[1]
    assert np.abs(slope * 2.0**-15 - (1 - exact**2)).max() < 4e-3
    assert slope.max() <= 32767


def test_tanh_rises_everywhere_and_ends_flat(model: IntegerModel) -> None:
    act, slope = tanh_table(model, np.arange(32768))
    assert (np.diff(act) >= -1).all()  # where segments meet, their roundings may differ by a unit
    assert (slope >= 0).all()
    # Clamped inputs keep the value of the end; a slope there would be a force without an energy.
    assert slope[-1] <= 4


@pytest.mark.parametrize("act_frac", [12, 13, 14])
@pytest.mark.parametrize("seg_bits", [8, 9])
def test_every_tanh_table_fits_its_words(act_frac: int, seg_bits: int) -> None:
    coef = tanh_coefficients(act_frac, 13, seg_bits, 15 - act_frac + 13 - seg_bits).astype(np.int64)
    assert coef.shape == (1 << (15 - seg_bits), 3)
    assert max(np.abs(coef[:, 1]).max(), np.abs(coef[:, 1] + 2 * coef[:, 2]).max()) <= 32767
