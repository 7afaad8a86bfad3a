"""From settings and frames to a new model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray

from nvnmd.training.data import FrameStore, model_types
from nvnmd.training.environment import environment_scales
from nvnmd.training.guard import Guard
from nvnmd.training.model import DeepPot, ModelError, ModelShape
from nvnmd.training.neighbors import PairList, find_pairs
from nvnmd.training.references import Composition, References
from nvnmd.training.settings import GuardSettings, Settings
from nvnmd.training.system import System

_STATISTICS_FRAMES = 200


def build_model(settings: Settings, systems: Sequence[System], energy_shifts: NDArray[np.float64]) -> DeepPot:
    """A new model for some data: sizes, scales of the environment matrix, energy shifts, random parameters.

    Args:
        settings: the model section and the seeds are used.
        systems: to train on.
        energy_shifts: [n_types] eV.
    """
    section = settings.model.descriptor
    pairs = _sample_pairs(settings, systems)
    sel = section.sel
    if isinstance(sel, str):
        margin = float(sel.removeprefix("auto:")) if sel.startswith("auto:") else 1.1
        sel = auto_sel(pairs, len(settings.model.type_map), margin)
        sel = [sum(sel)] if section.type == "se_atten" else sel
    shape = _shape(settings, tuple(sel) if isinstance(sel, list) else (sel,))
    seed = next(
        (s for s in (section.seed, settings.model.fitting_net.seed, settings.training.seed) if s is not None), None
    )
    model = DeepPot(shape, _guard(settings), seed).to(getattr(torch, settings.nvnmd.precision))
    model.radial_scale, model.angular_scale = environment_scales(
        pairs, shape.n_types, shape.n_neighbors, shape.rcut_smth, shape.rcut, shared=shape.form == "se_atten"
    )
    model.energy_shifts = energy_shifts.copy()
    return model


def check_shape(model: DeepPot, settings: Settings) -> None:
    """Refuse settings that describe another model than the one at hand; `sel: "auto"` fits any.

    Raises:
        ModelError: naming every difference.
    """
    sel = settings.model.descriptor.sel
    given = model.shape.sel if isinstance(sel, str) else tuple(sel) if isinstance(sel, list) else (sel,)
    wanted, found = asdict(_shape(settings, given)), asdict(model.shape)
    differences = [f"{key} {found[key]} (settings: {wanted[key]})" for key in found if found[key] != wanted[key]]
    if differences:
        raise ModelError(
            f"the model to start from has {', '.join(differences)}; let model in the settings say the same"
        )


def _shape(settings: Settings, sel: tuple[int, ...]) -> ModelShape:
    section = settings.model.descriptor
    return ModelShape(
        type_map=tuple(settings.model.type_map),
        form=section.type,
        rcut=section.rcut,
        rcut_smth=section.rcut_smth,
        sel=sel,
        neuron=tuple(section.neuron),
        axis_neuron=section.axis_neuron,
        fitting_neuron=tuple(settings.model.fitting_net.neuron),
        type_one_side=section.type_one_side,
    )


def auto_sel(frames: Sequence[tuple[PairList, NDArray[np.int64]]], n_types: int, margin: float) -> list[int]:
    """DeePMD-kit's `sel: "auto"`: most neighbors of each type times a margin, rounded up to a multiple of 4."""
    most = np.zeros(n_types)
    for pairs, types in frames:
        counts = np.zeros((len(types), n_types))
        np.add.at(counts, (pairs.centers, types[pairs.neighbors]), 1.0)
        most = np.maximum(most, counts.max(axis=0))
    return [max(4, 4 * int(np.ceil(value * margin / 4))) for value in most]


def center_energies(model: DeepPot, frames: FrameStore, n_frames: int = 20) -> None:
    """Move the output biases so that the untrained model has the right mean energy; saves the first thousand steps."""
    errors, _ = _energy_errors(model, frames, n_frames)
    model.add_energies(np.full(model.shape.n_types, -np.mean(errors)))


def settle_energies(model: DeepPot, frames: FrameStore, n_frames: int = 200) -> None:
    """Move the output bias of each element so that a model of other frames meets the energies of these on average.

    Energy shifts are fitted to the frames at hand. Where their compositions or labels differ from those that the model
    learned, the networks would otherwise begin with errors of tenths of an eV per atom, which break what they know.
    Constants between data sets are found along with it.
    """
    errors, systems = _energy_errors(model, frames, n_frames)
    references = References(systems) if frames.references is None else frames.references
    model.add_energies(references.fit(systems, errors, model_moves=True))


def _energy_errors(model: DeepPot, frames: FrameStore, n_frames: int) -> tuple[list[float], list[Composition]]:
    """Predictions less labels of evenly spread frames, eV per atom, and what they are made of."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, n_frames).astype(int))
    errors, systems = [], []
    with torch.no_grad():
        for index in chosen:
            batch = frames.batch([int(index)])
            assert batch.labels is not None
            errors.append((model(batch, virial=False).energies - batch.labels.energies).item() / batch.n_atoms)
            systems.append(frames.compositions[frames.locate(int(index))[0]])
    return errors, systems


def _guard(settings: Settings) -> Guard | None:
    guard = settings.nvnmd.guard
    if guard is False:
        return None
    guard = GuardSettings() if guard is True else guard
    return Guard.for_elements(settings.model.type_map, guard.inner, guard.outer)


def _sample_pairs(settings: Settings, systems: Sequence[System]) -> list[tuple[PairList, NDArray[np.int64]]]:
    """Pairs and types of frames spread evenly over the data."""
    places = [(system, k) for system in systems for k in range(len(system.energies))]
    chosen = np.unique(np.linspace(0, len(places) - 1, _STATISTICS_FRAMES).astype(int))
    sample = []
    for index in chosen:
        system, k = places[index]
        types = model_types(system, settings.model.type_map)
        pairs = find_pairs(system.positions[k], system.cells[k], settings.model.descriptor.rcut, system.periodic)
        sample.append((pairs, types))
    return sample
