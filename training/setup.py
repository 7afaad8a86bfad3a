"""From settings and systems to a model and a trainer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nvnmd.training.data import DataError, FrameStore, model_types
from nvnmd.training.environment import environment_scales
from nvnmd.training.evaluation import data_digest, frame_hashes
from nvnmd.training.guard import Guard
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.neighbors import PairList, find_pairs
from nvnmd.training.sampler import Sampler, auto_batch_size
from nvnmd.training.settings import DataSettings, GuardSettings, Settings
from nvnmd.training.shifts import fit_energy_shifts
from nvnmd.training.splits import hold_out_blocks
from nvnmd.training.system import System
from nvnmd.training.trainer import Trainer

_STATISTICS_FRAMES = 200


@dataclass(frozen=True)
class TrainingData:
    """Systems of a run.

    Attributes:
        train: systems to train on; validation: held-out systems, maybe none.
        shifts: [n_types] energy shifts of each training system, eV; validation_shifts: of each held-out one.
        model_shifts: [n_types] shifts that the model predicts with.
    """

    train: Sequence[System]
    validation: Sequence[System]
    shifts: Sequence[NDArray[np.float64]]
    validation_shifts: Sequence[NDArray[np.float64]]
    model_shifts: NDArray[np.float64]


def prepare_data(
    systems: Sequence[System], held_out: Sequence[System] | None = None, held_out_fraction: float = 0.0
) -> TrainingData:
    """Split systems and fit energy shifts to the training part of each data set.

    Args:
        systems: to train on, with one type map.
        held_out: held-out systems; None holds out the last frames of each system instead.
        held_out_fraction: share of frames to hold out, if `held_out` is None.

    Raises:
        ShiftError: a held-out system belongs to a data set without training frames.
    """
    train, validation = list(systems), list(held_out or [])
    if held_out is None and held_out_fraction:
        split = hold_out_blocks(train, held_out_fraction)
        train, validation = split.train, split.held_out
    shifts = fit_energy_shifts(train)
    return TrainingData(
        train=train,
        validation=validation,
        shifts=[shifts.of(system) for system in train],
        validation_shifts=[shifts.of(system) for system in validation],
        model_shifts=shifts.of_model(),
    )


def build_model(settings: Settings, data: TrainingData) -> DeepPot:
    """A new model for some data: sizes, scales of the environment matrix, energy shifts, random parameters."""
    section, n_types = settings.model.descriptor, len(settings.model.type_map)
    pairs = _sample_pairs(settings, data.train)
    sel = section.sel
    if isinstance(sel, str):
        sel = auto_sel(pairs, n_types, float(sel[5:] or 1.1) if sel.startswith("auto:") else 1.1)
        sel = [sum(sel)] if section.type == "se_atten" else sel
    shape = ModelShape(
        type_map=tuple(settings.model.type_map),
        form=section.type,
        rcut=section.rcut,
        rcut_smth=section.rcut_smth,
        sel=tuple(sel) if isinstance(sel, list) else (sel,),
        neuron=tuple(section.neuron),
        axis_neuron=section.axis_neuron,
        fitting_neuron=tuple(settings.model.fitting_net.neuron),
        type_one_side=section.type_one_side,
    )
    seed = next(
        (s for s in (section.seed, settings.model.fitting_net.seed, settings.training.seed) if s is not None), None
    )
    model = DeepPot(shape, _guard(settings), seed).to(getattr(torch, settings.nvnmd.precision))
    model.radial_scale, model.angular_scale = environment_scales(
        pairs, n_types, shape.n_neighbors, shape.rcut_smth, shape.rcut, shared=shape.form == "se_atten"
    )
    model.energy_shifts = data.model_shifts.copy()
    return model


def auto_sel(frames: Sequence[tuple[PairList, NDArray[np.int64]]], n_types: int, margin: float) -> list[int]:
    """DeePMD-kit's `sel: "auto"`: most neighbors of each type times a margin, rounded up to a multiple of 4."""
    most = np.zeros(n_types)
    for pairs, types in frames:
        counts = np.zeros((len(types), n_types))
        np.add.at(counts, (pairs.centers, types[pairs.neighbors]), 1.0)
        most = np.maximum(most, counts.max(axis=0))
    return [max(4, 4 * int(np.ceil(value * margin / 4))) for value in most]


def build_trainer(
    model: DeepPot, settings: Settings, data: TrainingData, folder: Path, device: str = "cpu", **watchers: Any
) -> Trainer:
    """A trainer for a model; `watchers` are the `on_...` callbacks of `Trainer`. The model moves to the device."""
    model.to(device)
    cutoffs, precision = model.cutoffs(), getattr(torch, settings.nvnmd.precision)
    type_map, cache = model.shape.type_map, settings.nvnmd.cache_mb
    training = settings.training
    frames = FrameStore(data.train, type_map, cutoffs, data.shifts, precision, device, cache)
    validation = None
    if data.validation:
        store = FrameStore(data.validation, type_map, cutoffs, data.validation_shifts, precision, device, cache / 4)
        validation = store, _sampler(store, training.validation_data or training.training_data, training.seed)
    return Trainer(
        model,
        frames,
        _sampler(frames, training.training_data, training.seed),
        settings,
        folder,
        validation,
        fingerprint(settings, data, model),
        **watchers,
    )


def center_energies(model: DeepPot, frames: FrameStore, n_frames: int = 20) -> None:
    """Move the output biases so that the untrained model has the right mean energy; saves the first thousand steps."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, n_frames).astype(int))
    errors = []
    with torch.no_grad():
        for index in chosen:
            batch = frames.batch([int(index)])
            assert batch.labels is not None
            errors.append((batch.labels.energies - model(batch, virial=False).energies).item() / batch.n_atoms)
        model.fitting.biases[-1] += float(np.mean(errors))


def fingerprint(settings: Settings, data: TrainingData, model: DeepPot) -> dict[str, str]:
    """What a continued run must share with the run before."""
    dump = settings.model_dump(mode="json")
    del dump["training"]["training_data"], dump["training"]["validation_data"]
    for key in ("disp_file", "disp_freq", "save_freq", "save_ckpt", "tensorboard", "tensorboard_log_dir"):
        del dump["training"][key]
    del dump["nvnmd"]["cache_mb"]
    sections = {key: json.dumps(value, sort_keys=True) for key, value in dump.items()}
    digest = data_digest(data.train)
    return sections | {"batch_size": str(settings.training.training_data.batch_size), "training data": digest}


def provenance(settings: Settings, data: TrainingData) -> dict[str, Any]:
    """Where a model comes from, as JSON values: versions, settings, data."""
    return {
        "nvnmd": version("nvnmd"),
        "torch": torch.__version__,
        "settings": settings.model_dump(mode="json"),
        "training_data": [_describe(system) for system in data.train],
        "validation_data": [_describe(system) for system in data.validation],
    }


def _describe(system: System) -> dict[str, Any]:
    return {
        "name": system.name,
        "frames": system.n_frames,
        "label": system.label,
        "sha256": data_digest([system]),
        "frame_hashes": frame_hashes(system),
    }


def _guard(settings: Settings) -> Guard | None:
    guard = settings.nvnmd.guard
    if guard is False:
        return None
    guard = GuardSettings() if guard is True else guard
    return Guard.for_elements(settings.model.type_map, guard.inner, guard.outer)


def _sampler(frames: FrameStore, section: DataSettings, seed: int | None) -> Sampler:
    size = section.batch_size
    if isinstance(size, str):
        size = auto_batch_size([system.positions.shape[1] for system in frames.systems], size)
    assert isinstance(size, int)
    weights = section.sys_probs
    if weights is not None and len(weights) != len(frames.systems):
        raise DataError(f"sys_probs has {len(weights)} numbers for {len(frames.systems)} systems")
    if weights is None and section.auto_prob == "prob_uniform":
        weights = [1.0] * len(frames.systems)
    seed = int(np.random.SeedSequence().entropy or 0) % 2**32 if seed is None else seed
    return Sampler(frames.sizes, size, seed, weights)


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
