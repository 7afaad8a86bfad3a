"""Primitive rings: closed paths of bonds without a shortcut.

A ring is primitive if no two of its atoms are nearer to each other through the network than along the ring (shortest
path rings of Franzblau, Phys. Rev. B 44, 4925 (1991); primitive rings of Yuan and Cormack, Comput. Mater. Sci. 24, 343
(2002)). Each ring is counted once. Needs numba, part of `nvnmd[pcm]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.graph import BondGraph, bond_graph
from nvnmd.pcm.analysis.neighbors import BOND_A, Cutoffs
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class RingStatistics:
    """size: [sizes] bonds in a ring, from 3; per_atom: [sizes] rings of that size per atom of the frame."""

    size: Integers
    per_atom: NDArray[np.float64]
    frames: int


def ring_statistics(frames: Iterable[Snapshot], cutoffs: Cutoffs = BOND_A, max_size: int = 12) -> RingStatistics:
    """Primitive rings of 3 to `max_size` bonds; `cutoffs` in A. Raises PcmError without a frame or without numba.

    Cells must be wider than half of `max_size` bonds, or rings close through the periodic images.
    """
    if max_size < 3:
        raise PcmError(f"a ring has at least 3 bonds; max_size {max_size} finds none")
    total = np.zeros(max_size + 1)
    number = 0
    for snapshot in frames:
        number += 1
        total += count_rings(bond_graph(snapshot, cutoffs), max_size) / len(snapshot.positions)
    if not number:
        raise PcmError("no frame was given; rings need at least one")
    return RingStatistics(np.arange(3, max_size + 1), total[3:] / number, number)


def count_rings(graph: BondGraph, max_size: int) -> Integers:
    """Number of primitive rings by size [max_size + 1]."""
    counts = _kernel()(graph.starts, graph.others, max_size)
    if counts[0]:
        raise PcmError(f"rings of up to {max_size} bonds are too many to list here; take a smaller max_size")
    return counts


def _kernel() -> Callable[[Integers, Integers, int], Integers]:
    try:
        from nvnmd.pcm.analysis.ring_kernel import walk
    except ImportError:
        raise PcmError("ring statistics need numba; install it with: pip install 'nvnmd[pcm]'") from None
    return walk
