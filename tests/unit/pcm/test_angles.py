"""Angles, tetrahedral order and ALTBC: polyhedra and crystals with known answers, and loops as a second way."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.analysis import Altbc, altbc, angle_distribution, tetrahedral_order
from nvnmd.pcm.analysis.angles import tetrahedral_q
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures import crystal
from nvnmd.pcm.trajectory import Snapshot

OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)


def molecule(directions, length=2.8):
    """A Ge atom with Te ligands in a large cell."""
    positions = np.concatenate([np.zeros((1, 3)), directions * length]) + 10
    return Snapshot(positions, np.eye(3) * 20, np.array(["Ge"] + ["Te"] * len(directions)))


def cosines(directions):
    return np.array([[a @ b for a, b in combinations(directions, 2)]])


@pytest.mark.parametrize(
    ("directions", "q"),
    [(TETRAHEDRON, 1), (OCTAHEDRON, 0), (OCTAHEDRON[:5], 1 / 3), (OCTAHEDRON[[0, 1, 3, 4]], 1 / 2),
     (OCTAHEDRON[[0, 1, 2, 3]], 5 / 8), (OCTAHEDRON[:3], 7 / 8)],
)  # fmt: skip
def test_order_parameter_of_polyhedra(directions, q):
    assert_allclose(tetrahedral_q(cosines(directions)), q, atol=1e-12)


def test_diamond_is_tetrahedral_and_a_defective_octahedron_is_not(lattice):
    found = tetrahedral_order([lattice("diamond", 3, 5.66)], cutoffs=2.7)
    assert found.fraction == 1
    assert_allclose(found.density[4].sum() * (found.q[1] - found.q[0]), 1)
    assert tetrahedral_order([molecule(OCTAHEDRON[:4])]).fraction == 0
    assert tetrahedral_order([molecule(TETRAHEDRON)]).fraction == 1
    with pytest.raises(PcmError, match="no frame has an atom of Sb"):
        tetrahedral_order([molecule(TETRAHEDRON)], "Sb")


def test_three_fold_atoms_are_never_tetrahedral():
    assert tetrahedral_order([molecule(TETRAHEDRON[:3])]).fraction == 0


def test_angles_of_diamond_and_rocksalt(lattice):
    diamond = angle_distribution([lattice("diamond", 3, 5.66)], 2.7)
    assert diamond.angle_deg[np.argmax(diamond.density["Ge"])] == 109.5
    assert_allclose(diamond.density["Ge"].sum(), 1)
    salt = angle_distribution([lattice("rocksalt", 3, 6.0, ("Ge", "Te"), noise=1e-4)], 3.5)
    right = abs(salt.angle_deg - 90) < 1
    straight = salt.angle_deg > 178
    assert_allclose([salt.density["Te"][right].sum(), salt.density["Te"][straight].sum()], [12 / 15, 3 / 15])


def loops(snapshot, low, high, bins):
    """ALTBC by explicit loops over the minimum images."""
    edges = np.linspace(low, high, bins + 1)
    counts = np.zeros((bins, bins))
    lengths = np.diag(snapshot.cell)
    for center in snapshot.positions:
        delta = snapshot.positions - center
        delta -= lengths * np.round(delta / lengths)
        distance = np.linalg.norm(delta, axis=1)
        near = np.flatnonzero((distance > 0) & (distance <= high))
        for a in near:
            for b in near:
                angle = np.degrees(np.arccos(np.clip(delta[a] @ delta[b] / distance[a] / distance[b], -1, 1)))
                if a != b and angle > 150:
                    counts += np.histogram2d([distance[a]], [distance[b]], (edges, edges))[0]
    return counts


def test_altbc_is_that_of_loops(gas):
    frame = gas(120, 14.0, seed=4)
    expected = loops(frame, 2.4, 4.0, 8)
    found = altbc([frame], bins=8)
    assert found.pairs == expected.sum() / 2
    assert_allclose(found.density * expected.sum() * 0.2**2, expected, atol=1e-9)
    assert_allclose(found.density, found.density.T)


def test_altbc_tells_a_peierls_distortion_from_a_cubic_crystal():
    frames = {}
    for form in ("rocksalt", "rhombohedral"):
        atoms = crystal("GeTe", 216, form)
        noise = np.random.default_rng(0).normal(0, 0.02, (len(atoms), 3))
        frames[form] = Snapshot(atoms.positions + noise, atoms.cell.array, np.array(atoms.get_chemical_symbols()))
    cubic, distorted = (altbc([frames[form]]) for form in ("rocksalt", "rhombohedral"))
    assert_allclose(cubic.peak(), 3.095, atol=0.03)
    assert_allclose(distorted.peak(), [2.93, 3.26], atol=0.04)
    assert cubic.peierls_ratio < 1.02 < 1.09 < distorted.peierls_ratio
    # Every atom has three straight triplets in both.
    assert cubic.pairs == distorted.pairs == 3 * 216


def test_altbc_of_chosen_centers_and_of_nothing():
    frame = molecule(OCTAHEDRON)
    assert altbc([frame], centers=["Ge"]).pairs == 3
    with pytest.raises(PcmError, match="no ALTBC"):
        altbc([frame], centers=["Te"])


def test_a_ridge_up_to_the_second_neighbors_is_no_peak():
    r = np.linspace(2.41, 3.99, 80)
    short, long = np.meshgrid(r, r, indexing="ij")

    def made(center, width):
        one = np.exp(-(((short - 2.75) / 0.08) ** 2) - ((long - center) / width) ** 2)
        # Where second neighbors begin there is more than at any peak.
        density = one + one.T + 3 * ((short > 3.7) & (long > 3.7))
        return Altbc(r, density, 1000, 1)

    assert_allclose(made(3.2, 0.1).peak(), [2.75, 3.2], atol=0.03)
    assert made(3.2, 0.1).has_peak
    assert not made(3.9, 0.6).has_peak
