"""Choosing the active set of a model from frames."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.host._core import header
from nvnmd.host.active_set import FROM_START, NO_ATOM, RESOLUTION, ActiveSet, active_set_error, features
from nvnmd.host.many import evaluate_many
from nvnmd.host.maxvol import Volume, max_volume

Progress = Callable[[str, int], None]


def build_active_set(
    model: str | PathLike[str],
    frames: Iterable[Any],
    start: ActiveSet | None = None,
    tolerance: float = 0.01,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ActiveSet:
    """Choose the active set of a model from frames, usually those it was trained on.

    Afterwards no atom of the frames has a grade above 1 + tolerance.

    Args:
        model: model file (``*.nvnmd``).
        frames: as in ``evaluate_many``: ``ase.Atoms`` or tuples (positions [n_atoms, 3] in Å, cell [3, 3] in Å, types
            or symbols[, periodic]).
        start: set of the same model to extend; ``frames()`` of the result then names those that have something new.
        tolerance: above 0.
        threads: as in ``evaluate_many``.
        progress: called with ("frames", frames read) and then, for each element, (symbol, exchanges made).

    Raises:
        Error: a frame that cannot be evaluated, a bad model file, or a `start` of another model.
    """
    digest = sha256(Path(model).read_bytes()).hexdigest()
    type_map = tuple(json.loads(header(fspath(model)))["type_map"])
    if start is not None and (start.model_sha256 != digest or start.type_map != type_map):
        raise active_set_error(
            f"the active set to extend belongs to another model than {fspath(model)}; build a new one"
        )
    hidden, origin = _collect(model, frames, len(type_map), threads, progress)
    rows, inverse, places = [], [], []
    for kind, symbol in enumerate(type_map):
        matrix = _empty(hidden[kind].shape[1] + 1) if start is None else start.rows[kind]
        report = None if progress is None else _named(progress, symbol)
        volume = _largest(hidden[kind], matrix, tolerance, report)
        rows.append(volume.matrix.astype(np.int16))
        inverse.append(volume.inverse)
        places.append(_origin(volume.chosen, origin[kind], None if start is None else start.origin[kind]))
    return ActiveSet(type_map, digest, tuple(rows), tuple(inverse), tuple(places))


def _collect(
    model: str | PathLike[str], frames: Iterable[Any], kinds: int, threads: int | None, progress: Progress | None
) -> tuple[list[NDArray[np.int16]], list[NDArray[np.int64]]]:
    """Activations [atoms, width] and origins [atoms, 2] of all atoms, per type."""
    hidden: list[list[NDArray[np.int16]]] = [[] for _ in range(kinds)]
    origin: list[list[NDArray[np.int64]]] = [[] for _ in range(kinds)]
    width = 0
    results = evaluate_many(model, frames, threads, virial=False, hidden=True)
    for number, result in enumerate(results):
        assert result.hidden is not None
        assert result.types is not None
        width = result.hidden.shape[1]
        for kind in range(kinds):
            atoms = np.flatnonzero(result.types == kind)
            hidden[kind].append(result.hidden[atoms])
            origin[kind].append(np.column_stack([np.full(len(atoms), number), atoms]))
        if progress is not None:
            progress("frames", number + 1)
    if not width:
        raise active_set_error("an active set needs at least one frame")
    return [np.concatenate(h) for h in hidden], [np.concatenate(o) for o in origin]


def _largest(
    hidden: NDArray[np.int16], start: NDArray[Any], tolerance: float, progress: Callable[[int], None] | None
) -> Volume:
    return max_volume(lambda first, last: features(hidden[first:last]), len(hidden), start, tolerance, progress)


def _empty(size: int) -> NDArray[np.int16]:
    return (RESOLUTION * np.eye(size)).astype(np.int16)


def _origin(
    chosen: NDArray[np.int64], origin: NDArray[np.int64], before: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    places = np.full((len(chosen), 2), NO_ATOM)
    if before is not None:
        places[before[:, 0] != NO_ATOM] = FROM_START
    places[chosen >= 0] = origin[chosen[chosen >= 0]]
    return places


def _named(progress: Progress, name: str) -> Callable[[int], None]:
    return lambda count: progress(name, count)
