"""From settings and systems to a trainer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nvnmd.training.data import DataError, FrameStore
from nvnmd.training.evaluation import data_digest, frame_hashes
from nvnmd.training.model import DeepPot
from nvnmd.training.parallel import Ranks
from nvnmd.training.sampler import Sampler, auto_batch_size
from nvnmd.training.settings import DataSettings, Settings, parse_settings
from nvnmd.training.shifts import fit_energy_shifts
from nvnmd.training.splits import hold_out_blocks
from nvnmd.training.system import System
from nvnmd.training.trainer import Trainer

_RATE_KEYS = ("warmup_steps", "warmup_ratio", "warmup_start_factor", "smooth", "decay_phase_ratio", "decay_type")
_ADDED = (("nvnmd", "weight_decay"), *(("learning_rate", key) for key in _RATE_KEYS))
"""Keys that were not there in runs begun earlier, which can still go on."""


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


def build_trainer(
    model: DeepPot,
    settings: Settings,
    data: TrainingData,
    folder: Path,
    device: str = "cpu",
    ranks: Ranks | None = None,
    **watchers: Any,
) -> Trainer:
    """A trainer for a model; `watchers` are the `on_...` callbacks of `Trainer`. The model moves to the device.

    Raises:
        ParallelError: the batch has fewer frames than there are processes.
    """
    ranks = Ranks() if ranks is None else ranks
    model.set_arrays(ranks.share(model.arrays()))  # without a seed every process drew its own
    model.to(device)
    cutoffs, precision = model.cutoffs(), getattr(torch, settings.nvnmd.precision)
    type_map, cache = model.shape.type_map, settings.nvnmd.cache_mb
    training = settings.training
    frames = FrameStore(data.train, type_map, cutoffs, data.shifts, precision, device, cache)
    references = frames.follow_references()
    validation = None
    if data.validation:
        store = FrameStore(data.validation, type_map, cutoffs, data.validation_shifts, precision, device, cache / 4)
        store.follow_references(references)
        validation = store, _sampler(store, training.validation_data or training.training_data, training.seed)
    sampler = _sampler(frames, training.training_data, training.seed)
    sampler.restore(ranks.share(sampler.state()))
    return Trainer(
        model,
        frames,
        sampler,
        settings,
        folder,
        validation,
        fingerprint(settings, data),
        ranks=ranks,
        **watchers,
    )


def fingerprint(settings: Settings, data: TrainingData) -> dict[str, str]:
    """What a continued run must share with the run before."""
    dump = settings.model_dump(mode="json")
    del dump["training"]["training_data"], dump["training"]["validation_data"]
    for key in ("disp_file", "disp_freq", "save_freq", "save_ckpt", "tensorboard", "tensorboard_log_dir"):
        del dump["training"][key]
    del dump["nvnmd"]["cache_mb"]
    for section, key in _ADDED:
        if dump[section][key] == type(getattr(settings, section)).model_fields[key].default:
            del dump[section][key]
    sections = {key: json.dumps(value, sort_keys=True) for key, value in dump.items()}
    digest = data_digest(data.train)
    return sections | {"batch_size": str(settings.training.training_data.batch_size), "training data": digest}


def settings_for(model: DeepPot, systems: Sequence[str]) -> Settings:
    """Settings that describe a model which did not come from `nvnmd train`; a tenth of each system is held out."""
    shape = model.shape
    sel = shape.sel[0] if shape.form == "se_atten" else list(shape.sel)
    descriptor = {
        "type": shape.form,
        "rcut": shape.rcut,
        "rcut_smth": shape.rcut_smth,
        "sel": sel,
        "neuron": list(shape.neuron),
        "axis_neuron": shape.axis_neuron,
        "type_one_side": shape.type_one_side,
    }
    return parse_settings(
        {
            "model": {
                "type_map": list(shape.type_map),
                "descriptor": descriptor,
                "fitting_net": {"neuron": list(shape.fitting_neuron)},
            },
            "training": {"training_data": {"systems": list(systems)}},
            "nvnmd": {"guard": bool(model.guard.r_out.any()), "validation_fraction": 0.1},
        }
    )[0]


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


def _sampler(frames: FrameStore, section: DataSettings, seed: int | None) -> Sampler:
    size = section.batch_size
    if isinstance(size, str):
        size = auto_batch_size([system.positions.shape[1] for system in frames.systems], size)
    assert isinstance(size, int)
    weights = section.sys_probs
    if weights is not None and (len(weights) != len(frames.systems) or min(weights) < 0 or not sum(weights)):
        raise DataError(
            f"sys_probs must be {len(frames.systems)} numbers, one per system found, none below 0: {weights}"
        )
    if weights is None and section.auto_prob == "prob_uniform":
        weights = [1.0] * len(frames.systems)
    seed = secrets.randbits(32) if seed is None else seed
    return Sampler(frames.sizes, size, seed, weights)
