"""Primitive rings: crystals with known numbers, and every cycle of random networks tested by brute force."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nvnmd.pcm.analysis import ring_statistics
from nvnmd.pcm.analysis.graph import graph_of_pairs
from nvnmd.pcm.analysis.rings import count_rings
from nvnmd.pcm.errors import PcmError

pytest.importorskip("numba", reason="rings are counted by numba, part of nvnmd[pcm]")


def as_bonds(network):
    pairs = np.array([(a, b) for a, b in network.edges] + [(b, a) for a, b in network.edges])
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return graph_of_pairs(len(network), pairs[:, 0], pairs[:, 1])


def brute_force(network, most):
    """Every simple cycle that no two of its atoms have a shortcut through."""
    counts = np.zeros(most + 1, dtype=int)
    distance = dict(nx.all_pairs_shortest_path_length(network))
    for cycle in nx.simple_cycles(network, length_bound=most):
        n = len(cycle)
        pairs = combinations(range(n), 2)
        counts[n] += all(distance[cycle[a]][cycle[b]] >= min(b - a, n - b + a) for a, b in pairs)
    return counts


@pytest.mark.parametrize("seed", range(4))
def test_rings_of_random_networks(seed):
    network = nx.random_regular_graph(3, 24, seed=seed) if seed % 2 else nx.gnm_random_graph(22, 40, seed=seed)
    assert_array_equal(count_rings(as_bonds(network), 9), brute_force(network, 9))


def test_diamond_has_two_six_rings_an_atom(lattice):
    found = ring_statistics([lattice("diamond", 3, 5.66)], 2.7, max_size=8)
    assert_array_equal(found.size, [3, 4, 5, 6, 7, 8])
    # Eight-membered rings of diamond are not primitive: all of them have shortcuts.
    assert_allclose(found.per_atom, [0, 0, 0, 2, 0, 0])


def test_simple_cubic_has_squares_and_hexagons_around_cubes(lattice):
    found = ring_statistics([lattice("sc", 7, 3.0)], 3.2, max_size=6)
    assert_allclose(found.per_atom, [0, 3, 0, 4])


def test_bad_requests(lattice):
    with pytest.raises(PcmError, match="at least 3"):
        ring_statistics([lattice("sc", 5, 3.0)], max_size=2)
    with pytest.raises(PcmError, match="no frame"):
        ring_statistics([])
    # Four layers of 20 atoms, each joined to all of the next: 20 * 20 * 20 paths lead to every atom of the last.
    layered = nx.empty_graph(1)
    for layer in range(4):
        nodes = [n for n, depth in nx.single_source_shortest_path_length(layered, 0).items() if depth == layer]
        layered.add_edges_from((n, (layer + 1) * 100 + k) for n in nodes for k in range(20))
    with pytest.raises(PcmError, match="smaller max_size"):
        count_rings(as_bonds(nx.convert_node_labels_to_integers(layered, ordering="sorted")), 10)
