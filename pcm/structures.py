"""Starting structures: crystals at a chosen density and random packings of hard spheres.

Every function returns an `ase.Atoms` in a periodic cell, lengths in Angstrom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nvnmd.pcm.errors import PcmError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

CrystalForm = Literal["rocksalt", "rhombohedral"]

PACKING_ATTEMPTS = 200_000
"""Trial insertions without success after which a packing is given up."""


@dataclass(frozen=True)
class Material:
    """What a protocol has to know of a material.

    elements: chemical symbols in the order of the LAMMPS atom types; counts: atoms per formula unit;
    density_per_A3: number density of the amorphous phase, atoms/A^3.
    """

    name: str
    elements: tuple[str, ...]
    counts: tuple[int, ...]
    density_per_A3: float


# The density is that of the 216-atom cell of edge 18.58 A in which the melt-quench trajectories of GeTe were made.
MATERIALS: dict[str, Material] = {
    "GeTe": Material("GeTe", ("Ge", "Te"), (1, 1), 0.0337),
}


def material(name: str) -> Material:
    """Look a material up; raises PcmError with the known names otherwise."""
    if name not in MATERIALS:
        raise PcmError(f"material {name!r} is not known; known materials: {', '.join(sorted(MATERIALS))}")
    return MATERIALS[name]


def _basis(form: CrystalForm) -> tuple[NDArray[np.float64], NDArray[np.float64], list[int]]:
    """(Pseudo-)cubic cell of eight atoms: vectors of unit volume, fractions, kind (0 cation, 1 anion)."""
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cell: NDArray[np.float64] = np.eye(3)
    if form == "rocksalt":
        shift = 0.5
    else:
        # alpha-GeTe in the pseudo-cubic setting (Goldak et al., J. Chem. Phys. 44, 3323 (1966)): 88.2 degrees between
        # the axes, sublattices moved against each other along [111] so that three bonds are short and three long.
        cosine, shift = math.cos(math.radians(88.2)), 0.5 - 0.026
        metric = np.full((3, 3), cosine) + (1 - cosine) * np.eye(3)
        vectors = np.linalg.cholesky(metric)
        cell = np.asarray(vectors / np.linalg.det(vectors) ** (1 / 3), dtype=np.float64)
    return cell, np.vstack([fcc, fcc + shift]) % 1.0, [0] * 4 + [1] * 4


def crystal(name: str, atoms: int, form: CrystalForm = "rocksalt", density_per_A3: float | None = None) -> Atoms:
    """Supercell n x n x n of the (pseudo-)cubic cell with at least `atoms` atoms at the given number density.

    density_per_A3: atoms/A^3, the material's own where None. Raises PcmError for an unknown material or form, and for
    a count or density that is not positive.
    """
    from ase import Atoms

    chosen = material(name)
    density = _checked(atoms, density_per_A3 if density_per_A3 is not None else chosen.density_per_A3)
    if form not in ("rocksalt", "rhombohedral"):
        raise PcmError(f"crystal form {form!r} is not known; take 'rocksalt' or 'rhombohedral'")
    if chosen.counts != (1, 1):
        raise PcmError(f"{name} has no {form} cell here; start from a random packing")
    cell, fractions, kinds = _basis(form)
    repeats = math.ceil((atoms / len(kinds)) ** (1 / 3) - 1e-9)
    edge = (len(kinds) / density) ** (1 / 3)
    unit = Atoms([chosen.elements[kind] for kind in kinds], scaled_positions=fractions, cell=cell * edge, pbc=True)
    return unit.repeat(repeats)


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
    density = _checked(atoms, density_per_A3 if density_per_A3 is not None else chosen.density_per_A3)
    units = math.ceil(atoms / sum(chosen.counts))
    count = units * sum(chosen.counts)
    edge = (count / density) ** (1 / 3)
    generator = np.random.default_rng(seed)
    positions = _add_spheres(count, edge, min_distance_A, generator)
    symbols = [element for element, n in zip(chosen.elements, chosen.counts, strict=True) for _ in range(n * units)]
    generator.shuffle(symbols)
    return Atoms(symbols, positions=positions, cell=[edge] * 3, pbc=True)


def _checked(atoms: int, density: float) -> float:
    if atoms < 1:
        raise PcmError(f"{atoms} atoms were asked for; at least one is needed")
    if not 0 < density < 1:
        raise PcmError(f"a density of {density} atoms/A^3 is no density of condensed matter; GeTe has about 0.034")
    return density


def _add_spheres(count: int, edge: float, distance: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Positions [count, 3] in A; a grid with cells no wider than distance/sqrt(3) holds one sphere at most per cell."""
    if distance * 2 > edge:
        raise PcmError(f"spheres {distance} A apart do not fit into a cell of edge {edge:.2f} A; ask for more atoms")
    bins = math.ceil(edge * math.sqrt(3) / distance)
    grid = np.full((bins, bins, bins), -1, dtype=np.int64)
    # Two cells that touch a sphere of the given distance are at most this many cells apart.
    reach = range(-math.ceil(distance * bins / edge), math.ceil(distance * bins / edge) + 1)
    offsets = np.array([(i, j, k) for i in reach for j in reach for k in reach])
    positions = np.empty((count, 3))
    placed = failures = 0
    while placed < count:
        point = generator.random(3) * edge
        home = (point * bins / edge).astype(np.int64) % bins
        near = grid[tuple(((home + offsets) % bins).T)]
        delta = positions[near[near >= 0]] - point
        delta -= edge * np.round(delta / edge)
        if (np.einsum("ij,ij->i", delta, delta) < distance**2).any():
            failures += 1
            if failures > PACKING_ATTEMPTS:
                raise PcmError(
                    f"only {placed} of {count} spheres {distance} A apart fit at this density; lower either of the two"
                )
            continue
        positions[placed], grid[tuple(home)], placed, failures = point, placed, placed + 1, 0
    return positions
