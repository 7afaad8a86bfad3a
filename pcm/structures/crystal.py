"""Supercells: of any size, at any density, with cations and vacancies at random and with anti-site defects."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures.cells import CATION, CrystalForm, UnitCell, unit_cell
from nvnmd.pcm.structures.materials import Material, material

if TYPE_CHECKING:
    from ase import Atoms

Repeats = tuple[int, int, int]


def crystal(
    name: str,
    atoms: int | None = None,
    form: CrystalForm = "rocksalt",
    density_per_A3: float | None = None,
    repeats: Repeats | None = None,
    seed: int = 0,
) -> Atoms:
    """Supercell of a material's crystal with at least `atoms` atoms in a nearly cubic shape, or with `repeats` cells.

    density_per_A3: atoms/A^3 to which the lattice is scaled; None keeps the crystal's own lattice for `repeats`, and
    takes the amorphous phase's density for `atoms`, as a melt-quench at constant volume wants it. seed: of the random
    cations and vacancies. Raises PcmError for an unknown material or form, a count or density that is not positive,
    and a composition that cannot fill the cells.
    """
    chosen = material(name)
    unit = unit_cell(chosen, form)
    if repeats is None:
        if atoms is None or atoms < 1:
            raise PcmError(f"{atoms} atoms were asked for; at least one is needed")
        repeats = _fit(chosen, unit, atoms)
        density_per_A3 = chosen.density_per_A3 if density_per_A3 is None else density_per_A3
    return _build(chosen, unit, repeats, density_per_A3, np.random.default_rng(seed))


def with_antisites(atoms: Atoms, pairs: int, cation: str, anion: str, seed: int = 0) -> Atoms:
    """A copy in which `pairs` cations and anions, drawn at random, have changed places.

    Raises PcmError where there are fewer atoms of an element than pairs.
    """
    generator = np.random.default_rng(seed)
    symbols = np.array(atoms.get_chemical_symbols())
    for element in (cation, anion):
        if np.count_nonzero(symbols == element) < pairs:
            raise PcmError(f"{pairs} anti-site pairs need as many atoms of {element}; there are fewer")
    chosen = {e: generator.choice(np.flatnonzero(symbols == e), pairs, replace=False) for e in (cation, anion)}
    symbols[chosen[cation]], symbols[chosen[anion]] = anion, cation
    changed = atoms.copy()
    changed.set_chemical_symbols(symbols.tolist())
    return changed


def _shared_sites(chosen: Material, unit: UnitCell, cells: int) -> dict[str, int] | None:
    """How many shared sites each cation takes in so many cells; None where that is no whole number."""
    sites = unit.sites.count(CATION) * cells
    anions = chosen.counts[-1]
    if any(sites * count % anions for count in chosen.cation_counts.values()):
        return None
    return {element: sites * count // anions for element, count in chosen.cation_counts.items()}


def _count(chosen: Material, unit: UnitCell, cells: int) -> int | None:
    shared = _shared_sites(chosen, unit, cells) if CATION in unit.sites else {}
    return None if shared is None else sum(shared.values()) + cells * (len(unit.sites) - unit.sites.count(CATION))


def _fit(chosen: Material, unit: UnitCell, atoms: int) -> Repeats:
    """Repeats of a supercell with at least `atoms` atoms, whose composition is whole: nearly cubic, then small."""
    per_cell = len(unit.sites) - unit.sites.count(CATION) * chosen.vacancies / chosen.counts[-1]
    lengths = np.linalg.norm(unit.vectors, axis=1)
    edge = (atoms / per_cell * float(np.prod(lengths))) ** (1 / 3)
    # As many cells as a composition may ask for can be needed on top of the nearest cube.
    options = [range(max(1, int(edge / x) - 1), int(edge / x) + 2 + chosen.counts[-1]) for x in lengths]
    best: tuple[float, Repeats] | None = None
    for nx, ny, nz in product(*options):
        count = _count(chosen, unit, nx * ny * nz)
        if count is None or count < atoms:
            continue
        sides = lengths * (nx, ny, nz)
        cost = count * float(sides.max() / sides.min()) ** 3
        if best is None or cost < best[0] * (1 - 1e-9):
            best = cost, (nx, ny, nz)
    if best is None:
        raise PcmError(f"no supercell of about {atoms} atoms holds {chosen.name} in whole numbers; ask for more atoms")
    return best[1]


def _build(
    chosen: Material, unit: UnitCell, repeats: Repeats, density: float | None, generator: np.random.Generator
) -> Atoms:
    from ase import Atoms

    if min(repeats) < 1:
        raise PcmError(f"a supercell of {repeats} cells has none; each number must be at least 1")
    cells = int(np.prod(repeats))
    shifts = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), axis=-1).reshape(-1, 1, 3)
    fractions = ((shifts + unit.fractions) / repeats).reshape(-1, 3)
    symbols = np.tile(np.array(unit.sites, dtype="U6"), cells)
    if CATION in unit.sites:
        symbols = _fill(chosen, unit, symbols, cells, generator)
    kept = symbols != ""
    vectors = unit.vectors * np.array(repeats)[:, None]
    if density is not None:
        vectors = vectors * (int(kept.sum()) / checked_density(density) / float(np.linalg.det(vectors))) ** (1 / 3)
    return Atoms(symbols[kept].tolist(), positions=fractions[kept] @ vectors, cell=vectors, pbc=True)


def _fill(
    chosen: Material, unit: UnitCell, symbols: NDArray[np.str_], cells: int, generator: np.random.Generator
) -> NDArray[np.str_]:
    """Cations and vacancies ("") on the shared sites, at random, in exactly the material's composition."""
    shared = _shared_sites(chosen, unit, cells)
    if shared is None:
        sites = unit.sites.count(CATION) * cells
        raise PcmError(
            f"{chosen.name} cannot fill {sites} cation sites in its composition; "
            f"take a number of cells whose sites divide by {chosen.counts[-1]}"
        )
    index = np.flatnonzero(symbols == CATION)
    dealt = np.repeat(np.array(list(shared), dtype="U6"), list(shared.values()))
    symbols[index] = np.concatenate([dealt, np.full(len(index) - len(dealt), "", dtype="U6")])
    if chosen.vacancies or len(shared) > 1:
        symbols[index] = symbols[generator.permutation(index)]
    return symbols


def checked_density(density: float) -> float:
    """The density, if it is one of condensed matter; raises PcmError otherwise."""
    if not 0 < density < 1:
        raise PcmError(f"a density of {density} atoms/A^3 is no density of condensed matter; GeTe has about 0.034")
    return density
