"""Which of two models is better: the one with the smaller loss, as long as neither energies nor forces get worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.qat.model import IntegerPot
from nvnmd.quantize.qat.store import WordStore
from nvnmd.training.loss import Prefactors, loss
from nvnmd.training.setup import TrainingData
from nvnmd.training.system import System

_FRAMES = 40
_NO_WORSE = 1.005  # an error that grew by less is as good as the same: so few frames cannot tell


@dataclass(frozen=True)
class Score:
    """Errors over one part of the frames.

    Attributes:
        loss: the training loss; energy: RMSE in eV/atom; force: RMSE in eV/Å.
    """

    loss: float
    energy: float
    force: float


@dataclass(frozen=True)
class Verdict:
    """Errors over held-out frames, if there are any, then over training frames; the first part's loss ranks."""

    parts: tuple[Score, ...]

    def better_than(self, other: Verdict, start: Verdict) -> bool:
        """Whether the loss is smaller than that of ``other`` and no error is worse than that of ``start``."""
        kept = all(
            mine.energy <= _NO_WORSE * theirs.energy and mine.force <= _NO_WORSE * theirs.force
            for mine, theirs in zip(self.parts, start.parts, strict=True)
        )
        return kept and self.parts[0].loss < other.parts[0].loss

    def to_json(self) -> list[dict[str, float]]:
        """As JSON values."""
        return [asdict(part) for part in self.parts]

    @classmethod
    def from_json(cls, data: Sequence[dict[str, float]]) -> Verdict:
        """From JSON values."""
        return cls(tuple(Score(**part) for part in data))


class Judge:
    """Measures models on frames spread over the held-out and over the training systems.

    Args:
        integer: whose words the frames become.
        data: training and held-out systems with their energy shifts.
        prefactors: of the loss.
    """

    def __init__(self, integer: IntegerModel, data: TrainingData, prefactors: Prefactors) -> None:
        parts = [(data.validation, data.validation_shifts), (data.train, data.shifts)]
        self._stores = [_spread(integer, systems, shifts) for systems, shifts in parts if systems]
        self._prefactors = prefactors

    @torch.no_grad()
    def __call__(self, pot: IntegerPot) -> Verdict:
        """Measure the model as it is now."""
        return Verdict(tuple(self._score(pot, store) for store in self._stores))

    def _score(self, pot: IntegerPot, store: WordStore) -> Score:
        virial = self._prefactors.virial > 0
        batches = (store.batch([index]) for index in range(len(store)))
        terms = [loss(pot(batch, virial=virial), cast(Any, batch), self._prefactors) for batch in batches]
        values = np.array([[float(t.total), float(t.energy), float(t.force)] for t in terms])
        total, energy, force = values.mean(axis=0)
        return Score(float(total), float(energy**0.5), float(force**0.5))


def _spread(integer: IntegerModel, systems: Sequence[System], shifts: Sequence[NDArray[np.float64]]) -> WordStore:
    step = max(1, -(-sum(system.n_frames for system in systems) // _FRAMES))
    chosen = [system.select(slice(0, None, step)) for system in systems]
    return WordStore(integer, chosen, shifts)
