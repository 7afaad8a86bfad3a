"""Random packings of hard spheres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures.crystal import checked_density
from nvnmd.pcm.structures.materials import material

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

PACKING_ATTEMPTS = 200_000
"""Trial insertions without success after which a packing is given up."""


def random_packing(
    name: str,
    atoms: int,
    density_per_A3: float | None = None,
    min_distance_A: float = 2.4,
    seed: int = 0,
) -> Atoms:
    """At least `atoms` atoms in a cubic cell, thrown in one after the other, none closer than `min_distance_A`.

    Random sequential addition of hard spheres; elements are dealt out at random in the material's composition.
    Raises PcmError where the spheres do not fit (they jam at 38 % of the volume).
    """
    from ase import Atoms

    chosen = material(name)
    if atoms < 1:
        raise PcmError(f"{atoms} atoms were asked for; at least one is needed")
    density = checked_density(density_per_A3 if density_per_A3 is not None else chosen.density_per_A3)
    units = math.ceil(atoms / sum(chosen.counts))
    count = units * sum(chosen.counts)
    edge = (count / density) ** (1 / 3)
    generator = np.random.default_rng(seed)
    positions = pack_box(count, (edge, edge, edge), min_distance_A, generator)
    symbols = [element for element, n in zip(chosen.elements, chosen.counts, strict=True) for _ in range(n * units)]
    generator.shuffle(symbols)
    return Atoms(symbols, positions=positions, cell=[edge] * 3, pbc=True)


def pack_box(
    count: int,
    edges: tuple[float, float, float],
    distance: float,
    generator: np.random.Generator,
    border: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Positions [count, 3] in A in a box of these edges, `distance` from each other and from the atoms in `border`.

    The box is periodic; with a border only in x and y. border: [m, 3] atoms below and above the box, in its
    coordinates, themselves at least `distance` apart. Raises PcmError where the spheres do not fit.
    """
    taken = np.zeros((0, 3)) if border is None else border
    padding = np.array([0, 0, distance if border is not None else 0.0])
    size = np.array(edges) + 2 * padding
    if distance * 2 > size.min():
        raise PcmError(
            f"spheres {distance} A apart do not fit into a cell of edge {size.min():.2f} A; ask for more atoms"
        )
    return _insert(count, size, padding[2], distance, generator, taken + padding) - padding


def _insert(
    count: int,
    size: NDArray[np.float64],
    margin: float,
    distance: float,
    generator: np.random.Generator,
    taken: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Random sequential addition in a periodic box, `margin` from its lower and upper face.

    A grid with cells no wider than distance/sqrt(3) holds one sphere at most per cell.
    """
    bins = np.ceil(size * math.sqrt(3) / distance).astype(np.int64)
    grid = np.full(bins, -1, dtype=np.int64)
    # Two cells that touch a sphere of the given distance are at most this many cells apart.
    reach = [np.arange(-n, n + 1) for n in np.ceil(distance * bins / size).astype(np.int64)]
    offsets = np.stack(np.meshgrid(*reach, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = np.concatenate([taken, np.empty((count, 3))])
    grid[tuple((taken * bins / size).astype(np.int64).T % bins[:, None])] = np.arange(len(taken))
    room = size - [0, 0, 2 * margin]
    placed, failures = len(taken), 0
    while placed < len(positions):
        point = generator.random(3) * room + [0, 0, margin]
        home = (point * bins / size).astype(np.int64) % bins
        near = grid[tuple(((home + offsets) % bins).T)]
        delta = positions[near[near >= 0]] - point
        delta -= size * np.round(delta / size)
        if (np.einsum("ij,ij->i", delta, delta) < distance**2).any():
            failures += 1
            if failures > PACKING_ATTEMPTS:
                raise PcmError(
                    f"only {placed - len(taken)} of {count} spheres {distance} A apart fit at this density; "
                    "lower either of the two"
                )
            continue
        positions[placed], grid[tuple(home)], placed, failures = point, placed, placed + 1, 0
    return positions[len(taken) :]
