"""Many frames at once: one frame a thread."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from os import PathLike
from queue import SimpleQueue
from typing import Any

from nvnmd.host._core import Error
from nvnmd.host.potential import Potential, Result

FRAMES_AHEAD = 4
"""Frames a thread may be ahead of the reader, so that memory does not grow with the number of frames."""


def evaluate_many(
    path: str | PathLike[str],
    frames: Iterable[Any],
    threads: int | None = None,
    kernel: str = "auto",
    active_set: str | PathLike[str] | None = None,
    **wanted: bool,
) -> Iterator[Result]:
    """Evaluate frames on several threads and yield their results in the order of the frames.

    Args:
        path: model file (``*.nvnmd``).
        frames: ``ase.Atoms``, or tuples of the first arguments of ``Potential.compute``: (positions [n_atoms, 3] in Å,
            cell [3, 3] in Å, types) with an optional fourth, periodic. Read as they are needed.
        threads: frames that are evaluated at the same time; None takes all cores that this process may use. The count
            changes no bit.
        kernel, active_set: as in ``Potential``.
        wanted: ``virial``, ``atom_virials``, ``raw``, ``gamma`` or ``hidden`` of ``Potential.compute``.

    Raises:
        Error: as ``Potential`` and ``Potential.compute`` do; the message names the frame, whose number is in ``frame``.
    """
    count = threads or len(os.sched_getaffinity(0))
    idle: SimpleQueue[Potential] = SimpleQueue()
    for _ in range(count):
        idle.put(Potential(path, kernel, threads=1, active_set=active_set))

    def evaluate(number: int, frame: Any) -> Result:
        potential = idle.get()
        try:
            return potential.compute(*_arguments(frame), **wanted)
        except Error as error:
            raise _named(error, number) from error
        finally:
            idle.put(potential)

    return _in_order(evaluate, frames, count)


def _in_order(evaluate: Any, frames: Iterable[Any], count: int) -> Iterator[Result]:
    with ThreadPoolExecutor(count) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for number, frame in enumerate(frames):
                waiting.append(pool.submit(evaluate, number, frame))
                if len(waiting) == FRAMES_AHEAD * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _arguments(frame: Any) -> tuple[Any, ...]:
    if hasattr(frame, "get_chemical_symbols"):
        return frame.positions, frame.cell.array, frame.get_chemical_symbols(), frame.pbc
    return tuple(frame)


def _named(error: Error, number: int) -> Error:
    named = Error(f"frame {number}: {error}")
    named.code, named.atom, named.neighbor, named.frame = error.code, error.atom, error.neighbor, number
    return named
