"""Partial radial distribution functions, averaged over frames, for any periodic cell.

freud finds the neighbors; the normalization is ours, because freud's differs between like and unlike pairs:

    g_ab(r) = V * n_ab(r) / (N_a * (N_b - delta_ab) * 4 pi r^2 dr)

with n_ab(r) the pairs in a shell, each like pair counted from both ends. Uniformly random atoms give 1 at every r, for
like and unlike pairs and any number of atoms. Distances beyond half the cell are counted over all periodic images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.neighbors import cell_repeats, freud_box
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Pair = tuple[str, str]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PartialRdf:
    """Partial RDFs of one element set.

    r: [bins] centers of the shells in A; edges: [bins + 1] A; g: for each pair of elements [bins], dimensionless;
    neighbors: for each ordered pair (a, b) [bins], mean number of b around one a within the shell's outer edge;
    frames, atoms: what was averaged over (atoms of the last frame).
    """

    r: Floats
    edges: Floats
    g: dict[Pair, Floats]
    neighbors: dict[Pair, Floats]
    frames: int
    atoms: int


def partial_rdf(
    frames: Iterable[Snapshot], elements: Sequence[str], r_max_A: float = 8.0, bins: int = 160
) -> PartialRdf:
    """Average g(r) of every pair of `elements` over the frames, from 0 to `r_max_A`.

    Raises PcmError where there is no frame or an element has no atom.
    """
    edges = np.linspace(0.0, r_max_A, bins + 1)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    pairs = list(combinations_with_replacement(elements, 2))
    counts, ideal = ({pair: np.zeros(bins) for pair in pairs} for _ in range(2))
    centers: Counter[str] = Counter()
    number = atoms = 0
    for snapshot in frames:
        number, atoms = number + 1, len(snapshot.positions)
        found = _check_elements(snapshot, elements)
        centers.update(found)
        volume = abs(np.linalg.det(snapshot.cell))
        for pair, histogram in _pair_counts(snapshot, pairs, r_max_A, bins).items():
            counts[pair] += histogram
            ideal[pair] += shells * found[pair[0]] * (found[pair[1]] - (pair[0] == pair[1])) / volume
    if not number:
        raise PcmError("no frame was given; an RDF needs at least one")
    g = {pair: counts[pair] / np.where(ideal[pair] > 0, ideal[pair], 1.0) for pair in pairs}
    neighbors = {(a, b): np.cumsum(counts[(a, b) if (a, b) in counts else (b, a)]) / centers[a]
                 for a, b in product(elements, repeat=2)}  # fmt: skip
    return PartialRdf((edges[1:] + edges[:-1]) / 2, edges, g, neighbors, number, atoms)


def _check_elements(snapshot: Snapshot, elements: Sequence[str]) -> dict[str, int]:
    found = {element: int(np.count_nonzero(snapshot.symbols == element)) for element in elements}
    missing = [element for element, count in found.items() if not count]
    if missing:
        raise PcmError(f"the frame of step {snapshot.step} has no atom of {', '.join(missing)}")
    return found


def _pair_counts(snapshot: Snapshot, pairs: list[Pair], r_max_A: float, bins: int) -> dict[Pair, Floats]:
    """Pairs per shell: from every atom of the first element to all images of the second one's atoms."""
    from freud.density import RDF
    from freud.locality import AABBQuery

    fractions = np.linalg.solve(snapshot.cell.T, snapshot.positions.T).T % 1.0
    repeats = cell_repeats(snapshot.cell, r_max_A)
    box = freud_box(snapshot.cell, repeats)
    # The images of the home cell come first, so that point i is query point i and can be left out as itself.
    shifts = np.array(list(product(*(range(n) for n in repeats))))
    counts = {}
    for a, b in pairs:
        home, around = fractions[snapshot.symbols == a], fractions[snapshot.symbols == b]
        images = (around[None, :, :] + shifts[:, None, :]).reshape(-1, 3)
        query = AABBQuery(box, box.make_absolute(images / repeats))
        rdf = RDF(bins=bins, r_max=r_max_A)
        neighbors = {"mode": "ball", "r_max": r_max_A, "exclude_ii": a == b}
        rdf.compute(query, query_points=box.make_absolute(home / repeats), neighbors=neighbors)
        counts[a, b] = np.asarray(rdf.bin_counts, dtype=np.float64)
    return counts
