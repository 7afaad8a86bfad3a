"""How unsure a model is of each atom: one interface, whatever measures it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

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


class ExtrapolationGrade:
    """Extrapolation grade of the integer model: up to 1 inside what it was trained on (see `nvnmd.host.ActiveSet`).

    Args:
        model: file of the integer model; its active set is chosen from `systems` where none is beside it yet.
        systems: what it was trained on.
    """

    name, unit = "extrapolation grade", ""

    def __init__(self, model: Path, systems: Sequence[System]) -> None:
        from nvnmd.host import Potential, active_set_path, build_active_set

        if not active_set_path(model).exists():
            plain = Potential(model, threads=1)
            frames = [frame for system in systems for frame in _frames(system) if _fits(plain, frame)]
            build_active_set(model, frames, threads=1).save(active_set_path(model))
        self._potential = Potential(model, threads=1)

    def __call__(self, system: System) -> Floats:
        """See `Uncertainty`; NaN for a frame that the model cannot hold."""
        from nvnmd.host import Error

        found = np.full((system.n_frames, system.n_atoms), np.nan)
        for k, frame in enumerate(_frames(system)):
            try:
                grades = self._potential.compute(*frame, virial=False, gamma=True).gamma
            except Error as error:
                if getattr(error, "code", "") == "active_set":
                    raise
                continue
            found[k] = np.nan if grades is None else grades
        return found


def _frames(system: System) -> list[tuple[Floats, Floats, list[str], bool]]:
    both = zip(system.positions, system.cells, strict=True)
    return [(positions, cell, system.symbols, system.periodic) for positions, cell in both]


def _fits(potential: Any, frame: tuple[Floats, Floats, list[str], bool]) -> bool:
    from nvnmd.host import Error

    try:
        potential.compute(*frame, virial=False)
    except Error:
        return False
    return True


def make_uncertainty(by: Measure, models: Sequence[Path], integer: Path, systems: Sequence[System]) -> Uncertainty:
    """The measure of a round.

    Args:
        by: which.
        models: float models of the round's committee.
        integer: the integer model that explores.
        systems: what they were trained on.

    Raises:
        LearnError: the measure cannot be had from these models.
    """
    return ExtrapolationGrade(integer, systems) if by == "gamma" else CommitteeDeviation(models)
