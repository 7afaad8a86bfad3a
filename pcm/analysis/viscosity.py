"""Shear viscosity of a liquid from the fluctuations of its stress (Green and Kubo)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError

Floats = NDArray[np.float64]

# V / (k_B T) * bar^2 * ps in mPa s: A^3 = 1e-30 m^3, bar^2 = 1e10 Pa^2, ps = 1e-12 s, k_B = 1.380649e-23 J/K.
_MPA_S = 1e-30 * 1e10 * 1e-12 / 1.380649e-23 * 1e3


@dataclass(frozen=True)
class Viscosity:
    """value, error: mPa s, of the integral up to the window and of its mean over blocks; time_ps: [lags];
    correlation: [lags] bar^2, mean over components; integral: [lags] mPa s, to be looked at for a plateau."""

    value: float
    error: float
    time_ps: Floats
    correlation: Floats
    integral: Floats


def viscosity(
    stress_bar: Floats,
    spacing_ps: float,
    volume_A3: float,
    temperature_K: float,
    window_ps: float = 4.0,
    blocks: int = 5,
) -> Viscosity:
    """V / (3 k_B T) times the integral of the autocorrelations of the off-diagonal stresses, summed over components.

    stress_bar: [times, components] pxy, pxz, pyz in bar, `spacing_ps` apart, of a run at constant volume (5 fs and 4 ps
    in Dunton, Arbaugh and Starr, 2024, equation 7). Raises PcmError where a block is shorter than two windows.
    """
    lags = round(window_ps / spacing_ps) + 1
    length = len(stress_bar) // blocks
    if length < 2 * lags:
        raise PcmError(
            f"{len(stress_bar)} stresses {spacing_ps:g} ps apart are too few for {blocks} blocks of at least twice "
            f"{window_ps:g} ps; make the run longer or the window shorter"
        )
    factor = _MPA_S * volume_A3 / temperature_K
    curves = np.stack([_correlation(stress_bar[k * length : (k + 1) * length], lags) for k in range(blocks)])
    integrals = factor * spacing_ps * (np.cumsum(curves, axis=1) - 0.5 * (curves[:, :1] + curves))
    ends = integrals[:, -1]
    return Viscosity(
        value=float(ends.mean()),
        error=float(ends.std(ddof=1) / np.sqrt(blocks)),
        time_ps=spacing_ps * np.arange(lags, dtype=np.float64),
        correlation=curves.mean(axis=0),
        integral=integrals.mean(axis=0),
    )


def _correlation(stress: Floats, lags: int) -> Floats:
    """Mean autocorrelation of the components at the first lags [lags]; the off-diagonal mean is zero by symmetry."""
    from scipy.signal import correlate

    length = len(stress)
    whole = np.stack([correlate(s, s, method="fft")[length - 1 : length - 1 + lags] for s in stress.T])
    return np.asarray(whole.mean(axis=0) / (length - np.arange(lags)), dtype=np.float64)
