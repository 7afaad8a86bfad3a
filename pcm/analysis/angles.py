"""Bond angles: their distribution around each element, and the tetrahedral order of four-fold atoms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.neighbors import BOND_A, Cutoffs, Integers, Neighbors, bond_blocks
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]

TETRAHEDRAL_Q = 0.8
"""Four-fold atoms above this order are tetrahedral; a defective octahedron has 5/8 (Caravati et al. 2007)."""
_FOLD_OF_PAIRS = {3: 3, 6: 4, 10: 5, 15: 6}
"""Number of bonds by the number of pairs that they make."""


@dataclass(frozen=True)
class AngleDistribution:
    """angle_deg: [bins] centers; density: for each central element [bins] per degree, each with unit integral."""

    angle_deg: Floats
    density: dict[str, Floats]
    frames: int


@dataclass(frozen=True)
class TetrahedralOrder:
    """Order of one element's atoms: fraction: part of all its atoms that are four-fold and tetrahedral; q: [bins]
    centers; density: for each coordination (3 to 6) [bins], integrating to the share of atoms with it."""

    element: str
    fraction: float
    q: Floats
    density: dict[int, Floats]
    frames: int


def pair_cosines(block: Neighbors) -> Iterator[tuple[Integers, Floats, tuple[Integers, Integers]]]:
    """Cosines between all pairs of bonds: centers [n], cosines [n, pairs], bond positions [n, pairs] of each side."""
    units = block.vectors / block.distances[:, None]
    for centers, positions in block.groups():
        first, second = np.triu_indices(positions.shape[1], 1)
        sides = positions[:, first], positions[:, second]
        yield centers, np.clip(np.einsum("npk,npk->np", units[sides[0]], units[sides[1]]), -1.0, 1.0), sides


def angle_distribution(frames: Iterable[Snapshot], cutoffs: Cutoffs = BOND_A, bins: int = 180) -> AngleDistribution:
    """Distribution of bond angles around each element, 0 to 180 degrees; `cutoffs` in A."""
    edges = np.linspace(0.0, 180.0, bins + 1)
    counts: dict[str, Floats] = {}
    number = 0
    for snapshot in frames:
        number += 1
        for name in np.unique(snapshot.symbols):
            counts.setdefault(str(name), np.zeros(bins))
        for block in bond_blocks(snapshot, cutoffs):
            for centers, cosines, _ in pair_cosines(block):
                kinds = snapshot.symbols[centers]
                for name in np.unique(kinds):
                    angles = np.degrees(np.arccos(cosines[kinds == name]))
                    counts[str(name)] += np.histogram(angles, edges)[0]
    if not number:
        raise PcmError("no frame was given; angles need at least one")
    width = 180.0 / bins
    density = {name: c / max(c.sum() * width, 1e-300) for name, c in counts.items()}
    return AngleDistribution((edges[1:] + edges[:-1]) / 2, density, number)


def tetrahedral_q(cosines: Floats) -> Floats:
    """Order parameter 1 - 3/8 sum (1/3 + cos)^2 [n] over all pairs of bonds [n, pairs] (Errington and Debenedetti,
    Nature 409, 318 (2001)): 1 for a tetrahedron, 0 for an octahedron, 5/8 and 7/8 for one that lacks 2, 3 bonds."""
    return np.asarray(1.0 - 0.375 * ((cosines + 1 / 3) ** 2).sum(axis=1), dtype=np.float64)


def tetrahedral_order(
    frames: Iterable[Snapshot], element: str = "Ge", cutoffs: Cutoffs = BOND_A, bins: int = 80
) -> TetrahedralOrder:
    """Tetrahedral fraction of an element (Caravati et al., Appl. Phys. Lett. 91, 171906 (2007)); `cutoffs` in A.

    Raises PcmError without a frame, or where no frame has the element.
    """
    edges = np.linspace(-0.2, 1.0 + 1e-9, bins + 1)
    counts = {fold: np.zeros(bins) for fold in _FOLD_OF_PAIRS.values()}
    total = tetrahedral = number = 0
    for snapshot in frames:
        number += 1
        total += int(np.count_nonzero(snapshot.symbols == element))
        for block in bond_blocks(snapshot, cutoffs):
            for _, cosines, _ in pair_cosines(block.select(snapshot.symbols[block.centers] == element)):
                fold = _FOLD_OF_PAIRS.get(cosines.shape[1])
                if fold is not None:
                    q = tetrahedral_q(cosines)
                    counts[fold] += np.histogram(q, edges)[0]
                    tetrahedral += int(np.count_nonzero(q > TETRAHEDRAL_Q)) if fold == 4 else 0
    if not total:
        raise PcmError(f"no frame has an atom of {element}; name an element that is there")
    density = {fold: c / (total * (edges[1] - edges[0])) for fold, c in counts.items()}
    return TetrahedralOrder(element, tetrahedral / total, (edges[1:] + edges[:-1]) / 2, density, number)
