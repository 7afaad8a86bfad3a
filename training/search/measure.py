"""Train one network for a short time and measure it on the held-out frames."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from nvnmd.training.build import build_model, center_energies
from nvnmd.training.evaluation import Evaluated, errors
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot
from nvnmd.training.model_file import save_model
from nvnmd.training.settings import Settings
from nvnmd.training.setup import TrainingData, build_trainer, provenance
from nvnmd.training.system import System

MODEL = "model.safetensors"

Watcher = Callable[[int, float], bool]
"""Told steps and force RMSE (eV/angstrom) at each rung; whether training goes on."""


@dataclass
class Trained:
    """What became of a short training.

    Attributes:
        model: where it stopped; complete: whether that was the last step; pruned: whether a watcher stopped it.
        rungs: force RMSE of the held-out frames by number of steps, eV/angstrom.
        cpu_s: CPU seconds that it took.
    """

    model: DeepPot
    complete: bool
    pruned: bool
    rungs: dict[int, float] = field(default_factory=dict)
    cpu_s: float = 0.0


def train_network(
    settings: Settings,
    data: TrainingData,
    folder: Path,
    rungs: Sequence[int] = (),
    watch: Watcher | None = None,
    stop: threading.Event | None = None,
) -> Trained:
    """Train a network from random weights, looking at all held-out frames after each number of steps in `rungs`.

    The model of a training that reached its last step is left in the folder. `stop` ends it as Ctrl-C does.

    Raises:
        TrainingError: the loss is no longer a finite number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    model = build_model(settings, data.train, data.model_shifts)
    trainer = build_trainer(model, settings, data, folder)
    trained = Trained(model, complete=False, pruned=False)
    center_energies(model, trainer.frames)

    def look(step: int) -> None:
        if stop is not None and stop.is_set():
            trainer.request_stop()
            return
        if step in rungs:
            trained.rungs[step] = force_rmse(model, data.validation)
            if watch is not None and not watch(step, trained.rungs[step]):
                trained.pruned = True
                trainer.request_stop()

    trainer.on_step = look
    trained.complete = trainer.run()
    trained.cpu_s = time.process_time() - began
    trainer.checkpoint_path.unlink(missing_ok=True)
    if trained.complete:
        save_model(model, folder / MODEL, provenance(settings, data) | {"steps": trainer.step})
    return trained


def force_rmse(model: DeepPot, systems: Sequence[System]) -> float:
    """Force RMSE over all frames of the systems, eV/angstrom."""
    return errors([Evaluated(system, predict(model, system), "held out") for system in systems]).force_rmse


def rounded(model: DeepPot, bits: int) -> DeepPot:
    """A copy whose fitting weights are integers of `bits` bits times one power of two a layer, not trained again.

    This is the rounding of the integer model (docs/numerics.md, section 9) without its other formats; a layer is that
    of all elements, and the power of two is the smallest with which its largest weight fits.
    """
    result = copy.deepcopy(model)
    most = 2 ** (bits - 1) - 1
    with torch.no_grad():
        for weight in result.fitting.weights:
            largest = float(weight.abs().max())
            if largest == 0:
                continue
            exponent = torch.floor(torch.log2(torch.tensor(most / largest, dtype=torch.float64)))
            unit = float(2.0**-exponent)
            weight.copy_((weight / unit).round().clamp(-most, most) * unit)
    return result
