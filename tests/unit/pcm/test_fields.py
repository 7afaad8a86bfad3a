"""Profiles and maps: gradients, energies and densities that are known beforehand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.analysis import atom_temperatures, density_profile, field_map, profile
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot


def heated(count=40_000, seed=0):
    """Atoms in a 40 x 30 x 60 A cell, moving as at 300 K at the bottom up to 900 K at the top."""
    from ase.data import atomic_masses, atomic_numbers

    generator = np.random.default_rng(seed)
    cell = np.diag([40.0, 30.0, 60.0])
    positions = generator.uniform(0, 1, (count, 3)) @ cell
    symbols = np.resize(["Ge", "Te"], count)
    mass = np.array([atomic_masses[atomic_numbers[s]] for s in symbols])
    temperature = 300 + 600 * positions[:, 2] / 60
    # k_B T / m in (A/ps)^2.
    width = np.sqrt(1.380649e-23 * temperature / (mass * 1.66053906660e-27)) * 1e-2
    # Atoms are stored outside the cell as well, as unwrapped positions are.
    outside = positions + generator.integers(-1, 2, (count, 3)) @ cell
    return Snapshot(outside, cell, symbols, 7, generator.normal(0, 1, (count, 3)) * width[:, None])


def test_profile_of_a_temperature_gradient():
    frame = heated()
    found = profile(frame, atom_temperatures(frame), "z", width_A=6.0)
    assert_allclose(found.value, 300 + 10 * found.position_A, rtol=0.06)
    assert found.atoms.sum() == 40_000


def test_map_of_a_temperature_gradient():
    frame = heated()
    found = field_map(frame, atom_temperatures(frame), ("x", "z"), spacing_A=4.0, smoothing_A=0)
    assert found.value.shape == (10, 15)
    middle = (found.edges_A[1][1:] + found.edges_A[1][:-1]) / 2
    assert_allclose(found.value.mean(axis=0), 300 + 10 * middle, rtol=0.06)
    smooth = field_map(frame, atom_temperatures(frame), ("x", "z"), 4.0, smoothing_A=6.0).value
    assert smooth.std(axis=0).mean() < 0.5 * found.value.std(axis=0).mean()


def test_smoothing_keeps_a_constant_and_holes_are_filled_or_nan():
    frame = heated(500)
    hole = Snapshot(frame.positions[frame.positions[:, 2] % 60 < 30], frame.cell, frame.symbols[:1])
    constant = field_map(hole, np.full(len(hole.positions), 7.0), smoothing_A=3.0)
    assert np.isnan(constant.value).any()
    assert_allclose(constant.value[~np.isnan(constant.value)], 7.0)


def test_an_open_axis_keeps_heat_from_going_around():
    frame = heated()
    hot = (frame.positions[:, 2] % 60 > 55).astype(float)
    around, kept = (field_map(frame, hot, smoothing_A=6.0, open_axes=axes).value[:, 0] for axes in ((), ("z",)))
    assert around.mean() > 0.1
    assert abs(kept).max() < 1e-6


def test_density_of_layers(lattice):
    found = density_profile(lattice("rocksalt", 5, 6.0, ("Ge", "Te")), "z", width_A=3.0)
    assert_allclose(found["Ge"].value, 4 / 216)
    assert_allclose(found["Te"].value, 4 / 216)


def test_bad_frames(lattice):
    frame = lattice("sc", 3, 3.0)
    with pytest.raises(PcmError, match="no velocities"):
        atom_temperatures(frame)
    tilted = Snapshot(frame.positions, frame.cell + np.array([[0, 0, 0], [2.0, 0, 0], [0, 0, 0]]), frame.symbols)
    with pytest.raises(PcmError, match="tilted"):
        profile(tilted, np.zeros(27))
