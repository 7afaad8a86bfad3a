"""Whether the frames of fine-tuning stand on the energy reference of the float model or on another."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nvnmd.quantize.ptq import spread_frames
from nvnmd.training.data import composition, model_types
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot
from nvnmd.training.references import References
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
    move = model.energy_shifts - data.model_shifts
    if not move.any():
        return model, _one_reference(model, data)
    kept = _moved(data, lambda system: move)
    if _offset(model, kept) <= _offset(model, data) + _SAME_EV:
        return model, _one_reference(model, kept)
    log.info("the frames stand on another energy reference than the float model; the model takes it over")
    moved = DeepPot.from_arrays(model.shape, model.guard, model.arrays())
    moved.energy_shifts = data.model_shifts.copy()
    return moved, _one_reference(moved, data)


def _moved(data: TrainingData, by: Callable[[System], Floats]) -> TrainingData:
    """The data with something added to the energy shifts of every system."""
    shifts, held = (
        [shift + by(system) for system, shift in zip(systems, values, strict=True)]
        for systems, values in ((data.train, data.shifts), (data.validation, data.validation_shifts))
    )
    return dataclasses.replace(data, shifts=shifts, validation_shifts=held)


def _one_reference(model: DeepPot, data: TrainingData) -> TrainingData:
    """The data with the constants between its sets as the model has them."""
    systems = [composition(system, model.shape.type_map) for system in data.train]
    references = References(systems)
    if references.moving:
        references.fit(systems, _errors(model, data))
    return _moved(data, lambda system: -references.values[system.dataset])


def _offset(model: DeepPot, data: TrainingData) -> float:
    """Magnitude of the mean energy error in eV/atom, labels and predictions without their shifts."""
    return float(abs(np.mean(_errors(model, data))))


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
