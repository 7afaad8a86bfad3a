"""The training loop: one forward pass and one backward pass per step, restartable to the same bits."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from nvnmd.training import native
from nvnmd.training.batch import Batch
from nvnmd.training.build import settle_energies
from nvnmd.training.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from nvnmd.training.compiled_step import set_gradients
from nvnmd.training.data import FrameStore
from nvnmd.training.errors import NvnmdError
from nvnmd.training.lcurve import Errors, LearningCurve
from nvnmd.training.loss import Counts, LossTerms, Prefactors, loss
from nvnmd.training.model import DeepPot, Prediction
from nvnmd.training.parallel import Ranks
from nvnmd.training.sampler import Sampler
from nvnmd.training.schedule import LearningRate
from nvnmd.training.settings import NvnmdSettings, Settings
from nvnmd.training.soap import Soap

_SETTLINGS = 50  # of energy constants in a training


class TrainingError(NvnmdError, RuntimeError):
    """Training that cannot go on."""


class Potential(Protocol):
    """What the loop trains: any module that maps a batch to a prediction."""

    def __call__(self, batch: Batch, virial: bool = True) -> Prediction: ...
    def parameters(self) -> Iterator[torch.nn.Parameter]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Progress:
    """A line of the learning curve, for whoever watches.

    Attributes:
        step: steps done; train, validation: errors; learning_rate: of this step.
    """

    step: int
    train: Errors
    validation: Errors | None
    learning_rate: float


class Trainer:
    """Trains a potential on prepared frames.

    Args:
        model: the potential; its parameters are changed in place.
        frames: to train on, with `sampler` choosing among them.
        sampler: of training frames.
        settings: loss, learning_rate and training sections are used.
        folder: where the learning curve and the checkpoint go; must exist.
        validation: held-out frames and their sampler, or None.
        fingerprint: what must be the same when a run continues, as text by key.
        on_progress: called for each line of the learning curve.
        on_step: called after each step with the number of steps done.
        on_save: called after each checkpoint.
        ranks: this process among those that train the model together; only the first writes files and looks at the
            validation frames.
    """

    def __init__(
        self,
        model: Potential,
        frames: FrameStore,
        sampler: Sampler,
        settings: Settings,
        folder: Path,
        validation: tuple[FrameStore, Sampler] | None = None,
        fingerprint: dict[str, str] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_step: Callable[[int], None] | None = None,
        on_save: Callable[[], None] | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.model, self.frames, self.sampler = model, frames, sampler
        self.settings, self.folder, self.validation = settings, folder, validation
        self.ranks = Ranks() if ranks is None else ranks
        self.ranks.check(sampler.batch_size)
        self.step = 0
        self.checkpoint_path = folder / f"{settings.training.save_ckpt}.pt"
        self._fingerprint = fingerprint or {}
        self._references = frames.references
        self.on_progress, self.on_step, self.on_save = on_progress, on_step, on_save
        self._rate = LearningRate.from_settings(settings.learning_rate, settings.training.numb_steps)
        self._settle_freq = max(1, settings.training.numb_steps // _SETTLINGS)
        self._parameters = list(model.parameters())
        self._optimizer = _optimizer(model, settings.nvnmd, self._rate.start)
        self._stop = threading.Event()
        self._agreed = False
        self._uses_virial = any(system.virials is not None for system in frames.systems) and (
            settings.loss.start_pref_v > 0 or settings.loss.limit_pref_v > 0
        )

    def resume(self) -> None:
        """Continue from the checkpoint in the folder.

        Raises:
            CheckpointError: there is none, or it belongs to other settings or data.
        """
        saved = load_checkpoint(self.checkpoint_path)
        for key in sorted(saved.fingerprint.keys() | self._fingerprint.keys()):
            before, now = saved.fingerprint.get(key), self._fingerprint.get(key)
            if before != now:
                raise CheckpointError(
                    f"{self.checkpoint_path} was written with {key} = {before}, now it is {now}; restart with what "
                    f"was used before, or start anew with --init-model"
                )
        try:
            self.model.load_state_dict(saved.parameters)
            self._optimizer.load_state_dict(saved.optimizer)
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(f"{self.checkpoint_path} does not fit the model: {error}") from None
        self.sampler.restore(saved.sampler)
        if self.validation is not None and saved.validation is not None:
            self.validation[1].restore(saved.validation)
        if self._references is not None:
            self._references.restore(saved.references)
        self.step = saved.step

    def request_stop(self) -> None:
        """Ask the loop to stop after the step at hand."""
        self._stop.set()

    def run(self) -> bool:
        """Train to the last step; SIGINT and SIGTERM stop between steps. A checkpoint is written either way.

        Returns:
            Whether the last step was reached.

        Raises:
            TrainingError: the loss is no longer a finite number; the checkpoint before stays.
        """
        training = self.settings.training
        resumed = self.step if self.step else None
        log_dir = self.folder / training.tensorboard_log_dir if training.tensorboard else None
        has_validation = self.validation is not None
        curve = None
        if self.ranks.writes:
            curve = LearningCurve(self.folder / training.disp_file, has_validation, self._uses_virial, resumed, log_dir)
        try:
            with _signals(self.request_stop), self._threads():
                while self.step < training.numb_steps and not self._stopped:
                    self._advance(curve)
        finally:
            if curve is not None:
                curve.close()
        self.save()
        if self._references is not None and self.ranks.writes:
            self._references.report(self.frames.type_map)
        return self.step >= training.numb_steps

    def _threads(self) -> AbstractContextManager[None]:
        compiled = isinstance(self.model, DeepPot) and native.runs_here(self._parameters[0])
        return native.own_threads() if compiled else nullcontext()

    def save(self) -> None:
        """Write the checkpoint."""
        if not self.ranks.writes:
            return
        state = Checkpoint(
            step=self.step,
            parameters=self.model.state_dict(),
            optimizer=self._optimizer.state_dict(),
            sampler=self.sampler.state(),
            validation=self.validation[1].state() if self.validation else None,
            fingerprint=self._fingerprint,
            references=self._references.state() if self._references else {},
        )
        save_checkpoint(state, self.checkpoint_path)
        if self.on_save is not None:
            self.on_save()

    @property
    def _stopped(self) -> bool:
        """Whether to stop now: several processes agree on it in the sums of a step."""
        return self._stop.is_set() if self.ranks.size == 1 else self._agreed

    def _advance(self, curve: LearningCurve | None) -> None:
        training = self.settings.training
        rate = self._rate.at(self.step)
        prefactors = Prefactors.at(self.settings.loss, rate / self._rate.start)
        indices = self.sampler.next()
        batch = self.frames.batch(self.ranks.mine(indices))
        counts = self.frames.counts(indices) if self.ranks.size > 1 else None
        terms = self._update(batch, counts, prefactors, rate)
        self.step += 1
        self._settle()
        if curve is not None and (self.step % training.disp_freq == 0 or self.step in (1, training.numb_steps)):
            self._display(curve, terms, prefactors, rate)
        if self.step % training.save_freq == 0:
            self.save()
        if self.on_step is not None:
            self.on_step(self.step)

    def _settle(self) -> None:
        """Now and then, fit the constants between data sets anew; the same in every process."""
        due = self.step % self._settle_freq == 0 or self.step == self.settings.training.numb_steps
        if due and self._references is not None and isinstance(self.model, DeepPot):
            settle_energies(self.model, self.frames)

    def _update(self, batch: Batch, counts: Counts | None, prefactors: Prefactors, rate: float) -> LossTerms:
        own = self._differentiate(batch, counts, prefactors)
        terms = self._add_up(own)
        if not math.isfinite(terms.total.item()):
            where = ", ".join(batch.names) if not math.isfinite(own.total.item()) else "frames of another process"
            raise TrainingError(
                f"the loss is not a finite number at step {self.step + 1}, on {where}; look at the "
                f"labels of this frame or lower learning_rate.start_lr (now {self.settings.learning_rate.start_lr})"
            )
        if self.settings.training.gradient_max_norm:
            torch.nn.utils.clip_grad_norm_(self._parameters, self.settings.training.gradient_max_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        return terms

    def _differentiate(self, batch: Batch, counts: Counts | None, prefactors: Prefactors) -> LossTerms:
        """Terms of the loss, with its gradients in the parameters."""
        if isinstance(self.model, DeepPot) and native.runs_here(batch.guard_atomic):
            return set_gradients(self.model, batch, prefactors, counts, self._uses_virial)
        own = loss(self.model(batch, virial=self._uses_virial), batch, prefactors, counts)
        for parameter in self._parameters:
            parameter.grad = None
        own.total.backward()  # type: ignore[no-untyped-call]
        return own

    def _add_up(self, own: LossTerms) -> LossTerms:
        """Gradients and terms of the whole batch, and whether any process was asked to stop."""
        if self.ranks.size == 1:
            return own
        asked = torch.full_like(own.total.detach(), float(self._stop.is_set()))
        *terms, stops = self.ranks.add_up(self._parameters, [own.total, own.energy, own.force, own.virial, asked])
        self._agreed = bool(stops > 0)
        return LossTerms(*terms)

    def _display(self, curve: LearningCurve, terms: LossTerms, prefactors: Prefactors, rate: float) -> None:
        validation = self._validate(prefactors)
        progress = Progress(self.step, _errors([terms]), validation, rate)
        curve.write(progress.step, progress.train, progress.validation, rate)
        if self.on_progress is not None:
            self.on_progress(progress)

    def _validate(self, prefactors: Prefactors) -> Errors | None:
        if self.validation is None:
            return None
        store, sampler = self.validation
        section = self.settings.training.validation_data
        batches = section.numb_btch if section is not None else 1
        with torch.no_grad():
            terms = []
            for _ in range(batches):
                batch = store.batch(sampler.next())
                terms.append(loss(self.model(batch, virial=self._uses_virial), batch, prefactors))
        return _errors(terms)


def _optimizer(model: Potential, settings: NvnmdSettings, rate: float) -> torch.optim.Optimizer:
    if settings.optimizer == "soap":
        return Soap(model.parameters(), lr=rate, weight_decay=settings.weight_decay)
    if not settings.weight_decay:
        return torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    matrices = [p for p in model.parameters() if p.ndim > 2]
    others = [p for p in model.parameters() if p.ndim <= 2]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, fused=True)


def _errors(terms: list[LossTerms]) -> Errors:
    def root(values: list[Tensor]) -> float:
        return float(torch.stack([value.detach() for value in values]).mean().sqrt())

    return Errors(
        root([t.total for t in terms]),
        root([t.energy for t in terms]),
        root([t.force for t in terms]),
        root([t.virial for t in terms]),
    )


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call `stop` once; a second one acts as before, so that a stuck run can be ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: object) -> None:
        stop()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
