"""Coordination numbers: neighbors within the first shell, which ends at the first minimum of g(r)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.rdf import PartialRdf

SMOOTHING_A = 0.06
"""Width of the Gaussian that takes the noise off g(r) before its extrema are looked for."""


@dataclass(frozen=True)
class Coordination:
    """Mean number of `neighbor` atoms around one `center` atom within `cutoff_A`, the end of the first shell."""

    center: str
    neighbor: str
    number: float
    cutoff_A: float


def first_shell(r: NDArray[np.float64], g: NDArray[np.float64]) -> tuple[float, float] | None:
    """Position in A of the first peak of g(r) and of the minimum behind it; None if g has no such shell.

    Peaks are maxima that stand out by a quarter of the highest value. The shell ends at the lowest point before the
    second peak, or at the first dip where there is one peak only.
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    smooth = gaussian_filter1d(g, SMOOTHING_A / (r[1] - r[0]), mode="nearest")
    peaks, _ = find_peaks(np.append(smooth, 0.0), prominence=0.25 * smooth.max())
    if len(peaks) == 0 or peaks[0] >= len(r) - 1:
        return None
    if len(peaks) > 1:
        end = int(np.argmin(smooth[peaks[0] : peaks[1]]))
    else:
        dips, _ = find_peaks(-smooth[peaks[0] :], prominence=0.02 * smooth.max())
        if len(dips) == 0:
            return None
        end = int(dips[0])
    return float(r[peaks[0]]), float(r[peaks[0] + end])


def coordination_numbers(rdf: PartialRdf) -> list[Coordination]:
    """Coordination of every ordered pair whose g(r) has a first shell."""
    found = []
    for (a, b), g in rdf.g.items():
        shell = first_shell(rdf.r, g)
        if shell is None:
            continue
        index = int(np.searchsorted(rdf.r, shell[1]))
        ordered = [(a, b)] if a == b else [(a, b), (b, a)]
        found += [Coordination(c, n, float(rdf.neighbors[c, n][index]), shell[1]) for c, n in ordered]
    return found
