"""Neighbors and bonds: lattices with known coordination, and vesin as a second implementation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from vesin import NeighborList

from nvnmd.pcm.analysis import bond_statistics, pair_cutoffs
from nvnmd.pcm.analysis.graph import bond_graph
from nvnmd.pcm.analysis.neighbors import bond_blocks, neighbor_blocks
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

SKEWED = np.array([[6.0, 0, 0], [-2.0, 5.5, 0], [1.0, 1.5, 7.0]])


@pytest.mark.parametrize("cell", [np.diag([9.0, 8.0, 7.0]), SKEWED])
@pytest.mark.parametrize("block", [3, 1000])
def test_neighbors_are_those_of_vesin_in_blocks_of_any_size(cell, block):
    positions = np.random.default_rng(1).uniform(-1, 2, (11, 3)) @ cell
    snapshot = Snapshot(positions, cell, np.array(["Ge"] * 11))
    i, j, d = NeighborList(cutoff=4.5, full_list=True).compute(
        points=positions, box=cell, periodic=True, quantities="ijd"
    )
    found = list(neighbor_blocks(snapshot, 4.5, block))
    centers, others, distances = (np.concatenate([getattr(b, name) for b in found])
                                  for name in ("centers", "others", "distances"))  # fmt: skip
    order, expected = np.lexsort((distances, others, centers)), np.lexsort((d, j, i))
    assert_array_equal(centers[order], i[expected])
    assert_array_equal(others[order], j[expected])
    assert_allclose(distances[order], d[expected], atol=1e-5)
    vectors = np.concatenate([b.vectors for b in found])
    assert_allclose(np.linalg.norm(vectors, axis=1), distances, atol=1e-5)


def test_rocksalt_has_unlike_bonds_only(lattice):
    found = bond_statistics([lattice("rocksalt", 3, 6.0, ("Ge", "Te"))])
    assert found.coordination == {("Ge", "Ge"): 0, ("Ge", "Te"): 6, ("Te", "Ge"): 6, ("Te", "Te"): 0}
    assert found.share == {("Ge", "Ge"): 0, ("Ge", "Te"): 1, ("Te", "Te"): 0}
    assert (found.homopolar, found.wrong, found.total("Ge")) == (0, 0, 6)
    assert found.distribution["Te"][6] == 1


def test_one_swapped_pair_makes_homopolar_bonds(lattice):
    frame = lattice("rocksalt", 3, 6.0, ("Ge", "Te"))
    distances = np.linalg.norm(frame.positions - frame.positions[0], axis=1)
    far = int(np.argmax(np.where(frame.symbols == "Te", distances * (distances < 9), 0)))
    frame.symbols[[0, far]] = frame.symbols[[far, 0]]
    found = bond_statistics([frame])
    bonds = 3 * len(frame.symbols)
    assert_allclose([found.share["Ge", "Ge"], found.share["Te", "Te"]], 6 / bonds)
    assert_allclose(found.homopolar, 12 / bonds)


def test_germanium_and_antimony_make_wrong_but_not_homopolar_bonds(lattice):
    found = bond_statistics([lattice("rocksalt", 3, 6.0, ("Ge", "Sb"))])
    assert (found.homopolar, found.wrong) == (0, 1)


def test_each_pair_has_its_own_bond_length(lattice):
    frame = lattice("rocksalt", 3, 6.0, ("Ge", "Te"))
    cutoffs = {("Ge", "Te"): 2.9, ("Ge", "Ge"): 4.3, ("Te", "Te"): 2.9}
    assert {pair: n for pair, n in bond_statistics([frame], cutoffs).coordination.items() if n} == {("Ge", "Ge"): 12}
    with pytest.raises(PcmError, match="lack the pair Ge-Te"):
        list(bond_blocks(frame, {("Ge", "Ge"): 3.0}))


def test_cutoffs_from_minima_that_belong_to_a_bond():
    assert pair_cutoffs([("Ge", "Te", 3.3), ("Te", "Te", 4.9)]) == {("Ge", "Te"): 3.3, ("Te", "Te"): 3.2}


def test_components_of_two_clusters():
    positions = np.array([[1.0, 1, 1], [3, 1, 1], [10, 1, 1], [12, 1, 1], [19.5, 1, 1]])
    graph = bond_graph(Snapshot(positions, np.eye(3) * 20, np.array(["Ge"] * 5)), 2.5)
    assert_array_equal(graph.components(), [0, 0, 1, 1, 0])
    assert_array_equal(graph.components(np.array([True, True, False, True, False])), [0, 0, -1, 1, -1])


def test_frames_must_agree_and_exist(lattice):
    with pytest.raises(PcmError, match="no frame"):
        bond_statistics([])
    with pytest.raises(PcmError, match="others have"):
        bond_statistics([lattice("sc", 3, 3.0), lattice("sc", 3, 3.0, ("Te",))])
    with pytest.raises(PcmError, match="positive"):
        list(neighbor_blocks(lattice("sc", 3, 3.0), 0.0))
