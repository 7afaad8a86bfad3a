"""Two materials one above the other."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from nvnmd.learn.builders import build
from nvnmd.learn.builders.packings import pair_distances
from nvnmd.learn.errors import LearnError
from nvnmd.learn.items import for_elements, parse_items
from nvnmd.learn.loop import _item_placed

GETE = {"build": "rocksalt", "composition": "GeTe", "edge_A": 6.0, "repeats": [1, 1, 2]}
GLASS = {"build": "random", "composition": "SiO2", "atoms": 12, "base_A": [6.1, 6.1], "volume_A3": [16, 20]}


def test_both_materials_stand_apart_in_one_cell() -> None:
    for atoms in build("interface", 4, 3, below=GETE, above=GLASS, gap_A=2.4):
        lower = np.isin(atoms.get_chemical_symbols(), ["Ge", "Te"])
        assert (lower.sum(), (~lower).sum()) == (16, 12)
        z = atoms.positions[:, 2]
        assert sorted(set(np.round(z[lower] - z.min(), 6))) == [0, 3, 6, 9]
        assert z[~lower].min() - z[lower].max() == pytest.approx(2.4)
        assert z[lower].min() + atoms.cell.array[2, 2] - z[~lower].max() == pytest.approx(2.4)
        np.testing.assert_allclose(atoms.cell.array[:2], [[6, 0, 0], [0, 6, 0]])
        assert atoms.pbc.all()
        least = pair_distances(atoms.get_chemical_symbols(), None)
        assert (atoms.get_all_distances(mic=True)[np.ix_(lower, ~lower)] >= least[np.ix_(lower, ~lower)]).all()


def test_a_seed_decides_every_digit_and_each_one_is_another() -> None:
    first, again, other = (build("interface", 2, seed, below=GETE, above=GLASS) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[1].positions, again[1].positions)
    assert not np.array_equal(first[0].positions, other[0].positions)
    assert not np.array_equal(first[0].positions, first[1].positions)


def test_strain_and_displacements_act_on_the_whole() -> None:
    still, moved = (build("interface", 1, 1, below=GETE, above=GLASS, displace_A=shift)[0] for shift in (0.0, 0.1))
    assert np.abs(moved.positions - still.positions).max() > 0.1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"above": GETE | {"edge_A": 6.6}}, "strained by 9.1 %; choose other repeats"),
        ({"above": {"build": "random", "composition": "SiO2", "atoms": 9}}, "does not stand upright"),
        ({"below": {"composition": "GeTe"}}, "name a builder below and above"),
        ({"above": GETE, "gap_A": 0.3}, "comes too close at a gap of 0.3 A; raise gap_A"),
    ],
)
def test_what_does_not_fit_says_so(changes: dict, said: str) -> None:
    with pytest.raises(LearnError, match=said):
        build("interface", 1, 1, **({"below": GETE, "above": GLASS} | changes))


def test_a_sheared_lattice_keeps_its_angle_in_the_plane(tmp_path) -> None:
    cell = [[4.2, 0, 0], [-2.1, 3.637, 0], [0, 0, 8.0]]
    write(tmp_path / "hexagonal.extxyz", Atoms("Sb2", [[0, 0, 0], [0, 0, 3.0]], cell=cell, pbc=True))
    layers = {"build": "file", "path": str(tmp_path / "hexagonal.extxyz")}
    atoms = build("interface", 1, 1, below=layers, above=layers, gap_A=3.0)[0]
    np.testing.assert_allclose(atoms.cell.array, [*cell[:2], [0, 0, 12.0]])


def test_items_know_what_an_interface_is_made_of() -> None:
    (item,) = parse_items([{"build": "interface", "below": GETE, "above": GLASS}])
    assert for_elements([item], ["Ge", "Te"]) == ()
    assert for_elements([item], ["Ge", "Te", "Si", "O"])[0].options["above"]["composition"] == "SiO2"
    with pytest.raises(LearnError, match="item 1: builder rocksalt has no option 'edge'"):
        parse_items([{"build": "interface", "below": GETE | {"edge": 6}, "above": GLASS}])


@pytest.mark.parametrize("base", [[8.0], [8.0, 0.0]])
def test_a_base_is_two_edges(base: list[float]) -> None:
    with pytest.raises(LearnError, match="give two edges in A"):
        build("random", 1, 1, composition="GeTe", base_A=base)


def test_a_base_leaves_the_height_to_the_volume() -> None:
    for atoms in build("random", 3, 2, composition="Ge2Sb2Te5", atoms=18, volume_A3=[30, 34], base_A=[8.5, 7.0]):
        np.testing.assert_allclose(atoms.cell.array, np.diag([8.5, 7.0, atoms.get_volume() / 59.5]))
        assert 30 <= atoms.get_volume() / 18 <= 34


def test_files_of_both_materials_are_found_beside_the_settings() -> None:
    slab = {"build": "file", "path": "slab.extxyz"}
    item = {"build": "hold", "start": {"build": "interface", "below": slab, "above": GLASS}}
    found = _item_placed(item, lambda path: f"/there/{path}")
    assert found["start"]["below"]["path"] == "/there/slab.extxyz"
    assert slab["path"] == "slab.extxyz"
