"""How far the models of the rounds are from labels that they had not seen, and from those of later rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nvnmd.training.evaluation import Evaluated, errors
from nvnmd.training.system import System

if TYPE_CHECKING:
    from nvnmd.learn.rounds import Round
    from nvnmd.learn.settings import LearnSettings


def errors_of(current: Round, folders: Sequence[Path]) -> dict[str, Any] | None:
    """Errors of a round's float and integer model on labeled folders (keys of `training.evaluation.Errors`).

    None where none of the folders is there. Frames that the integer model cannot hold are left out and counted.
    """
    systems = _load([folder for folder in folders if folder.is_dir()], current.loop.settings)
    if not systems:
        return None
    found = {"float": _float_errors(current.float_model(), systems)}
    integer, refused = _integer_errors(current.model, systems)
    return found | {"integer": integer, "refused": refused}


def cross_errors(rounds: Sequence[Round], settings: LearnSettings) -> dict[str, Any]:
    """Force error in eV/angstrom of every round's float model on the frames of every round and on the validation data.

    Keys: `frames` (names of the columns), `force_rmse` (a row a model, None where a model was trained on the frames),
    `models` (names of the rows). Test frames stand in columns of their own, and no model was trained on them.
    """
    columns: dict[str, tuple[int, list[System]]] = {}
    for each in rounds:
        for part in ("train", "test"):
            if (each.data / part).is_dir():
                columns[f"{each.folder.name} {part}"] = (
                    each.number if part == "train" else 10**6,
                    _load([each.data / part], settings),
                )
    if settings.validation:
        columns["validation"] = 10**6, _load([Path(path) for path in settings.validation], settings)
    table = []
    for each in rounds:
        unseen = {name: systems for name, (number, systems) in columns.items() if each.number <= number}
        found = {name: _float_errors(each.float_model(), systems)["force_rmse"] for name, systems in unseen.items()}
        table.append([found.get(name) for name in columns])
    return {"models": [each.folder.name for each in rounds], "frames": list(columns), "force_rmse": table}


def _load(paths: Sequence[Path], settings: LearnSettings) -> list[System]:
    from nvnmd.training.frames import load_systems

    return load_systems(list(paths), settings.elements) if paths else []


def _float_errors(model: Path, systems: Sequence[System]) -> dict[str, Any]:
    from nvnmd.training.metrics import predict
    from nvnmd.training.model_file import load_model

    loaded = load_model(model)
    return asdict(errors([Evaluated(system, predict(loaded, system)) for system in systems]))


def _integer_errors(model: Path, systems: Sequence[System]) -> tuple[dict[str, Any] | None, int]:
    """Errors over the frames that the model can hold, and how many it cannot."""
    from nvnmd.quantize.errors import QuantizeError
    from nvnmd.quantize.model_file import load_model
    from nvnmd.quantize.predict import predict

    loaded, found, refused = load_model(model), [], 0
    for system in systems:
        for k in range(system.n_frames):
            one = system.select([k])
            try:
                found.append(Evaluated(one, predict(loaded, one)))
            except QuantizeError:
                refused += 1
    return (asdict(errors(found)) if found else None), refused
