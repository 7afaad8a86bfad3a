"""Two materials one above the other, as at the electrodes and the dielectric of a cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nvnmd.learn.builders.crystals import distorted
from nvnmd.learn.builders.packings import pair_distances
from nvnmd.learn.errors import LearnError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms


def interfaces(
    count: int,
    generator: np.random.Generator,
    *,
    below: Mapping[str, Any],
    above: Mapping[str, Any],
    gap_A: float = 2.2,
    most_strain: float = 0.06,
    scale: Sequence[float] = (1.0, 1.0),
    strain: float = 0.0,
    displace_A: float = 0.0,
) -> list[Atoms]:
    """Two structures one above the other along z, periodic, so that they meet twice.

    below, above: builders with their options, as in {build: rocksalt, composition: GeTe}, of upright cells, which are
    cut where their layers are farthest apart. The upper one is shifted at random and strained to the edges of the lower
    one, by no more than most_strain. gap_A: between the outermost atoms of the two. Where atoms of the two come closer
    than 0.85 of the sum of their covalent radii, the upper one is shifted anew. For the other options see `crystal`.
    """
    pairs = zip(_built(below, count, generator), _built(above, count, generator), strict=True)

    def one(seed: int) -> Atoms:
        return _stacked(*next(pairs), gap_A, most_strain, np.random.default_rng(seed))

    return distorted(count, generator, one, scale, strain, displace_A, 0.0)


def _built(item: Mapping[str, Any], count: int, generator: np.random.Generator) -> list[Atoms]:
    from nvnmd.learn.builders.registry import structures

    if "build" not in item:
        raise LearnError("interface: name a builder below and above, as in {build: rocksalt, composition: GeTe}")
    options = {key: value for key, value in item.items() if key not in ("build", "count")}
    return structures(str(item["build"]), count, int(generator.integers(2**31)), **options)


def _stacked(below: Atoms, above: Atoms, gap_A: float, most_strain: float, generator: np.random.Generator) -> Atoms:
    for atoms in (below, above):
        if np.abs(atoms.cell.array[[0, 1, 2, 2], [2, 2, 0, 1]]).max() > 1e-6:
            raise LearnError(f"interface: the cell of {atoms.get_chemical_formula()} does not stand upright on x and y")
    base = below.cell.array[:2, :2]
    stretch = np.linalg.solve(above.cell.array[:2, :2], base)
    worst = float(np.abs(stretch - np.eye(2)).max())
    if worst > most_strain:
        raise LearnError(
            f"interface: {above.get_chemical_formula()} does not fit {below.get_chemical_formula()}, it would be "
            f"strained by {100 * worst:.1f} %; choose other repeats, or raise most_strain"
        )
    lower, upper = _slab(below), _slab(above)
    upper.positions[:, :2] = upper.positions[:, :2] @ stretch
    low, high = np.ptp(lower.positions[:, 2]), np.ptp(upper.positions[:, 2])
    lower.positions[:, 2] += gap_A / 2
    upper.positions[:, 2] += low + 1.5 * gap_A
    cell = np.zeros((3, 3))
    cell[:2, :2], cell[2, 2] = base, low + high + 2 * gap_A
    least = pair_distances(lower.get_chemical_symbols() + upper.get_chemical_symbols(), None)[
        : len(lower), len(lower) :
    ]
    start = upper.positions.copy()
    for _ in range(100):
        upper.positions[:, :2] = start[:, :2] + generator.random(2) @ base
        found = lower + upper
        found.set_cell(cell)
        found.pbc = True
        gaps = found.get_all_distances(mic=True)[: len(lower), len(lower) :]
        if (gaps >= least).all():
            return found
    raise LearnError(
        f"interface: {above.get_chemical_formula()} on {below.get_chemical_formula()} comes too close at a gap of "
        f"{gap_A:g} A; raise gap_A"
    )


def _slab(atoms: Atoms) -> Atoms:
    """A periodic structure cut at its widest gap along z; its lowest atom is at z = 0."""
    height = float(atoms.cell.array[2, 2])
    z = np.mod(atoms.positions[:, 2] / height + 1e-8, 1.0)
    order = np.sort(z)
    gaps = np.diff(order, append=order[0] + 1.0)
    first = order[(int(gaps.argmax()) + 1) % len(order)]
    slab = atoms.copy()
    slab.positions[:, 2] = np.mod(z - first + 1e-9, 1.0) * height
    return slab
