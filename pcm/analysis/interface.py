"""Growth of a crystal into its liquid: the velocity of the interface, and which side wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.fields import Axis, profile
from nvnmd.pcm.analysis.order import CUTOFF_A, crystal_order
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Growth:
    """time_ps: [frames]; crystal_A: [frames] thickness of the crystal; velocity, error: m/s, of one of the two
    interfaces that a periodic cell has; positive where the crystal grows."""

    time_ps: Floats
    crystal_A: Floats
    velocity: float
    error: float


def growth(
    frames: Iterable[Snapshot], timestep_fs: float, axis: Axis = "z", width_A: float = 6.0, cutoff_A: float = CUTOFF_A
) -> Growth:
    """Thickness of the crystal in each frame, from slabs whose share of crystalline atoms is at least one half.

    A slab between the two extremes counts in part, by linear interpolation between the neighbors' shares. The velocity
    is half the slope of a straight line through all frames, its error that of the fit. Raises PcmError for fewer than
    three frames.
    """
    time, crystal = [], []
    for snapshot in frames:
        share = profile(snapshot, crystal_order(snapshot, cutoff_A).crystalline.astype(np.float64), axis, width_A)
        time.append(snapshot.step * timestep_fs / 1000)
        crystal.append(_thickness(share.value) * 2 * share.position_A[0])
    if len(time) < 3:
        raise PcmError(f"{len(time)} frames give no velocity; at least three are needed")
    from scipy.stats import linregress

    fit = linregress(time, crystal)
    # 1 A/ps is 100 m/s, and the crystal grows at two faces.
    return Growth(np.array(time), np.array(crystal), float(fit.slope) * 50, float(fit.stderr) * 50)


def _thickness(share: Floats) -> float:
    """Length above one half, in slabs, of a periodic curve that is linear between the slabs' centers."""
    left, right = share - 0.5, np.roll(share, -1) - 0.5
    high, low = np.maximum(left, right), np.minimum(left, right)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(low >= 0, 1.0, np.where(high <= 0, 0.0, high / (high - low)))
    return float(np.nansum(part))
