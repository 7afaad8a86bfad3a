"""Fluctuations of temperature, pressure and energy, and how they shrink with the number of atoms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.thermo import ThermoLog

Floats = NDArray[np.float64]
GPA_PER_BAR = 1e-4


@dataclass(frozen=True)
class Fluctuations:
    """Means and standard deviations over the rows of a stage: K, GPa, and potential energy in eV/atom.

    atoms: those that move; rows: how many were counted.
    """

    atoms: int
    rows: int
    temperature_K: tuple[float, float]
    pressure_GPa: tuple[float, float]
    energy_eV: tuple[float, float]

    @property
    def canonical_K(self) -> float:
        """Standard deviation of the temperature in the canonical ensemble, T sqrt(2 / 3N)."""
        return self.temperature_K[0] * float(np.sqrt(2 / (3 * self.atoms)))


def fluctuations(log: ThermoLog, stage: str, atoms: int, skip: float = 0.5) -> Fluctuations:
    """Fluctuations in a stage that is held, about a straight line through its rows, so that a slow drift is no part of
    them. The first part of the stage, a share `skip`, is left out as equilibration.

    Raises PcmError where fewer than ten rows are left.
    """
    own = np.array([name == stage for name in log.stages], dtype=bool)
    kept = np.flatnonzero(own)[int(skip * own.sum()) :]
    if len(kept) < 10:
        raise PcmError(f"stage {stage!r} has {len(kept)} rows of the log; fluctuations need at least ten")

    def both(values: Floats) -> tuple[float, float]:
        drift = np.polyval(np.polyfit(kept, values[kept], 1), kept)
        return float(values[kept].mean()), float((values[kept] - drift).std(ddof=2))

    energy = log.column("PotEng") / atoms
    return Fluctuations(
        atoms, len(kept), both(log.column("Temp")), both(GPA_PER_BAR * log.column("Press")), both(energy)
    )


def size_exponent(atoms: Floats, deviations: Floats) -> float:
    """Slope of log(deviation) against log(atoms); -0.5 is 1 / sqrt(N). Raises PcmError for fewer than two sizes."""
    if len(np.unique(atoms)) < 2:
        raise PcmError("an exponent needs at least two different numbers of atoms")
    return float(np.polyfit(np.log(atoms), np.log(deviations), 1)[0])
