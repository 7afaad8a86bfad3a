"""The bonds of a frame as a graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.neighbors import BOND_A, Cutoffs, bond_blocks
from nvnmd.pcm.trajectory import Snapshot

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class BondGraph:
    """The neighbors of atom i are `others[starts[i]:starts[i + 1]]`; starts: [n + 1], others: [2 * bonds]."""

    starts: Integers
    others: Integers

    def components(self, keep: NDArray[np.bool_] | None = None) -> Integers:
        """Number of the connected part that each atom belongs to [n], -1 for atoms outside `keep`."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import connected_components

        count = len(self.starts) - 1
        chosen = np.ones(count, dtype=bool) if keep is None else keep
        centers = np.repeat(np.arange(count), np.diff(self.starts))
        inside = chosen[centers] & chosen[self.others]
        links = csr_matrix(
            (np.ones(int(inside.sum()), np.int8), (centers[inside], self.others[inside])), (count, count)
        )
        _, labels = connected_components(links, directed=False)
        _, found = np.unique(labels[chosen], return_inverse=True)
        parts = np.full(count, -1, dtype=np.int64)
        parts[chosen] = found
        return parts


def graph_of_pairs(count: int, centers: Integers, others: Integers) -> BondGraph:
    """A graph from directed pairs [pairs] that are sorted by center; repeated pairs count once."""
    pairs = np.unique(centers * count + others)
    centers, others = pairs // count, pairs % count
    starts = np.searchsorted(centers, np.arange(count + 1))
    return BondGraph(starts.astype(np.int64), others.astype(np.int64))


def bond_graph(snapshot: Snapshot, cutoffs: Cutoffs = BOND_A) -> BondGraph:
    """Bonds of a frame, `cutoffs` in A. In a tiny cell two images of one neighbor are one bond."""
    blocks = [(block.centers, block.others) for block in bond_blocks(snapshot, cutoffs)]
    centers, others = (np.concatenate([block[k] for block in blocks]) for k in (0, 1))
    return graph_of_pairs(len(snapshot.positions), centers, others)
