"""Whether the frames of fine-tuning stand on the energy reference of the float model or on another."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nvnmd.quantize.ptq import spread_frames
from nvnmd.training.data import model_types
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot
from nvnmd.training.references import Composition, References
from nvnmd.training.setup import TrainingData
from nvnmd.training.system import System

log = logging.getLogger("nvnmd.quantize")

Floats = NDArray[np.float64]

_FRAMES = 20
_SAME_EV = 0.05  # per atom; other codes, functionals or pseudopotentials differ by more, trained models by less


def match_reference(model: DeepPot, data: TrainingData) -> tuple[DeepPot, TrainingData]:
    """Bring the model and the energy shifts of the data to one energy reference.

    Energies of the same calculations are absolute: then the shifts fitted to these frames are replaced by those of the
    model. Energies of other calculations are not: then the model takes over the shifts of the data. That is so if
    it makes the mean error smaller by more than 50 meV/atom. Later data sets, if there are several, move by what the
    model has left of their energies (`References`).

    Returns:
        The model, with other energy shifts if need be, and the data with shifts that count from those of the model.
    """
    type_map, move = model.shape.type_map, model.energy_shifts - data.model_shifts
    systems = [Composition.of(s.dataset, model_types(s, type_map), len(type_map)) for s in data.train]
    references = References(systems)
    if not (move.any() or references.moving):
        return model, data
    errors = _errors(model, data)
    kept = [error + float(move @ system.shares) for error, system in zip(errors, systems, strict=True)]
    if abs(np.mean(kept)) <= abs(np.mean(errors)) + _SAME_EV:
        errors = kept
    else:
        log.info("the frames stand on another energy reference than the float model; the model takes it over")
        model = DeepPot.from_arrays(model.shape, model.guard, model.arrays())
        model.energy_shifts = data.model_shifts.copy()
        move = np.zeros_like(move)
    references.fit(systems, errors)
    return model, _moved(data, lambda system: move - references.values[system.dataset])


def _moved(data: TrainingData, by: Callable[[System], Floats]) -> TrainingData:
    """The data with something added to the energy shifts of every system."""
    shifts, held = (
        [shift + by(system) for system, shift in zip(systems, values, strict=True)]
        for systems, values in ((data.train, data.shifts), (data.validation, data.validation_shifts))
    )
    return dataclasses.replace(data, shifts=shifts, validation_shifts=held)


def _errors(model: DeepPot, data: TrainingData) -> list[float]:
    """Mean energy error of a few frames of every system to train on, predicted less labeled without shifts, eV/atom."""
    found = []
    for system, shift in zip(data.train, data.shifts, strict=True):
        types = model_types(system, model.shape.type_map)
        errors = []
        for frame in spread_frames([system], max(1, _FRAMES // len(data.train))):
            predicted = predict(model, frame).energies[0] - model.energy_shifts[types].sum()
            errors.append((predicted - frame.energies[0] + shift[types].sum()) / len(types))
        found.append(float(np.mean(errors)))
    return found
