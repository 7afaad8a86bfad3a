"""Held-out frames: whole systems, or whole blocks of consecutive frames; never random frames of a trajectory.

Consecutive frames of a trajectory resemble each other. A random choice among them measures how well a model remembers,
so none is offered here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

import numpy as np

from nvnmd.training.system import FramesError, System


class SplitError(FramesError):
    """A split that is not possible with these systems."""


@dataclass(frozen=True)
class Split:
    """Systems to train on and held-out systems; a system cut in two keeps its name with the frames added."""

    train: list[System]
    held_out: list[System]


def hold_out_systems(systems: Sequence[System], patterns: Sequence[str]) -> Split:
    """Hold out the systems whose names match a shell-style pattern, such as "*/melt-1500K".

    Raises:
        SplitError: a pattern that matches nothing, or nothing left to train on.
    """
    for pattern in patterns:
        if not any(fnmatch(system.name, pattern) for system in systems):
            names = ", ".join(system.name for system in systems[:8])
            raise SplitError(f"no system matches {pattern!r}; the names are {names}{', ...' * (len(systems) > 8)}")
    out = [any(fnmatch(system.name, pattern) for pattern in patterns) for system in systems]
    return _split(systems, out)


def hold_out_blocks(systems: Sequence[System], fraction: float, gap: int = 0) -> Split:
    """Hold out the last frames of every system.

    Systems with too few frames for a whole one to be held out are trained on in full.

    Args:
        systems: to split.
        fraction: share of each system's frames, in (0, 1); rounded to the nearest number of frames.
        gap: frames left out between the two parts, for trajectories whose neighboring frames are nearly the same.

    Raises:
        SplitError: a fraction outside (0, 1), or so small that nothing is held out at all.
    """
    if not 0.0 < fraction < 1.0:
        raise SplitError(f"the held-out fraction must lie between 0 and 1, and is {fraction}")
    train, held_out = [], []
    for system in systems:
        first = system.n_frames - int(np.floor(system.n_frames * fraction + 0.5))
        last = first - gap
        if first == system.n_frames or last < 1:
            train.append(system)
            continue
        train.append(_block(system, 0, last))
        held_out.append(_block(system, first, system.n_frames))
    if not held_out:
        frames = max((system.n_frames for system in systems), default=0)
        raise SplitError(
            f"no frame can be held out: {fraction:g} of the longest system ({frames} frames) with a gap of {gap}; take "
            "a larger fraction or hold out whole systems"
        )
    return Split(train, held_out)


def k_folds(systems: Sequence[System], k: int, seed: int = 0) -> list[Split]:
    """k splits in which every system is held out once, whole; folds of about equal numbers of frames.

    Args:
        systems: to split.
        k: number of folds, at least 2 and at most the number of systems.
        seed: decides between systems of equal size.

    Raises:
        SplitError: a k outside these bounds.
    """
    if not 2 <= k <= len(systems):
        raise SplitError(f"{len(systems)} systems cannot be split by system into {k} folds")
    tie_break = np.random.default_rng(seed).permutation(len(systems))
    by_size = sorted(range(len(systems)), key=lambda i: (-systems[i].n_frames, tie_break[i]))
    frames, fold_of = [0] * k, [0] * len(systems)
    for index in by_size:
        smallest = frames.index(min(frames))
        fold_of[index] = smallest
        frames[smallest] += systems[index].n_frames
    return [_split(systems, [f == fold for f in fold_of]) for fold in range(k)]


def _split(systems: Sequence[System], out: Sequence[bool]) -> Split:
    train = [system for system, flag in zip(systems, out, strict=True) if not flag]
    if not train:
        raise SplitError("every system is held out, so none is left to train on")
    return Split(train, [system for system, flag in zip(systems, out, strict=True) if flag])


def _block(system: System, first: int, end: int) -> System:
    return system.select(slice(first, end), name=f"{system.name}[{first}:{end}]")
