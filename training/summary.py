"""What a data set holds, system by system, and what to look out for in it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nvnmd.training.frame_checks import consecutive_moves
from nvnmd.training.neighbors import find_pairs
from nvnmd.training.system import Floats, System

CORRELATED_MOVE_A = 0.2  # independent frames of a crystal at room temperature differ by about 0.3
GPA_PER_EV_A3 = 160.21766


@dataclass(frozen=True)
class SystemSummary:
    """One system in numbers.

    Attributes:
        name, dataset, label, formula, n_frames, n_atoms, periodic: as in `System`.
        energy_min, energy_mean, energy_max: eV/atom.
        force_rms: over components; force_max: largest norm; eV/angstrom.
        virial: whether there are labels; pressure_min, pressure_max: trace of virial / (3 volume), GPa, or None.
        density_min, density_max: atoms per cubic angstrom, or None without a cell.
        shortest: shortest distance by pair of elements such as "Ge-Te", angstrom; pairs farther than rcut are left out.
        neighbors_mean, neighbors_max: within rcut.
        move: median over consecutive frames of the atoms' root-mean-square displacement, angstrom; None for one frame.
        warnings: sentences.
    """

    name: str
    dataset: str
    label: str
    formula: str
    n_frames: int
    n_atoms: int
    periodic: bool
    energy_min: float
    energy_mean: float
    energy_max: float
    force_rms: float
    force_max: float
    virial: bool
    pressure_min: float | None
    pressure_max: float | None
    density_min: float | None
    density_max: float | None
    shortest: dict[str, float]
    neighbors_mean: float
    neighbors_max: int
    move: float | None
    warnings: tuple[str, ...]


def summarize(system: System, rcut: float = 6.0) -> SystemSummary:
    """Summary of one system; `rcut` (angstrom) bounds neighbors and shortest distances."""
    energy = system.energies / system.n_atoms
    shortest, mean, most = _neighborhood(system, rcut)
    move = _typical_move(system)
    pressure = None if system.virials is None or not system.periodic else _pressures(system)
    density = system.n_atoms / system.volumes if system.periodic else None
    return SystemSummary(
        name=system.name,
        dataset=system.dataset,
        label=system.label,
        formula=system.formula,
        n_frames=system.n_frames,
        n_atoms=system.n_atoms,
        periodic=system.periodic,
        energy_min=float(energy.min()),
        energy_mean=float(energy.mean()),
        energy_max=float(energy.max()),
        force_rms=float(np.sqrt(np.mean(system.forces**2))),
        force_max=float(np.linalg.norm(system.forces, axis=2).max()),
        virial=system.virials is not None,
        pressure_min=None if pressure is None else float(pressure.min()),
        pressure_max=None if pressure is None else float(pressure.max()),
        density_min=None if density is None else float(density.min()),
        density_max=None if density is None else float(density.max()),
        shortest=shortest,
        neighbors_mean=mean,
        neighbors_max=most,
        move=move,
        warnings=tuple(_warnings(system, move)),
    )


def data_summary(systems: Sequence[System], rcut: float = 6.0) -> dict[str, Any]:
    """Every system and the whole data set as JSON values; keys as in `SystemSummary`."""
    rows = [summarize(system, rcut) for system in systems]
    frames = np.array([row.n_frames for row in rows])
    atoms = np.array([row.n_atoms for row in rows])
    shortest: dict[str, float] = {}
    for pair, distance in itertools.chain.from_iterable(row.shortest.items() for row in rows):
        shortest[pair] = min(distance, shortest.get(pair, distance))
    return {
        "rcut": rcut,
        "systems": [asdict(row) for row in rows],
        "all": {
            "n_frames": int(frames.sum()),
            "n_environments": int(frames @ atoms),
            "elements": list(dict.fromkeys(e for s in systems for e in s.symbols)),
            "datasets": list(dict.fromkeys(row.dataset for row in rows)),
            "labels": list(dict.fromkeys(row.label for row in rows)),
            "force_rms": float(np.sqrt(np.average([row.force_rms**2 for row in rows], weights=frames * atoms))),
            "force_max": max(row.force_max for row in rows),
            "frames_with_virial": int(sum(row.n_frames for row in rows if row.virial)),
            "shortest": dict(sorted(shortest.items())),
            "neighbors_max": max(row.neighbors_max for row in rows),
        },
    }


def _neighborhood(system: System, rcut: float) -> tuple[dict[str, float], float, int]:
    """Shortest distance by pair of elements, mean and largest number of neighbors."""
    n_types = len(system.type_map)
    shortest, total, most = np.full(n_types * n_types, np.inf), 0, 0
    for positions, cell in zip(system.positions, system.cells, strict=True):
        pairs = find_pairs(positions, cell, rcut, system.periodic)
        first, second = system.types[pairs.centers], system.types[pairs.neighbors]
        np.minimum.at(shortest, np.minimum(first, second) * n_types + np.maximum(first, second), pairs.distances)
        counts = np.bincount(pairs.centers, minlength=system.n_atoms)
        total, most = total + int(counts.sum()), max(most, int(counts.max()))
    found = np.flatnonzero(np.isfinite(shortest))
    named = {f"{system.type_map[k // n_types]}-{system.type_map[k % n_types]}": float(shortest[k]) for k in found}
    return named, total / (system.n_frames * system.n_atoms), most


def _typical_move(system: System) -> float | None:
    if system.n_frames < 2:
        return None
    squares = np.sum(consecutive_moves(system) ** 2, axis=2).mean(axis=1)
    return float(np.median(np.sqrt(squares)))


def _pressures(system: System) -> Floats:
    """[n_frames] GPa, positive under compression; without the kinetic part."""
    assert system.virials is not None
    return np.asarray(np.trace(system.virials, axis1=1, axis2=2) / (3.0 * system.volumes) * GPA_PER_EV_A3)


def _warnings(system: System, move: float | None) -> list[str]:
    found = []
    if move is not None and move < 1e-6:
        found.append("consecutive frames are copies of each other")
    elif move is not None and move < CORRELATED_MOVE_A:
        found.append(
            f"correlated: consecutive frames differ by {move:.3f} A only; split by system or by block of frames"
        )
    if system.virials is None:
        found.append("no virial: pressure is not learned from it")
    if system.label != "dft":
        found.append(f"labels are not DFT but {system.label}")
    return found
