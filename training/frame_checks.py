"""Checks that every set of frames passes before anything is trained on it."""

from __future__ import annotations

import logging

import numpy as np

from nvnmd.training.neighbors import GeometryError, find_pairs
from nvnmd.training.system import Floats, FramesError, System

logger = logging.getLogger(__name__)

MAX_FORCE = 100.0  # eV/angstrom
TOO_CLOSE_A = 0.5  # below every bond; H2 has 0.74
LARGE_RMS_FORCE = 12.0  # eV/angstrom; 0.65 in hot liquid GeTe, which is 15 kcal/mol/angstrom
HARTREE_PER_BOHR = 51.42206747  # eV/angstrom
KCAL_PER_MOL = 0.0433641  # eV


def check_system(system: System, max_force: float = MAX_FORCE, check_units: bool = True) -> None:
    """Refuse frames that would spoil a training.

    Args:
        system: as read.
        max_force: the largest force taken for real, eV/angstrom.
        check_units: also look at the size of the labels.

    Raises:
        FramesError: naming frame and atom.
    """
    _check_elements(system)
    _check_shapes(system)
    _check_finite(system)
    _check_cells(system)
    _check_forces(system, max_force)
    _check_distances(system)
    if check_units:
        check_label_units(system)


def _check_elements(system: System) -> None:
    from ase.data import atomic_numbers

    for element in system.type_map:
        if atomic_numbers.get(element, 0) == 0:
            raise FramesError(f"{system.name}: {element!r} in the type map is not the symbol of an element")


def _check_shapes(system: System) -> None:
    n, m = system.n_frames, system.n_atoms
    wanted = {
        "cells": (n, 3, 3),
        "positions": (n, m, 3),
        "energies": (n,),
        "forces": (n, m, 3),
        "virials": (n, 3, 3),
    }
    for key, shape in wanted.items():
        array = getattr(system, key)
        if array is not None and array.shape != shape:
            raise FramesError(f"{system.name}: {key} has the shape {array.shape}, not {shape}")
    if n == 0 or m == 0:
        raise FramesError(f"{system.name}: holds {n} frames of {m} atoms")


def _check_finite(system: System) -> None:
    for key in ("cells", "positions", "energies", "forces", "virials"):
        array = getattr(system, key)
        if array is not None and not np.isfinite(array).all():
            bad = np.argwhere(~np.isfinite(array))[0]
            atom = f", atom {bad[1]}" if key in ("positions", "forces") else ""
            raise FramesError(
                f"{system.name}, frame {bad[0]}{atom}: {key} is {array[tuple(bad)]}; leave this frame out"
            )


def _check_cells(system: System) -> None:
    if system.periodic and (flat := np.flatnonzero(system.volumes < 1.0)).size:
        raise FramesError(
            f"{system.name}, frame {flat[0]}: the cell has a volume of {system.volumes[flat[0]]:.3g} A^3; a cluster "
            "without cell must say that it is not periodic"
        )


def _check_forces(system: System, max_force: float) -> None:
    norms = np.linalg.norm(system.forces, axis=2)
    if (bad := np.argwhere(norms > max_force)).size:
        frame, atom = bad[0]
        raise FramesError(
            f"{system.name}, frame {frame}, atom {atom}: a force of {norms[frame, atom]:.4g} eV/A is more than "
            f"{max_force:g} ({len(np.unique(bad[:, 0]))} frames have one); leave such frames out, or raise max_force "
            "if they are meant"
        )


def _check_distances(system: System) -> None:
    for k in range(system.n_frames):
        name = f"{system.name}, frame {k}"
        try:  # a search radius far below the atoms' spacing would cost time in empty bins
            pairs = find_pairs(system.positions[k], system.cells[k], 4 * TOO_CLOSE_A, system.periodic, name)
        except GeometryError as error:
            raise FramesError(str(error)) from None
        if pairs.distances.size and pairs.distances.min() < TOO_CLOSE_A:
            worst = int(pairs.distances.argmin())
            raise FramesError(
                f"{name}: atoms {pairs.centers[worst]} and {pairs.neighbors[worst]} are "
                f"{pairs.distances[worst]:.3f} A apart; are positions and cell in angstrom?"
            )


def check_label_units(system: System) -> None:
    """Refuse labels that are not in eV and eV/angstrom, where their size shows it.

    The surest sign is the work: between two frames of a trajectory with little motion in between, the energy changes by
    minus force times displacement. A wrong ratio means that energies, forces and positions do not share their units.
    Forces far too large for any solid are taken for kcal/mol/angstrom; far too small ones only bring a warning.

    Raises:
        FramesError: saying the suspected unit.
    """
    rms = float(np.sqrt(np.mean(system.forces**2)))
    if rms > LARGE_RMS_FORCE:
        raise FramesError(
            f"{system.name}: forces of {rms:.3g} eV/A on average are too large; are they in kcal/mol/A (multiply by "
            f"{KCAL_PER_MOL}) or another unit? With check_units off they are taken as they are"
        )
    ratio = energy_work_ratio(system)
    if ratio is not None and not 1 / 3 < ratio < 3:
        raise FramesError(
            f"{system.name}: between consecutive frames the energy changes by {ratio:.3g} times what forces and "
            f"displacements give, so they do not belong together ({_suspect(ratio)}); wanted are eV, "
            "A and eV/A; with check_units off they are taken as they are"
        )
    if ratio is None and rms < 0.02 and system.n_frames > 1 and _scatter(system) > 0.3:
        logger.warning(
            "%s: forces of %.2g eV/A on average are small for atoms that move; in hartree/bohr they would be %.2g",
            system.name,
            rms,
            rms * HARTREE_PER_BOHR,
        )


def energy_work_ratio(system: System, max_move_A: float = 0.3) -> float | None:
    """Slope of the energy differences of consecutive frames against minus force times displacement; 1 in equal units.

    None where fewer than three pairs of frames lie close together, or where the two are not proportional.
    """
    moves = consecutive_moves(system)
    close = np.flatnonzero(np.linalg.norm(moves, axis=2).max(axis=1) < max_move_A)
    close = close[(system.cells[close] == system.cells[close + 1]).all(axis=(1, 2))]
    if close.size < 3:
        return None
    mean_force = 0.5 * (system.forces[close] + system.forces[close + 1])
    work = -np.einsum("fax,fax->f", mean_force, moves[close])
    change = system.energies[close + 1] - system.energies[close]
    if not work.any() or not change.any():
        return None
    cosine = work @ change / np.sqrt((work @ work) * (change @ change))
    return float(work @ change / (work @ work)) if abs(cosine) > 0.95 else None


def consecutive_moves(system: System) -> Floats:
    """[n_frames - 1, n_atoms, 3] displacement of each atom from frame to frame, angstrom, by the shortest way."""
    moves = np.diff(system.positions, axis=0)
    if not system.periodic or len(moves) == 0:
        return moves
    fractional = np.einsum("fax,fxk->fak", moves, np.linalg.inv(system.cells[1:]))
    return np.einsum("fak,fkx->fax", fractional - np.round(fractional), system.cells[1:])


def _scatter(system: System) -> float:
    return float(np.sqrt(np.mean(np.sum(consecutive_moves(system) ** 2, axis=2))))


def _suspect(ratio: float) -> str:
    if ratio < 0.0:
        return "gradients instead of forces?"
    known = {
        HARTREE_PER_BOHR: "forces in hartree/bohr?",
        1 / HARTREE_PER_BOHR: "forces in eV/A but energies in another unit?",
        1 / 27.211386: "energies in hartree?",
        1 / KCAL_PER_MOL: "energies in kcal/mol?",
        KCAL_PER_MOL: "forces in kcal/mol/A?",
        1000.0: "energies in meV?",
    }
    nearest = min(known, key=lambda value: abs(np.log(ratio / value)))
    return known[nearest] if 0.7 < ratio / nearest < 1.4 else "of an unknown kind"
