"""Crystals of Sb and the Ge-Sb-Te compounds, defects, device cells and data files."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from vesin import NeighborList

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.regions import Box, Cylinder, Sphere
from nvnmd.pcm.structures import (
    confined,
    cross_point,
    crystal,
    material,
    mushroom,
    read_structure,
    with_antisites,
    write_data,
)
from nvnmd.pcm.structures import device as devices


def bonds(atoms, cutoff=3.9):
    i, j, d = NeighborList(cutoff=cutoff, full_list=True).compute(
        points=atoms.positions, box=atoms.cell.array, periodic=True, quantities="ijd"
    )
    return atoms.numbers[i], atoms.numbers[j], d


@pytest.mark.parametrize(
    ("name", "form", "expected"),
    [
        ("Sb", "a7", [2.908, 3.355]),
        ("GeTe", "trigonal", [2.840, 3.170]),
        ("Sb2Te3", "trigonal", [2.95, 3.18, 3.78]),
        ("GeSb2Te4", "trigonal", [2.95, 2.97, 3.15, 3.69]),
        ("Ge2Sb2Te5", "trigonal", [2.89, 2.97, 3.04, 3.14, 3.69]),
    ],
)
def test_layered_crystals_have_octahedral_neighbors_and_gaps(name, form, expected):
    atoms = crystal(name, repeats=(3, 2, 2), form=form)
    first, second, d = bonds(atoms)
    assert len(d) == 6 * len(atoms)
    # The stacking is right: no neighbor at any other distance.
    assert abs(d[:, None] - np.array(expected)).min(axis=1).max() < 0.01
    if name == "GeTe":
        assert (first != second).all()
    elif name != "Sb":
        # Like atoms meet only across the gap, Te to Te.
        like = (first == 52) == (second == 52)
        assert set(first[like].tolist()) == {52}
        assert (d[like] > 3.6).all()


@pytest.mark.parametrize("name", ["Sb2Te3", "GeSb2Te4", "Ge2Sb2Te5"])
def test_rocksalt_has_the_composition_with_vacancies_and_no_order(name):
    atoms = crystal(name, 900, "rocksalt", density_per_A3=0.032)
    chosen = material(name)
    counts = [atoms.get_chemical_symbols().count(e) for e in chosen.elements]
    assert_allclose(np.array(counts) / counts[-1], np.array(chosen.counts) / chosen.counts[-1])
    assert len(atoms) >= 900
    assert_allclose(len(atoms) / atoms.get_volume(), 0.032)
    first, second, _ = bonds(atoms, 3.2)
    assert ((first == 52) != (second == 52)).all()
    again, other = (crystal(name, 900, "rocksalt", density_per_A3=0.032, seed=s) for s in (0, 1))
    assert_array_equal(atoms.numbers, again.numbers)
    assert len(atoms) != len(other) or (atoms.positions != other.positions).any()


def test_shapes_are_nearly_cubic():
    for name, form in (("Sb", "a7"), ("Ge2Sb2Te5", "trigonal"), ("Ge2Sb2Te5", "rocksalt"), ("GeTe", "rocksalt")):
        sides = crystal(name, 1000, form).cell.lengths()
        assert sides.max() / sides.min() < 1.35
    assert len(crystal("GeTe", 4096)) == 4096


def test_antisites_keep_the_composition():
    atoms = crystal("GeTe", 216)
    changed = with_antisites(atoms, 5, "Ge", "Te")
    assert (atoms.numbers != changed.numbers).sum() == 10
    assert_array_equal(np.sort(atoms.numbers), np.sort(changed.numbers))
    with pytest.raises(PcmError, match="fewer"):
        with_antisites(atoms, 500, "Ge", "Te")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: crystal("Ge2Sb2Te5", repeats=(3, 3, 3)), "divide by 5"),
        (lambda: crystal("Sb", 100, "rocksalt"), "take 'a7'"),
        (lambda: crystal("GeTe", 100, "a7"), "'rocksalt' or 'rhombohedral' or 'trigonal'"),
        (lambda: crystal("GeTe", repeats=(3, 0, 3)), "at least 1"),
        (lambda: mushroom(repeats=(8, 5, 8), heater_A=35.0), "smaller"),
        (lambda: confined(sides="xq"), "name axes"),
        (lambda: confined(repeats=(3, 8, 8)), "leave no room along x"),
        (lambda: cross_point(repeats=(4, 3, 1), barrier_A=30), "does not fit"),
    ],
)
def test_cells_that_cannot_be_built(build, message):
    with pytest.raises(PcmError, match=message):
        build()


def test_published_sizes():
    assert np.prod(devices.CROSSPOINT_REPEATS) * 42 == 532_980
    assert np.prod(devices.MUSHROOM_REPEATS) * 7 == 22_400
    assert np.prod(devices.LARGE_MUSHROOM_REPEATS) * 7 == 794_808


def test_cross_point_has_a_disordered_barrier_and_the_crystal_below():
    device = cross_point(repeats=(6, 4, 1), barrier_A=8.0)
    plain = crystal("GeSb2Te4", repeats=(6, 4, 1), form="trigonal")
    assert sorted(device.atoms.get_chemical_symbols()) == sorted(plain.get_chemical_symbols())
    barrier = device.regions["barrier"].contains(device.atoms.positions)
    assert device.frozen == ("barrier",)
    assert 0.15 < barrier.mean() < 0.25
    assert bonds(device.atoms, 3.9)[2].min() > 2.39
    first, second, _ = bonds(device.atoms[barrier], 3.0)
    assert ((first == 52) == (second == 52)).any()
    below = device.atoms[~barrier]
    first, second, _ = bonds(below, 3.2)
    assert ((first == 52) != (second == 52)).all()


def test_mushroom_heater_is_a_half_cylinder():
    device = mushroom(heater_A=35.0)
    heated = device.regions["heater"].contains(device.atoms.positions).sum() / len(device.atoms)
    lx, ly, lz = device.atoms.cell.lengths()
    assert_allclose(heated * lx * ly * lz, 0.5 * np.pi * 35**2 * ly, rtol=0.05)
    fixed = device.regions["barrier"].contains(device.atoms.positions)
    assert len(np.unique(np.round(device.atoms.positions[fixed, 2], 3))) == 4


def test_confined_cell_has_walls():
    device = confined(repeats=(6, 6, 8), wall_A=6.1, sides="xy")
    assert device.frozen == ("wall_x", "wall_y")
    wall = np.any([device.regions[name].contains(device.atoms.positions) for name in device.frozen], axis=0)
    # Three of twelve layers along each axis.
    assert_allclose(wall.mean(), 1 - 0.75**2, atol=0.02)


def test_regions():
    points = np.array([[1.0, 2, 3], [4, 5, 6]])
    assert_array_equal(Box(z_A=(None, 4)).contains(points), [True, False])
    assert_array_equal(Cylinder(axis="z", center_A=(1, 2), radius_A=1).contains(points), [True, False])
    assert_array_equal(Sphere(center_A=(4, 5, 7), radius_A=1.1).contains(points), [False, True])
    with pytest.raises(ValueError, match="lower end first"):
        Box(x_A=(3, 1))


@pytest.mark.parametrize("atoms", [crystal("GeTe", 64, "rhombohedral"), crystal("GeTe", 64)])
def test_data_file_keeps_cell_distances_and_types(tmp_path, atoms):
    path = tmp_path / "start.data"
    write_data(path, atoms, ["Te", "Ge"])
    again = read_structure(path, ["Te", "Ge"])
    assert_array_equal(atoms.numbers, again.numbers)
    assert_allclose(atoms.cell.cellpar(), again.cell.cellpar(), atol=1e-6)
    assert_allclose(np.sort(bonds(atoms)[2]), np.sort(bonds(again)[2]), atol=1e-5)


def test_wrong_type_order_and_elements_are_refused(tmp_path):
    path = tmp_path / "start.data"
    write_data(path, crystal("GeTe", 64), ["Te", "Ge"])
    with pytest.raises(PcmError, match=r"type 1 has the mass 127\.6 \(that of Te\), but stands for Ge"):
        read_structure(path, ["Ge", "Te"])
    with pytest.raises(PcmError, match="only 1 elements"):
        read_structure(path, ["Te"])
    with pytest.raises(PcmError, match="not among the elements"):
        write_data(path, crystal("GeTe", 64), ["Te", "Sb"])
    crystal("GeTe", 64).write(tmp_path / "a.extxyz")
    with pytest.raises(PcmError, match="has Ge"):
        read_structure(tmp_path / "a.extxyz", ["Sb", "Te"])
    (tmp_path / "b.data").write_text("nothing\n")
    with pytest.raises(PcmError, match="cannot be read"):
        read_structure(tmp_path / "b.data", ["Ge", "Te"])
