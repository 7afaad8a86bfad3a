"""Crystals: of known materials, rocksalt-like ones of any composition, from files; strained, displaced, defective."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nvnmd.learn.builders.composition import apportion, parse_composition
from nvnmd.learn.errors import LearnError
from nvnmd.learn.select import spread_evenly
from nvnmd.pcm.structures import CrystalForm, crystal, with_antisites
from nvnmd.pcm.structures import material as known_material

if TYPE_CHECKING:
    from ase import Atoms

ANIONS = ("N", "O", "S", "Se", "Te")


def crystals(
    count: int,
    generator: np.random.Generator,
    *,
    material: str,
    form: CrystalForm = "rocksalt",
    atoms: int = 64,
    density_per_A3: float | None = None,
    repeats: Sequence[int] | None = None,
    scale: Sequence[float] = (1.0, 1.0),
    strain: float = 0.0,
    displace_A: float = 0.0,
    antisites: float = 0.0,
) -> list[Atoms]:
    """A crystal of a known material: rocksalt, rhombohedral, trigonal (layered) or a7.

    Cations and vacancies are dealt anew for every structure. Without `density_per_A3` a crystal has its own lattice.
    For the other options see `distorted`.
    """
    fixed = None if repeats is None else _repeats(repeats)

    def one(seed: int) -> Atoms:
        found = crystal(material, None if fixed else atoms, form, density_per_A3, fixed, seed)
        return found if density_per_A3 is not None or fixed else _at_density(found, own_density(material, form))

    return distorted(count, generator, one, scale, strain, displace_A, antisites)


def own_density(name: str, form: CrystalForm) -> float:
    """Atoms/A^3 of a material's crystal at the lattice constants that `nvnmd.pcm` has for it."""
    chosen = known_material(name)
    if form == "rocksalt" and chosen.cubic_edge_A is not None:
        return (8 - 4 * chosen.vacancies / chosen.counts[-1]) / chosen.cubic_edge_A**3
    cell = crystal(name, repeats=(1, 1, 1), form=form)
    return len(cell) / float(cell.get_volume())


def rocksalt(
    count: int,
    generator: np.random.Generator,
    *,
    composition: str | Sequence[str],
    edge_A: float | Sequence[float] = 6.02,
    repeats: Sequence[int] = (2, 2, 2),
    scale: Sequence[float] = (1.0, 1.0),
    strain: float = 0.0,
    displace_A: float = 0.0,
    antisites: float = 0.0,
) -> list[Atoms]:
    """A rocksalt-like crystal of any composition: cations and vacancies at random on one sublattice.

    Several compositions and edges are taken in turn, all compositions at one edge before the next. The anions (of N,
    O, S, Se and Te) fill theirs; cations are dealt out in the nearest whole numbers, and what is left of their
    sublattice stays empty, as in cubic Ge-Sb-Te. edge_A: of the cell of eight sites.
    """
    cells, formulas = _repeats(repeats), [composition] if isinstance(composition, str) else list(composition)
    edges = [edge_A] if isinstance(edge_A, (int, float)) else list(edge_A)
    turn = itertools.cycle(itertools.product(edges, formulas))

    def one(seed: int) -> Atoms:
        edge, formula = next(turn)
        return _rocksalt(formula, float(edge), cells, np.random.default_rng(seed))

    return distorted(count, generator, one, scale, strain, displace_A, antisites)


def from_file(
    count: int,
    generator: np.random.Generator,
    *,
    path: str,
    repeats: Sequence[int] = (1, 1, 1),
    scale: Sequence[float] = (1.0, 1.0),
    strain: float = 0.0,
    displace_A: float = 0.0,
) -> list[Atoms]:
    """Structures of a file that ASE reads or of a folder of labeled frames: evenly spread, or again where too few."""
    found = _of_file(Path(path))
    cells = _repeats(repeats)
    chosen = spread_evenly(len(found), count) if count < len(found) else range(count)
    turn = (found[k % len(found)] for k in chosen)
    return distorted(count, generator, lambda _: next(turn) * cells, scale, strain, displace_A, 0.0)


def distorted(
    count: int,
    generator: np.random.Generator,
    make: Callable[[int], Atoms],
    scale: Sequence[float],
    strain: float,
    displace_A: float,
    antisites: float,
) -> list[Atoms]:
    """So many structures of `make(seed)`, each scaled, strained and displaced in its own way.

    Args:
        count: how many.
        generator: of everything random.
        make: builds the ideal structure.
        scale: bounds of the factor of all lengths, drawn evenly.
        strain: standard deviation of the six components of a symmetric strain.
        displace_A: standard deviation of each coordinate's displacement.
        antisites: share of the cations that change places with anions.
    """
    low, high = _bounds(scale)
    found = []
    for _ in range(count):
        atoms = make(int(generator.integers(2**31)))
        if antisites:
            atoms = _with_antisites(atoms, antisites, int(generator.integers(2**31)))
        upper = np.triu(generator.normal(0.0, strain, (3, 3))) if strain else np.zeros((3, 3))
        shape = upper + np.triu(upper, 1).T
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + shape) * generator.uniform(low, high), scale_atoms=True)
        atoms.positions += generator.normal(0.0, displace_A, (len(atoms), 3)) if displace_A else 0.0
        found.append(atoms)
    return found


def _of_file(path: Path) -> list[Atoms]:
    """Structures without labels; FramesError names what is wrong with a folder."""
    from ase import Atoms
    from ase.io import read

    if path.is_dir():
        from nvnmd.training.frames import load_systems

        systems = load_systems(path)
        frames = [(s, k) for s in systems for k in range(s.n_frames)]
        return [Atoms(s.symbols, positions=s.positions[k], cell=s.cells[k], pbc=s.periodic) for s, k in frames]
    try:
        return list(read(path, index=":"))
    except Exception as error:  # ASE raises many kinds
        raise LearnError(f"{path}: ASE cannot read it ({error or type(error).__name__})") from None


def _rocksalt(formula: str, edge_A: float, cells: tuple[int, int, int], generator: np.random.Generator) -> Atoms:
    from ase import Atoms

    wanted = parse_composition(formula)
    anions = {e: n for e, n in wanted.items() if e in ANIONS}
    cations = {e: n for e, n in wanted.items() if e not in ANIONS}
    filled = sum(cations.values()) / max(sum(anions.values()), 1e-9)
    if not anions or not cations or filled > 1 + 1e-9:
        raise LearnError(f"{formula}: a rocksalt-like crystal needs anions and no more cations than these")
    corners = np.stack(np.meshgrid(*map(np.arange, cells), indexing="ij"), axis=-1).reshape(-1, 1, 3)
    face = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sites = (corners + face).reshape(-1, 3) * edge_A
    kinds = apportion(cations, round(filled * len(sites)))
    kept = np.sort(generator.permutation(len(sites))[: len(kinds)])
    symbols = [kinds[k] for k in generator.permutation(len(kinds))]
    symbols += generator.permutation(apportion(anions, len(sites))).tolist()
    positions = np.vstack([sites[kept], sites + edge_A / 2])
    return Atoms(symbols, positions=positions, cell=np.array(cells) * edge_A, pbc=True)


def _with_antisites(atoms: Atoms, share: float, seed: int) -> Atoms:
    """Swap a share of the cations with anions, each element in proportion."""
    symbols = atoms.get_chemical_symbols()
    present = dict.fromkeys(symbols)
    anions, cations = [e for e in present if e in ANIONS], [e for e in present if e not in ANIONS]
    if not anions or not cations:
        raise LearnError(f"{atoms.get_chemical_formula()}: anti-site defects need cations and anions")
    for number, cation in enumerate(cations):
        pairs = round(share * symbols.count(cation))
        atoms = with_antisites(atoms, pairs, cation, anions[number % len(anions)], seed + number)
    return atoms


def _at_density(atoms: Atoms, density: float) -> Atoms:
    factor = (len(atoms) / density / atoms.get_volume()) ** (1 / 3)
    atoms.set_cell(atoms.cell.array * factor, scale_atoms=True)
    return atoms


def _repeats(values: Sequence[int]) -> tuple[int, int, int]:
    if len(values) != 3 or min(values) < 1:
        raise LearnError(f"repeats {list(values)}: give three whole numbers from 1 on")
    x, y, z = (int(value) for value in values)
    return x, y, z


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    if len(values) != 2 or not 0 < values[0] <= values[1]:
        raise LearnError(f"scale {list(values)}: give a lower and an upper factor, as in [0.97, 1.03]")
    return float(values[0]), float(values[1])
