"""Fine-tuning of the integer model with the trainer's own loop, loss and files; the best model is always on disk."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import load_model, save_model
from nvnmd.quantize.qat.judging import Judge, Verdict
from nvnmd.quantize.qat.model import IntegerPot
from nvnmd.quantize.qat.store import WordStore
from nvnmd.training.data import FrameStore
from nvnmd.training.evaluation import data_digest
from nvnmd.training.loss import Prefactors
from nvnmd.training.model import DeepPot
from nvnmd.training.sampler import Sampler, auto_batch_size
from nvnmd.training.schedule import LearningRateSettings
from nvnmd.training.settings import Settings
from nvnmd.training.setup import TrainingData
from nvnmd.training.trainer import Progress, Trainer

log = logging.getLogger("nvnmd.quantize")

MODEL_FILE = "model.nvnmd"


@dataclass(frozen=True)
class TuningOptions:
    """How to fine-tune.

    Attributes:
        steps: training steps; start_lr, stop_lr: the learning rate falls exponentially from one to the other.
        seed: of the order of frames.
    """

    steps: int = 1000
    start_lr: float = 2e-5
    stop_lr: float = 2e-6
    seed: int = 1


def tuning_settings(settings: Settings, options: TuningOptions) -> Settings:
    """The settings of FP32 training, made those of fine-tuning: as if training went on at a small learning rate.

    The prefactors of the loss are those that training had, or would have had, at the same learning rates.
    """
    progress = options.start_lr / settings.learning_rate.start_lr
    start = Prefactors.at(settings.loss, min(1.0, progress))
    prefactors = {"start_pref_e": start.energy, "start_pref_f": start.force, "start_pref_v": start.virial}
    lines = {"disp_freq": max(1, options.steps // 20), "save_freq": max(1, options.steps // 10)}
    return settings.model_copy(
        update={
            "loss": settings.loss.model_copy(update=prefactors),
            "learning_rate": LearningRateSettings(start_lr=options.start_lr, stop_lr=options.stop_lr),
            "training": settings.training.model_copy(update={"numb_steps": options.steps} | lines),
            "nvnmd": settings.nvnmd.model_copy(update={"optimizer": "adam", "weight_decay": 0.0}),
        }
    )


class Tuner:
    """Fine-tunes an integer model; whatever happens, ``folder/model.nvnmd`` is the best model so far.

    "Best" is the loss over held-out frames (training frames if there are none), as long as neither energies nor forces
    are worse than those of the model quantized after training (see ``judging``).

    Args:
        model: the float model.
        integer: its integer model, quantized after training.
        data: training and held-out systems, on the energy reference of the model (``energy_reference``).
        settings: of FP32 training; loss prefactors, batch size and file names are used.
        options: how to fine-tune.
        folder: where everything goes; must exist.
        restart: continue from the checkpoint in the folder.

    Attributes:
        best: the best integer model so far; its provenance names the step and the errors.
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
        final = Prefactors.at(self._settings.loss, options.stop_lr / options.start_lr)
        self._judge = Judge(integer, data, final)
        self.trainer = self._make_trainer(data, folder, on_step)
        if restart:
            self.best = load_model(self.path)
            self.trainer.resume()
        else:
            verdict = self._judge(self._pot)
            self.best = self._marked(integer, 0, verdict, start=verdict)
            save_model(self.best, self.path)

    @property
    def verdict(self) -> Verdict:
        """Errors of the best model over the judging frames."""
        return Verdict.from_json(self._record["best"]["errors"])

    @property
    def _record(self) -> dict[str, Any]:
        record: dict[str, Any] = self.best.provenance["quantize"]
        return record

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
        verdict, start = self._judge(self._pot), Verdict.from_json(self._record["start"])
        if verdict.better_than(self.verdict, start):
            try:
                self.best = self._marked(self._pot.export(), progress.step, verdict, start)
            except QuantizeError as error:
                log.warning("step %d is better, but left the number formats: %s", progress.step, error)
            else:
                save_model(self.best, self.path)
        if self._on_progress is not None:
            self._on_progress(progress)

    def _marked(self, integer: IntegerModel, step: int, verdict: Verdict, start: Verdict) -> IntegerModel:
        record: dict[str, Any] = dict(integer.provenance.get("quantize", {}))
        record |= {"tuning": asdict(self._options), "start": start.to_json()}
        record["best"] = {"step": step, "errors": verdict.to_json()}
        return dataclasses.replace(integer, provenance=integer.provenance | {"quantize": record})


def _sampler(store: WordStore, settings: Settings, seed: int) -> Sampler:
    size = settings.training.training_data.batch_size
    if isinstance(size, str):
        size = auto_batch_size([system.n_atoms for system in store.systems], size)
    assert isinstance(size, int)
    return Sampler(store.sizes, size, seed)
