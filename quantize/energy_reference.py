"""Whether the frames of fine-tuning stand on the energy reference of the float model or on another."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nvnmd.quantize.ptq import spread_frames
from nvnmd.training.data import model_types
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot
from nvnmd.training.setup import TrainingData
from nvnmd.training.system import System

log = logging.getLogger("nvnmd.quantize")

_FRAMES = 20
_SAME_EV = 0.05  # per atom; other codes, functionals or pseudopotentials differ by more, trained models by less


def match_reference(model: DeepPot, data: TrainingData) -> tuple[DeepPot, TrainingData]:
    """Bring the model and the energy shifts of the data to one energy reference.

    Energies of the same calculations are absolute: then the shifts fitted to these frames are replaced by those of the
    model. Energies of other calculations are not: then the model takes over the shifts of the data. That is so if
    it makes the mean error smaller by more than 50 meV/atom.

    Returns:
        The model, with other energy shifts if need be, and the data with shifts that count from those of the model.
    """
    move = model.energy_shifts - data.model_shifts
    if not move.any():
        return model, data
    kept = dataclasses.replace(
        data,
        shifts=[shift + move for shift in data.shifts],
        validation_shifts=[shift + move for shift in data.validation_shifts],
    )
    if _offset(model, kept.train, kept.shifts) <= _offset(model, data.train, data.shifts) + _SAME_EV:
        return model, kept
    log.info("the frames stand on another energy reference than the float model; the model takes it over")
    moved = DeepPot.from_arrays(model.shape, model.guard, model.arrays())
    moved.energy_shifts = data.model_shifts.copy()
    return moved, data


def _offset(model: DeepPot, systems: Sequence[System], shifts: Sequence[NDArray[np.float64]]) -> float:
    """Magnitude of the mean energy error in eV/atom, labels and predictions without their shifts."""
    errors = []
    for system, shift in zip(systems, shifts, strict=True):
        types = model_types(system, model.shape.type_map)
        for frame in spread_frames([system], max(1, _FRAMES // len(systems))):
            predicted = predict(model, frame).energies[0] - model.energy_shifts[types].sum()
            labeled = frame.energies[0] - shift[types].sum()
            errors.append((predicted - labeled) / len(types))
    return float(abs(np.mean(errors)))
