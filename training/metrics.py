"""Predictions of a float model for whole systems."""

from __future__ import annotations

import numpy as np
import torch

from nvnmd.training.collate import collate
from nvnmd.training.data import model_types
from nvnmd.training.evaluation import Predicted
from nvnmd.training.model import DeepPot
from nvnmd.training.prepare import prepare_frame
from nvnmd.training.system import System

__all__ = ["Predicted", "predict"]


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
