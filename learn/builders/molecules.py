"""Free atoms and pairs of atoms in large cells: where energies count from, and the repulsive wall."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nvnmd.learn.errors import LearnError

if TYPE_CHECKING:
    from ase import Atoms

BOX_A = 20.0
"""Edge of the cell of atoms and dimers in GST-GAP-22 (Zhou et al. 2023, supplementary note 1)."""


def atoms(count: int, generator: np.random.Generator, *, elements: Sequence[str], box_A: float = BOX_A) -> list[Atoms]:
    """One atom alone, of each element in turn; `count` 0 takes every element once."""
    from ase import Atoms

    del generator
    return [_boxed(Atoms([elements[k % len(elements)]]), box_A) for k in range(count or len(elements))]


def dimers(
    count: int,
    generator: np.random.Generator,
    *,
    elements: Sequence[str],
    distances_A: Sequence[Sequence[float]] = ((1.0, 2.0, 0.1), (2.2, 7.0, 0.2)),
    box_A: float = BOX_A,
) -> list[Atoms]:
    """Two atoms alone, every pair of elements at distances given as (first, last, step).

    A `count` below the number of all of them draws so many at random; 0 takes all. The defaults are the scan of
    GST-GAP-22.
    """
    from ase import Atoms

    steps = [np.arange(first, last + 1e-9, step) for first, last, step in map(_three, distances_A)]
    pairs = itertools.combinations_with_replacement(elements, 2)
    found = [
        _boxed(Atoms([a, b], positions=[[0, 0, 0], [0, 0, float(r)]]), box_A)
        for (a, b), r in itertools.product(pairs, np.concatenate(steps))
    ]
    if not count or count >= len(found):
        return found
    return [found[k] for k in sorted(generator.choice(len(found), count, replace=False))]


def _three(values: Any) -> tuple[float, float, float]:
    if len(values) != 3 or not values[2] > 0:
        raise LearnError(f"distances {list(values)}: give first, last and step in A, as in [2.0, 7.0, 0.2]")
    first, last, step = values
    return float(first), float(last), float(step)


def _boxed(atoms: Atoms, box_A: float) -> Atoms:
    atoms.set_cell([box_A] * 3)
    atoms.center()
    atoms.pbc = True
    return atoms
