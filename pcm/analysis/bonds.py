"""Bonds by pair of elements: coordination numbers and their spread, homopolar and wrong bonds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.neighbors import BOND_A, Cutoffs, Pair, bond_blocks, element_indices
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]

CATIONS = frozenset({"Ge", "Sb", "In", "Si", "Sn", "Bi"})
"""Elements on the cation-like sublattice; all others count as anion-like."""
MAX_COORDINATION = 16


@dataclass(frozen=True)
class BondStatistics:
    """Bonds averaged over frames.

    coordination: for each ordered pair (center, neighbor) the mean number of such neighbors; distribution: for each
    element [MAX_COORDINATION + 1], the share of its atoms with so many bonds; share: for each unordered pair, the part
    of all bonds that join it; frames, atoms: what was averaged over.
    """

    elements: tuple[str, ...]
    coordination: dict[Pair, float]
    distribution: dict[str, Floats]
    share: dict[Pair, float]
    frames: int
    atoms: int

    def total(self, element: str) -> float:
        """Mean number of neighbors of any kind."""
        return sum(n for (center, _), n in self.coordination.items() if center == element)

    @property
    def homopolar(self) -> float:
        """Part of the bonds between two atoms of one element."""
        return sum(part for (a, b), part in self.share.items() if a == b)

    @property
    def wrong(self) -> float:
        """Part of the bonds within one sublattice: Ge-Ge, Ge-Sb, Sb-Sb, Te-Te; the ideal compounds have none."""
        return sum(part for (a, b), part in self.share.items() if (a in CATIONS) == (b in CATIONS))


def bond_statistics(frames: Iterable[Snapshot], cutoffs: Cutoffs = BOND_A) -> BondStatistics:
    """Count the bonds of every pair of elements; `cutoffs` in A. Raises PcmError without a frame.

    All frames must have the same elements.
    """
    names: list[str] = []
    bonds = np.zeros((0, 0))
    histogram, centers = np.zeros((0, 0)), np.zeros(0)
    number = atoms = 0
    for snapshot in frames:
        found, kinds = element_indices(snapshot)
        if number and found != names:
            raise PcmError(f"the frame of step {snapshot.step} has the elements {found}, others have {names}")
        if not number:
            names, size = found, len(found)
            bonds, histogram, centers = np.zeros((size, size)), np.zeros((size, MAX_COORDINATION + 1)), np.zeros(size)
        number, atoms = number + 1, len(kinds)
        centers += np.bincount(kinds, minlength=len(names))
        each = np.zeros(atoms, dtype=np.int64)
        for block in bond_blocks(snapshot, cutoffs):
            np.add.at(bonds, (kinds[block.centers], kinds[block.others]), 1)
            each += np.bincount(block.centers, minlength=atoms)
        np.add.at(histogram, (kinds, np.minimum(each, MAX_COORDINATION)), 1)
    if not number:
        raise PcmError("no frame was given; bonds need at least one")
    return BondStatistics(
        elements=tuple(names),
        coordination={
            (a, b): float(bonds[i, j] / centers[i]) for i, a in enumerate(names) for j, b in enumerate(names)
        },
        distribution={a: histogram[i] / centers[i] for i, a in enumerate(names)},
        share=_shares(names, bonds),
        frames=number,
        atoms=atoms,
    )


def _shares(names: list[str], bonds: Floats) -> dict[Pair, float]:
    # Directed bonds: like pairs stand twice on the diagonal, unlike ones once on each side of it.
    total = max(float(bonds.sum()), 1.0)
    pairs = combinations_with_replacement(range(len(names)), 2)
    return {(names[i], names[j]): float(bonds[i, j] + (bonds[j, i] if i != j else 0.0)) / total for i, j in pairs}


def pair_cutoffs(coordination: Iterable[tuple[str, str, float]], default_A: float = BOND_A) -> Mapping[Pair, float]:
    """Bond lengths from first minima of g(r) (center, neighbor, cutoff in A), kept within 2.6 to 3.6 A.

    A minimum outside that range belongs to no bond: pairs that do not bond have their first peak in the second shell.
    """
    return {(a, b): cutoff if 2.6 <= cutoff <= 3.6 else default_A for a, b, cutoff in coordination}
