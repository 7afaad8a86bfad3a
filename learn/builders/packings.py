"""Hard spheres at random in cells of any shape, as small as a few atoms: what no simulation visits by itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nvnmd.learn.builders.composition import apportion, parse_composition
from nvnmd.learn.errors import LearnError

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
ATTEMPTS = 400
"""Places tried for an atom before its cell is given up, and cells tried before the structure is."""
LEAST_A = 0.6


@dataclass(frozen=True)
class _Shape:
    """What is given of the cells: that they are cubes, or the edges along x and y."""

    cubic: bool = False
    base_A: tuple[float, float] | None = None


def hard_spheres(
    count: int,
    generator: np.random.Generator,
    *,
    composition: str | Sequence[str],
    atoms: int | Sequence[int] = (6, 40),
    min_distance_A: float | Mapping[str, float] | None = None,
    volume_A3: Sequence[float] | None = None,
    cubic: bool = False,
    base_A: Sequence[float] | None = None,
) -> list[Atoms]:
    """Random hard spheres of any composition, in cells of any shape (Pickard and Needs 2011).

    composition: a formula, or several that are taken in turn; drawn is a whole number of atoms nearest to it. atoms:
    their number, or its bounds. min_distance_A: one number, or one by pair as {Ge-Te: 2.4}; left out, 0.85 of the sum
    of covalent radii. volume_A3: bounds of the volume of an atom; left out, 2.2 to 3.6 times the cube of the mean
    distance. cubic: in cubes instead of cells of any shape. base_A: edges along x and y of an upright cell; its height
    follows from the volume.
    """
    formulas = [composition] if isinstance(composition, str) else list(composition)
    low, high = (atoms, atoms) if isinstance(atoms, int) else (int(atoms[0]), int(atoms[-1]))
    if not formulas or not 1 <= low <= high:
        raise LearnError(f"random structures of {formulas} with {low} to {high} atoms: nothing can be built")
    if base_A is not None and (len(base_A) != 2 or not min(base_A) > 0):
        raise LearnError(f"base_A {list(base_A)}: give two edges in A, as in [8.5, 8.5]")
    shape = _Shape(cubic, None if base_A is None else (float(base_A[0]), float(base_A[1])))
    found = []
    for k in range(count):
        symbols = apportion(parse_composition(formulas[k % len(formulas)]), int(generator.integers(low, high + 1)))
        found.append(_structure(symbols, generator, min_distance_A, volume_A3, shape))
    return found


def pair_distances(symbols: Sequence[str], given: float | Mapping[str, float] | None) -> Floats:
    """[n, n] smallest distance of each pair of atoms, angstrom.

    Raises:
        LearnError: a pair without a distance, a name that is no pair, or a distance below 0.6 A.
    """
    from ase.data import atomic_numbers, covalent_radii

    radii = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in symbols])
    least = 0.85 * (radii[:, None] + radii[None, :])
    if isinstance(given, Mapping):
        for pair, value in given.items():
            a, dash, b = pair.partition("-")
            if not dash or a not in atomic_numbers or b not in atomic_numbers:
                raise LearnError(f"min_distance_A: {pair!r} is no pair of elements such as Ge-Te")
            is_a, is_b = (np.array([symbol == e for symbol in symbols]) for e in (a, b))
            least[(is_a[:, None] & is_b) | (is_b[:, None] & is_a)] = value
    elif given is not None:
        least[:] = given
    if least.min() < LEAST_A:
        raise LearnError(f"min_distance_A: {least.min():g} A is below {LEAST_A} A, where no label is of use")
    return np.asarray(least)


def _structure(
    symbols: list[str],
    generator: np.random.Generator,
    given: float | Mapping[str, float] | None,
    volume_A3: Sequence[float] | None,
    shape: _Shape,
) -> Atoms:
    from ase import Atoms

    symbols = [symbols[k] for k in generator.permutation(len(symbols))]
    least = pair_distances(symbols, given)
    low, high = volume_A3 if volume_A3 is not None else (2.2 * least.mean() ** 3, 3.6 * least.mean() ** 3)
    for _ in range(ATTEMPTS):
        cell = _cell(len(symbols) * generator.uniform(low, high), generator, shape)
        positions = _place(cell, least, generator)
        if positions is not None:
            return Atoms(symbols, positions=positions, cell=cell, pbc=True)
    raise LearnError(
        f"{len(symbols)} spheres do not fit at {low:.3g} to {high:.3g} A^3 an atom; raise volume_A3 or lower "
        "min_distance_A"
    )


def _cell(volume: float, generator: np.random.Generator, given: _Shape) -> Floats:
    """Edges within a factor of about two of each other and angles within 30 degrees of right, unless they are given."""
    if given.base_A is not None:
        return np.diag([*given.base_A, volume / (given.base_A[0] * given.base_A[1])])
    shape = np.eye(3)
    if not given.cubic:
        shape = np.diag(generator.uniform(0.7, 1.4, 3))
        shape[1, 0], shape[2, 0], shape[2, 1] = generator.uniform(-0.5, 0.5, 3) * np.diag(shape)[[0, 0, 1]]
    return np.asarray(shape * (volume / np.linalg.det(shape)) ** (1 / 3))


def _place(cell: Floats, least: Floats, generator: np.random.Generator) -> Floats | None:
    """Positions [n, 3] with every pair of atoms and images at least `least` apart, or None where one found no place."""
    reach = float(least.max())
    own = np.linalg.norm(_images(cell, reach, 0.0), axis=1)
    if own[own > 0].min(initial=np.inf) < least.diagonal().max():
        return None
    near = _images(cell, reach, 0.5)
    placed = np.empty((0, 3))
    for k in range(len(least)):
        for _ in range(ATTEMPTS):
            trial = generator.random(3)
            apart = placed - trial
            apart -= np.rint(apart)
            gaps = np.linalg.norm((apart @ cell)[:, None] + near, axis=2).min(axis=1, initial=np.inf)
            if (gaps >= least[k, :k]).all():
                placed = np.vstack([placed, trial])
                break
        else:
            return None
    return placed @ cell


def _images(cell: Floats, reach_A: float, within: float) -> Floats:
    """Lattice vectors [m, 3] that can bring two atoms within reach whose fractions differ by at most `within`."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    numbers = [range(-n, n + 1) for n in np.floor(reach_A / heights + within).astype(int)]
    return np.array(list(itertools.product(*numbers))) @ cell
