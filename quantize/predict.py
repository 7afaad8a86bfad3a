"""Predictions of an integer model for whole systems, vectorized; the same integers as the reference."""

from __future__ import annotations

import numpy as np
import torch

from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import pack_frame
from nvnmd.quantize.qat.model import IntegerPot
from nvnmd.quantize.qat.prepare import prepare_words
from nvnmd.training.data import model_types
from nvnmd.training.evaluation import Predicted
from nvnmd.training.system import System


def predict(integer: IntegerModel, system: System) -> Predicted:
    """Evaluate an integer model on every frame of a system.

    Raises:
        QuantizeError: a frame that the model cannot hold.
    """
    pot = IntegerPot.from_integer(integer)
    types = model_types(system, integer.type_map)
    shift = float(integer.energy_bias[types].sum()) * 2.0**-integer.formats.e_frac
    energies, virials = np.empty(system.n_frames), np.empty((system.n_frames, 3, 3))
    forces = np.empty((system.n_frames, system.n_atoms, 3))
    for k in range(system.n_frames):
        words = pack_frame(integer, system.positions[k], system.cells[k], types, system.periodic)
        with torch.no_grad():
            out = pot(prepare_words(integer, words))
        energies[k] = float(out.energies) + shift
        forces[k] = out.forces.numpy().T
        virials[k] = out.virials[0].numpy()
    return Predicted(energies, forces, virials)
