"""Neighbor lists, switch, scales and guard."""

import itertools

import numpy as np
import pytest
from small_models import TRICLINIC, random_frame

from nvnmd.training.environment import environment_scales, smooth_step, switch
from nvnmd.training.errors import NvnmdError
from nvnmd.training.guard import Guard
from nvnmd.training.neighbors import GeometryError, find_pairs


def brute_force_pairs(positions, cell, cutoff, reach):
    found = []
    for shift in itertools.product(range(-reach, reach + 1), repeat=3):
        for i, j in itertools.product(range(len(positions)), repeat=2):
            vector = positions[j] + np.array(shift) @ cell - positions[i]
            if 0 < np.linalg.norm(vector) < cutoff:
                found.append((i, j, *np.round(vector, 9)))
    return sorted(found)


@pytest.mark.parametrize(("scale", "n_atoms"), [(1.0, 8), (0.4, 1), (0.5, 2)])
def test_pairs_are_those_of_a_double_loop_over_images(scale, n_atoms):
    positions, cell, _ = random_frame(n_atoms, cell=TRICLINIC * scale, closest=1.0)
    positions[0] += 2 * cell[1] - cell[2]  # outside the cell
    pairs = find_pairs(positions, cell, 5.0)
    found = [
        (int(i), int(j), *np.round(v, 9)) for i, j, v in zip(pairs.centers, pairs.neighbors, pairs.vectors, strict=True)
    ]
    assert sorted(found) == brute_force_pairs(positions, cell, 5.0, reach=7)


def test_reverse_is_the_same_pair_from_the_other_end():
    pairs = find_pairs(*random_frame(3, cell=TRICLINIC * 0.5, closest=1.2)[:2], 6.0)
    assert pairs.distances.size > 100
    back = pairs.reverse
    np.testing.assert_array_equal(back[back], np.arange(back.size))
    np.testing.assert_array_equal(pairs.centers[back], pairs.neighbors)
    np.testing.assert_allclose(pairs.vectors[back], -pairs.vectors, atol=1e-12)


@pytest.mark.parametrize(
    ("positions", "cell", "message"),
    [
        ([[0, 0, 0], [0, np.nan, 0]], np.eye(3) * 9, "position of atom 8"),
        ([[0, 0, 0], [0, 0, 9.0]], np.eye(3) * 9, "atoms [78] and [78] are"),
        ([[0, 0, 0], [0, 0, 1]], np.zeros((3, 3)), "has no volume"),
    ],
)
def test_bad_geometry_is_named(positions, cell, message):
    with pytest.raises(GeometryError, match=rf"melt, frame 3: .*{message}"):
        find_pairs(np.array(positions, dtype=float), cell, 5.0, name="melt, frame 3", atom_ids=np.array([7, 8]))


def test_switch_is_inverse_distance_then_falls_to_zero():
    r = np.array([0.5, 1.9, 2.0, 4.0, 5.999999, 6.0, 8.0])
    s, ds = switch(r, 2.0, 6.0)
    np.testing.assert_allclose(s[:3], 1 / r[:3])
    assert s[3] == pytest.approx(0.5 / 4.0)  # the quintic is 1/2 in the middle
    assert abs(s[4]) < 1e-15
    assert not s[5:].any()
    assert not ds[5:].any()


def test_slopes_are_derivatives():
    r = np.linspace(1.0, 6.5, 40)
    for function in (lambda x: switch(x, 2.0, 6.0), lambda x: smooth_step(x, 2.0, 6.0)):
        numerical = (function(r + 1e-6)[0] - function(r - 1e-6)[0]) / 2e-6
        np.testing.assert_allclose(function(r)[1], numerical, atol=1e-8)


@pytest.mark.parametrize("shared", [False, True])
def test_scales_are_standard_deviations_over_all_places(shared):
    """Against the definition: rows of every place, empty ones as zeros, angular mean and square over components."""
    positions, cell, types = random_frame(9, seed=2)
    pairs = find_pairs(positions, cell, 5.0)
    s, _ = switch(pairs.distances, 2.0, 5.0)
    table = np.zeros((9, 60, 4))
    for i in range(9):
        mine = pairs.centers == i
        rows = np.column_stack([s[mine], s[mine, None] * pairs.vectors[mine] / pairs.distances[mine, None]])
        table[i, : len(rows)] = rows
    radial, angular = environment_scales([(pairs, types)], 3, 60, 2.0, 5.0, shared)
    for kind in (0, 1):
        places = table.reshape(-1, 4) if shared else table[types == kind].reshape(-1, 4)
        assert radial[kind] == pytest.approx(places[:, 0].std())
        assert angular[kind] == pytest.approx(places[:, 1:].std())
    assert radial[2] == pytest.approx(radial[:2].mean())  # a type without atoms


def test_guard_repels_and_is_smooth():
    guard = Guard.for_elements(["Ge", "Te"])
    assert guard.r_out[0, 1] == pytest.approx(0.8 * (1.20 + 1.38))
    zero, one = np.zeros(60, dtype=int), np.ones(60, dtype=int)
    r = np.linspace(0.3, 2.5, 60)
    energy, slope = guard.energy(r, zero, one)
    assert (np.diff(energy) <= 0).all()
    assert energy[0] > 100
    assert not energy[r >= guard.r_out[0, 1]].any()
    numerical = (guard.energy(r + 1e-6, zero, one)[0] - guard.energy(r - 1e-6, zero, one)[0]) / 2e-6
    np.testing.assert_allclose(slope, numerical, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(energy, guard.energy(r, one, zero)[0])


def test_guard_approaches_bare_coulomb_between_nuclei():
    guard = Guard.for_elements(["H", "He"])
    r = np.array([1e-5])
    assert guard.energy(r, np.array([0]), np.array([1]))[0][0] == pytest.approx(14.39964548 * 2 / 1e-5, rel=1e-3)


def test_guard_needs_elements():
    with pytest.raises(NvnmdError, match=r"'Xq' is not a chemical element.*nvnmd\.guard"):
        Guard.for_elements(["Ge", "Xq"])
