"""How unsure a model is of each atom: one interface, whatever measures it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from nvnmd.learn.errors import LearnError
from nvnmd.training.system import System

Floats = NDArray[np.float64]
Measure = Literal["deviation", "gamma"]


class Uncertainty(Protocol):
    """Gives every atom a number that is larger the less a model knows of atoms like it.

    Attributes:
        name: of the number; unit: of it, or empty.
    """

    name: str
    unit: str

    def __call__(self, system: System) -> Floats:
        """[n_frames, n_atoms] of a system in the model's type map; labels do not matter."""
        ...


class CommitteeDeviation:
    """Spread of the force over several float models that learned the same from other seeds, eV/angstrom."""

    name, unit = "force deviation", "eV/A"

    def __init__(self, models: Sequence[Path]) -> None:
        from nvnmd.training.model_file import load_model

        if len(models) < 2:
            raise LearnError("the deviation needs a committee; set committee to 2 or more, or select.by to gamma")
        self._models = [load_model(path) for path in models]

    def __call__(self, system: System) -> Floats:
        """See `Uncertainty`."""
        from nvnmd.training.deviation import deviation
        from nvnmd.training.metrics import predict

        return deviation([predict(model, system) for model in self._models]).force


def make_uncertainty(by: Measure, models: Sequence[Path], systems: Sequence[str], folder: Path) -> Uncertainty:
    """The measure of a round.

    Args:
        by: which.
        models: float models of the round's committee, the one that explores first.
        systems: what they were trained on, as paths that count from `folder`.

    Raises:
        LearnError: the measure cannot be had from these models.
    """
    del systems, folder
    if by == "gamma":
        raise LearnError("select.by gamma is not there yet; take deviation")
    return CommitteeDeviation(models)
