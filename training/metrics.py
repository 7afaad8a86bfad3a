"""Predictions for whole systems and their errors against the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nvnmd.training.batch import collate, prepare_frame
from nvnmd.training.data import model_types
from nvnmd.training.model import DeepPot
from nvnmd.training.system import System


@dataclass(frozen=True)
class Predicted:
    """What a model says of a system, atoms in the system's own order.

    Attributes:
        energies: [n_frames] eV; forces: [n_frames, n_atoms, 3] eV/angstrom; virials: [n_frames, 3, 3] eV.
    """

    energies: NDArray[np.float64]
    forces: NDArray[np.float64]
    virials: NDArray[np.float64]


@dataclass(frozen=True)
class Rmse:
    """Root-mean-square errors of one system or several.

    Attributes:
        name: of the system.
        n_frames: frames compared.
        energy: eV/atom; energy_offset: mean energy error, eV/atom (another reference of energy shows here).
        force: eV/angstrom over components; virial: eV/atom over components, NaN without labels.
    """

    name: str
    n_frames: int
    energy: float
    energy_offset: float
    force: float
    virial: float


def predict(model: DeepPot, system: System, atoms_per_batch: int = 2000) -> Predicted:
    """Evaluate a float model on every frame of a system, in the dtype and on the device of its parameters."""
    parameter = next(model.parameters())
    types = model_types(system, model.shape.type_map)
    n_frames, n_atoms = system.positions.shape[:2]
    shift = float(model.energy_shifts[types].sum())
    energies, virials = np.empty(n_frames), np.empty((n_frames, 3, 3))
    forces = np.empty((n_frames, n_atoms, 3))
    step = max(1, atoms_per_batch // n_atoms)
    for first in range(0, n_frames, step):
        chosen = range(first, min(first + step, n_frames))
        frames = [
            prepare_frame(
                system.positions[k],
                system.cells[k],
                types,
                model.cutoffs(),
                system.periodic,
                f"{system.name}, frame {k}",
                parameter.dtype,
            )
            for k in chosen
        ]
        with torch.no_grad():
            out = model(collate(frames).to(parameter.device))
        energies[chosen] = out.energies.cpu().double().numpy() + shift
        virials[chosen] = out.virials.cpu().double().numpy()
        by_frame = out.forces.cpu().double().numpy().T.reshape(len(frames), n_atoms, 3)
        for k, frame, values in zip(chosen, frames, by_frame, strict=True):
            forces[k, frame.order.numpy()] = values
    return Predicted(energies, forces, virials)


def rmse(system: System, predicted: Predicted) -> Rmse:
    """Errors of predictions against a system's labels."""
    n_atoms = system.positions.shape[1]
    energy = (predicted.energies - system.energies) / n_atoms
    virial = np.nan if system.virials is None else _rms((predicted.virials - system.virials) / n_atoms)
    return Rmse(
        name=system.name,
        n_frames=len(system.energies),
        energy=_rms(energy),
        energy_offset=float(energy.mean()),
        force=_rms(predicted.forces - system.forces),
        virial=float(virial),
    )


def pooled(rows: Sequence[tuple[Rmse, System]], name: str = "all") -> Rmse:
    """Errors over several systems: energies and virials weigh by frame, forces by force component."""
    frames = np.array([row.n_frames for row, _ in rows], dtype=np.float64)
    components = frames * [system.positions.shape[1] for _, system in rows]
    virial = np.array([row.virial for row, _ in rows])
    known = np.isfinite(virial)
    mean_virial = np.sqrt(np.average(virial[known] ** 2, weights=frames[known])) if known.any() else np.nan
    return Rmse(
        name=name,
        n_frames=int(frames.sum()),
        energy=float(np.sqrt(np.average([row.energy**2 for row, _ in rows], weights=frames))),
        energy_offset=float(np.average([row.energy_offset for row, _ in rows], weights=frames)),
        force=float(np.sqrt(np.average([row.force**2 for row, _ in rows], weights=components))),
        virial=float(mean_virial),
    )


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
