"""Fine-tuning of the integer model with the trainer's own loop, loss and files; the best model is always on disk."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import load_model, save_model
from nvnmd.quantize.qat.model import IntegerPot
from nvnmd.quantize.qat.store import WordStore
from nvnmd.training.data import FrameStore
from nvnmd.training.evaluation import data_digest
from nvnmd.training.loss import Prefactors, loss
from nvnmd.training.model import DeepPot
from nvnmd.training.sampler import Sampler, auto_batch_size
from nvnmd.training.settings import LearningRateSettings, Settings
from nvnmd.training.setup import TrainingData
from nvnmd.training.system import System
from nvnmd.training.trainer import Progress, Trainer

log = logging.getLogger("nvnmd.quantize")

MODEL_FILE = "model.nvnmd"
_JUDGE_FRAMES = 60


@dataclass(frozen=True)
class TuningOptions:
    """How to fine-tune.

    Attributes:
        steps: training steps; start_lr, stop_lr: the learning rate falls exponentially from one to the other.
        seed: of the order of frames.
    """

    steps: int = 1000
    start_lr: float = 1e-4
    stop_lr: float = 1e-6
    seed: int = 1


def tuning_settings(settings: Settings, options: TuningOptions) -> Settings:
    """The settings of FP32 training, made those of fine-tuning: small learning rate, prefactors at their limits."""
    s = settings.loss
    limits = {"start_pref_e": s.limit_pref_e, "start_pref_f": s.limit_pref_f, "start_pref_v": s.limit_pref_v}
    lines = {"disp_freq": max(1, options.steps // 20), "save_freq": max(1, options.steps // 10)}
    return settings.model_copy(
        update={
            "loss": s.model_copy(update=limits),
            "learning_rate": LearningRateSettings(start_lr=options.start_lr, stop_lr=options.stop_lr),
            "training": settings.training.model_copy(update={"numb_steps": options.steps} | lines),
        }
    )


class Tuner:
    """Fine-tunes an integer model; whatever happens, ``folder/model.nvnmd`` is the best model so far.

    "Best" is the loss with the limit prefactors over held-out frames (training frames if there are none), the model
    quantized after training included: the result is never worse than that.

    Args:
        model: the float model.
        integer: its integer model, quantized after training.
        data: training and held-out systems, on the energy reference of the model (``energy_reference``).
        settings: of FP32 training; loss prefactors, batch size and file names are used.
        options: how to fine-tune.
        folder: where everything goes; must exist.
        restart: continue from the checkpoint in the folder.

    Attributes:
        best: the best integer model so far; its provenance names the step and the loss.
    """

    def __init__(
        self,
        model: DeepPot,
        integer: IntegerModel,
        data: TrainingData,
        settings: Settings,
        options: TuningOptions,
        folder: Path,
        restart: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> None:
        self.path, self._options, self._on_progress = folder / MODEL_FILE, options, on_progress
        self._settings = tuning_settings(settings, options)
        self._pot = IntegerPot.from_float(model, integer)
        self._judges = _judging_store(integer, data)
        self.trainer = self._make_trainer(data, folder, on_step)
        if restart:
            self.best = load_model(self.path)
            self.trainer.resume()
        else:
            self.best = self._marked(integer, 0, self._loss())
            save_model(self.best, self.path)

    @property
    def best_loss(self) -> float:
        """Loss of the best model over the judging frames."""
        return float(self.best.provenance["quantize"]["best"]["loss"])

    def run(self) -> bool:
        """Train; whether the last step was reached (SIGINT and SIGTERM stop between steps)."""
        return self.trainer.run()

    def _make_trainer(self, data: TrainingData, folder: Path, on_step: Callable[[int], None] | None) -> Trainer:
        settings, integer = self._settings, self._pot.integer
        cache = settings.nvnmd.cache_mb
        store = WordStore(integer, data.train, data.shifts, cache)
        held = WordStore(integer, data.validation, data.validation_shifts, cache / 4) if data.validation else None
        sampler = _sampler(store, settings, self._options.seed)
        # The loop asks of a store and its batches only what word stores have, too.
        validation = (cast(FrameStore, held), _sampler(held, settings, self._options.seed)) if held else None
        digest = {"training data": data_digest(data.train), "options": str(asdict(self._options))}
        digest |= {"formats": str(integer.formats.to_dict())}
        return Trainer(
            self._pot, cast(FrameStore, store), sampler, settings, folder, validation, digest, self._progress, on_step
        )

    def _progress(self, progress: Progress) -> None:
        self._pot.fitting.keep_in_range()
        value = self._loss()
        if value < self.best_loss:
            try:
                self.best = self._marked(self._pot.export(), progress.step, value)
            except QuantizeError as error:
                log.warning("step %d is better, but left the number formats: %s", progress.step, error)
            else:
                save_model(self.best, self.path)
        if self._on_progress is not None:
            self._on_progress(progress)

    def _marked(self, integer: IntegerModel, step: int, value: float) -> IntegerModel:
        record: dict[str, Any] = dict(integer.provenance.get("quantize", {}))
        record |= {"tuning": asdict(self._options), "best": {"step": step, "loss": value}}
        return dataclasses.replace(integer, provenance=integer.provenance | {"quantize": record})

    @torch.no_grad()
    def _loss(self) -> float:
        prefactors = Prefactors.at(self._settings.loss, 0.0)
        virial = prefactors.virial > 0
        batches = (self._judges.batch([index]) for index in range(len(self._judges)))
        values = [float(loss(self._pot(b, virial=virial), cast(Any, b), prefactors).total) for b in batches]
        return sum(values) / len(values)


def _sampler(store: WordStore, settings: Settings, seed: int) -> Sampler:
    size = settings.training.training_data.batch_size
    if isinstance(size, str):
        size = auto_batch_size([system.n_atoms for system in store.systems], size)
    assert isinstance(size, int)
    return Sampler(store.sizes, size, seed)


def _judging_store(integer: IntegerModel, data: TrainingData) -> WordStore:
    """Frames that decide which model is best: all held-out ones, or some training frames; spread over the systems."""
    held = bool(data.validation)
    pairs = list(zip(*(data.validation, data.validation_shifts) if held else (data.train, data.shifts), strict=True))
    total = sum(system.n_frames for system, _ in pairs)
    step = max(1, -(-total // _JUDGE_FRAMES))
    chosen: list[System] = [system.select(slice(0, None, step)) for system, _ in pairs]
    return WordStore(integer, chosen, [shift for _, shift in pairs])
