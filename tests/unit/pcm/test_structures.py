"""Starting structures have the density, composition, distances and symmetry they promise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from vesin import NeighborList

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures import crystal, random_packing


def distances(atoms, cutoff):
    return NeighborList(cutoff=cutoff, full_list=True).compute(
        points=atoms.positions, box=atoms.cell.array, periodic=True, quantities="d"
    )[0]


@pytest.mark.parametrize("form", ["rocksalt", "rhombohedral"])
def test_crystal_has_the_density_and_composition_asked_for(form):
    atoms = crystal("GeTe", 500, form, density_per_A3=0.034)
    assert len(atoms) == 512
    assert_allclose(len(atoms) / atoms.get_volume(), 0.034)
    assert atoms.get_chemical_symbols().count("Ge") == 256


def test_rocksalt_has_six_unlike_neighbors_at_half_the_edge():
    atoms = crystal("GeTe", 64, "rocksalt")
    edge = atoms.cell.lengths()[0] / 2
    found = np.sort(distances(atoms, 0.6 * edge))
    assert_allclose(found, edge / 2)
    assert len(found) == 6 * 64


def test_rhombohedral_has_three_short_and_three_long_bonds():
    atoms = crystal("GeTe", 64, "rhombohedral")
    found = np.sort(distances(atoms, 3.5))
    assert len(found) == 6 * 64
    assert_allclose(found[: 3 * 64], found[0])
    assert_allclose(found[3 * 64 :], found[-1])
    # Goldak et al. find 2.84 and 3.16 A, at 0.0372 atoms/A^3.
    scale = (0.0337 / 0.0372) ** (1 / 3)
    assert_allclose([found[0] * scale, found[-1] * scale], [2.84, 3.16], atol=0.03)


def test_random_packing_keeps_its_distance_and_its_seed():
    atoms = random_packing("GeTe", 301, min_distance_A=2.5, seed=3)
    assert len(atoms) == 302
    assert distances(atoms, 4.0).min() >= 2.5
    assert_allclose(len(atoms) / atoms.get_volume(), 0.0337)
    assert_allclose(random_packing("GeTe", 301, min_distance_A=2.5, seed=3).positions, atoms.positions)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: crystal("GeTf", 64), "known materials: .*GeTe"),
        (lambda: crystal("GeTe", 64, "cubic"), "rocksalt"),
        (lambda: crystal("GeTe", 0), "at least one"),
        (lambda: crystal("GeTe", 64, density_per_A3=34.0), "density"),
        (lambda: random_packing("GeTe", 8, min_distance_A=3.9), "do not fit"),
    ],
)
def test_impossible_structures_say_why(build, message):
    with pytest.raises(PcmError, match=message):
        build()


def test_jammed_packing_gives_up(monkeypatch):
    monkeypatch.setattr("nvnmd.pcm.structures.packing.PACKING_ATTEMPTS", 200)
    with pytest.raises(PcmError, match=r"of 400 spheres 3\.2 A apart"):
        random_packing("GeTe", 400, min_distance_A=3.2)
