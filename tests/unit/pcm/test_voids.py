"""Voids: crystals without any, a vacancy, and an empty sphere of known volume across the cell's corner."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.analysis import find_voids
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot


def without(frame, keep):
    return Snapshot(frame.positions[keep], frame.cell, frame.symbols[keep])


def test_a_dense_crystal_has_none(lattice):
    found = find_voids(lattice("sc", 5, 3.0))
    assert (found.fraction, len(found.volumes_A3)) == (0, 0)
    # The middle of a cube is the farthest point; a grid point is at most half the diagonal of a voxel from it.
    assert 0 <= 1.5 * np.sqrt(3) - found.largest_radius_A <= 0.5 * np.sqrt(3) * found.spacing_A + 1e-4


def test_a_vacancy_is_one_void_as_far_from_atoms_as_its_neighbors(lattice):
    frame = lattice("sc", 5, 3.0)
    found = find_voids(without(frame, np.arange(125) != 62), spacing_A=0.5)
    assert len(found.volumes_A3) == 1
    assert_allclose(found.largest_radius_A, 3.0, atol=1e-3)


def test_an_empty_sphere_at_the_corner_is_one_void_of_its_volume(lattice):
    frame = lattice("sc", 20, 1.5)
    offset = frame.positions - 30 * np.round(frame.positions / 30)
    found = find_voids(without(frame, np.linalg.norm(offset, axis=1) > 9.0), distance_A=2.8, spacing_A=0.75)
    assert len(found.volumes_A3) == 1
    assert_allclose(found.volumes_A3[0], found.fraction * 30**3)
    # Points 2.8 A inside the atoms that stand around the sphere, whose nearest ones are 9 to 10 A from its center.
    assert 4 / 3 * np.pi * (9.0 - 2.8) ** 3 < found.volumes_A3[0] < 4 / 3 * np.pi * (10.2 - 2.8) ** 3
    assert 9.0 <= found.largest_radius_A < 10.0


def test_two_voids_are_two(lattice):
    frame = lattice("sc", (10, 5, 5), 3.0)
    found = find_voids(without(frame, ~np.isin(np.arange(250), [31, 187])), spacing_A=0.5)
    assert len(found.volumes_A3) == 2
    assert_allclose(*found.volumes_A3)


def test_a_coarse_grid_is_refused(lattice):
    with pytest.raises(PcmError, match="finer"):
        find_voids(lattice("sc", 3, 3.0), spacing_A=3.0)
