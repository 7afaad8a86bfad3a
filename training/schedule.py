"""The learning rate by step: DeePMD-kit's schedules, with the same keys and the same values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from nvnmd.training.section import Section


class LearningRateSettings(Section):
    """`learning_rate`: from start_lr to stop_lr, after a warmup if one is asked for.

    exp: start_lr * decay_rate^(step // decay_steps), never below stop_lr. cosine: half a wave of a cosine. wsd (warmup,
    stable, decay): start_lr until the last `decay_phase_ratio` of all steps, then down by `decay_type`.
    """

    ignored: ClassVar[dict[str, str]] = {"scale_by_worker": "training runs in one process"}
    own: ClassVar[dict[str, tuple[str, ...]]] = {
        "exp": ("decay_steps", "decay_rate", "smooth"),
        "cosine": (),
        "wsd": ("decay_phase_ratio", "decay_type"),
    }

    type: Literal["exp", "cosine", "wsd"] = "exp"
    start_lr: PositiveFloat = 1e-3
    stop_lr: PositiveFloat = 1e-5
    warmup_steps: NonNegativeInt = Field(0, description="steps in which the rate rises to start_lr")
    warmup_ratio: float | None = Field(None, ge=0, lt=1, description="the same as a share of numb_steps")
    warmup_start_factor: float = Field(0.0, ge=0, description="share of start_lr that the warmup begins with")
    decay_steps: PositiveInt | None = Field(None, description="default: a hundredth of numb_steps, at most 5000")
    decay_rate: PositiveFloat | None = Field(None, le=1, description="default: reaches stop_lr at the last step")
    smooth: bool = Field(False, description="falls with every step instead of every decay_steps")
    decay_phase_ratio: float = Field(0.1, gt=0, le=1, description="share of numb_steps in which the rate falls")
    decay_type: Literal["inverse_linear", "cosine", "linear"] = "inverse_linear"

    @model_validator(mode="before")
    @classmethod
    def _ratio_to_rate(cls, data: Any) -> Any:
        """DeePMD-kit's stop_lr_ratio becomes stop_lr, of which it wants one or the other, and null means not given."""
        if not isinstance(data, dict):
            return data
        kept = {key: value for key, value in data.items() if key not in ("stop_lr", "stop_lr_ratio")}
        stop, ratio = data.get("stop_lr"), data.get("stop_lr_ratio")
        if stop is not None and ratio is not None:
            raise ValueError("stop_lr and stop_lr_ratio say the same; give one of them")
        if ratio is not None:
            try:
                stop = kept.get("start_lr", cls.model_fields["start_lr"].default) * ratio
            except TypeError:
                raise ValueError("start_lr and stop_lr_ratio must be numbers") from None
        return kept if stop is None else kept | {"stop_lr": stop}

    @model_validator(mode="after")
    def _consistent(self) -> LearningRateSettings:
        if self.warmup_steps and self.warmup_ratio is not None:
            raise ValueError("warmup_steps and warmup_ratio say the same; give one of them")
        for other in self.own.keys() - {self.type}:
            for key in self.own[other]:
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise ValueError(f"{key} belongs to type {other!r}, and the type is {self.type!r}")
        return self


@dataclass(frozen=True)
class LearningRate:
    """A schedule over a number of steps.

    Attributes:
        settings: its form.
        steps: of the whole training; warmup: those before the schedule proper; falling: the last ones, in which the
            rate falls.
        stair, decay: of type exp, steps between two falls and what is left of the rate after each.
    """

    settings: LearningRateSettings
    steps: int
    warmup: int
    falling: int
    stair: int
    decay: float

    @classmethod
    def from_settings(cls, settings: LearningRateSettings, numb_steps: int) -> LearningRate:
        """Fill in what the settings leave open: a hundred stairs that reach stop_lr at the last step."""
        warmup = settings.warmup_steps or int((settings.warmup_ratio or 0.0) * numb_steps)
        falling = numb_steps - warmup
        if settings.type == "wsd":
            falling = max(1, min(falling, int(settings.decay_phase_ratio * numb_steps)))
        stair = settings.decay_steps or min(5000, max(1, numb_steps // 100))
        decay = settings.decay_rate or (settings.stop_lr / settings.start_lr) ** (stair / falling)
        return cls(settings, numb_steps, warmup, falling, stair, decay)

    @property
    def start(self) -> float:
        """The learning rate that the schedule proper begins with."""
        return self.settings.start_lr

    def at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        if step < self.warmup:
            first = self.settings.warmup_start_factor
            return self.start * (first + (1 - first) * step / self.warmup)
        if self.settings.type == "exp":
            return self._stairs(step - self.warmup)
        return self._fallen(max(0.0, min(1.0, 1 - (self.steps - step) / self.falling)))

    def _stairs(self, step: int) -> float:
        count = step / self.stair if self.settings.smooth else step // self.stair
        return max(self.start * self.decay**count, self.settings.stop_lr)

    def _fallen(self, x: float) -> float:
        """After a share of the steps in which the rate falls."""
        start, stop = self.start, self.settings.stop_lr
        form = "cosine" if self.settings.type == "cosine" else self.settings.decay_type
        if form == "cosine":
            return stop + (start - stop) * (1 + math.cos(math.pi * x)) / 2
        return start + (stop - start) * x if form == "linear" else 1 / (x / stop + (1 - x) / start)
