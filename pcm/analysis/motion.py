"""How far atoms move: mean square displacement (by freud) and self-diffusion, with error bars."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]

_CHUNK = 20_000


@dataclass(frozen=True)
class Diffusion:
    """Self-diffusion coefficient of an element and its standard error, both in A^2/ps (1e-4 cm^2/s)."""

    element: str
    coefficient: float
    error: float

    @property
    def cm2_per_s(self) -> float:
        """The coefficient in cm^2/s."""
        return 1e-4 * self.coefficient


@dataclass(frozen=True)
class Displacement:
    """time_ps: [lags]; msd: for each element [lags] A^2; blocks: for each element [blocks, lags] A^2, the same from
    stretches of the run that do not overlap."""

    time_ps: Floats
    msd: dict[str, Floats]
    blocks: dict[str, Floats]

    def diffusion(self, from_ps: float | None = None) -> list[Diffusion]:
        """Coefficients from the slope of each element's MSD against time, over 6, from `from_ps` to the last lag.

        from_ps: where diffusion has set in, a quarter of the last lag where None. The error is that of the mean over
        the blocks, which are independent where they are longer than the liquid remembers.
        """
        start = self.time_ps[-1] / 4 if from_ps is None else from_ps
        fitted = self.time_ps >= start
        if np.count_nonzero(fitted) < 2:
            raise PcmError(f"the run has no two lags beyond {start:g} ps; fit from an earlier time")
        found = []
        for element, curves in self.blocks.items():
            slopes = np.polyfit(self.time_ps[fitted], curves[:, fitted].T, 1)[0] / 6
            found.append(Diffusion(element, float(slopes.mean()), float(slopes.std(ddof=1) / np.sqrt(len(slopes)))))
        return found


def displacement(frames: Iterable[Snapshot], timestep_fs: float, blocks: int = 5) -> Displacement:
    """MSD of each element from frames of unwrapped positions (xu yu zu) at equal distances in time.

    The drift of the whole cell is taken out. Lags reach to the length of one block. Raises PcmError for fewer than
    4 frames a block, unequal steps or a changing number of atoms.
    """
    if blocks < 2:
        raise PcmError(f"{blocks} blocks give no error bar; take at least 2")
    steps, paths, symbols = _paths(frames)
    spacing = np.diff(steps)
    if len(steps) < 4 * blocks:
        raise PcmError(f"{len(steps)} frames are too few for {blocks} blocks; {4 * blocks} are needed, or fewer blocks")
    if (spacing != spacing[0]).any():
        raise PcmError("the frames are not at equal steps; take the frames of one stage")
    length = len(steps) // blocks
    time = np.arange(length) * spacing[0] * timestep_fs / 1000
    by_block = {str(e): np.zeros((blocks, length)) for e in np.unique(symbols)}
    for number in range(blocks):
        part = paths[number * length : (number + 1) * length]
        for element, curves in by_block.items():
            curves[number] = _msd(part[:, symbols == element])
    return Displacement(time, {element: curves.mean(axis=0) for element, curves in by_block.items()}, by_block)


def _paths(frames: Iterable[Snapshot]) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.str_]]:
    """Steps [frames], positions [frames, n, 3] in A without the drift, symbols [n]."""
    steps, paths = [], []
    symbols: NDArray[np.str_] | None = None
    for snapshot in frames:
        if symbols is not None and len(symbols) != len(snapshot.symbols):
            raise PcmError(f"the frame of step {snapshot.step} has {len(snapshot.symbols)} atoms, not {len(symbols)}")
        symbols = snapshot.symbols
        steps.append(snapshot.step)
        paths.append((snapshot.positions - snapshot.positions.mean(axis=0)).astype(np.float32))
    if symbols is None:
        raise PcmError("no frame was given; displacements need many")
    return np.array(steps), np.stack(paths), symbols


def _msd(paths: NDArray[np.float32]) -> Floats:
    """Mean over atoms of the MSD at every lag [lags], over all origins, a chunk of atoms at a time."""
    from freud.msd import MSD

    count = paths.shape[1]
    total = np.zeros(len(paths))
    for start in range(0, count, _CHUNK):
        part = paths[:, start : start + _CHUNK]
        total += np.asarray(MSD(mode="window").compute(part).msd) * part.shape[1]
    return total / count
