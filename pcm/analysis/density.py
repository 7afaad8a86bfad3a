"""Mass density against temperature, from the log of a run at constant pressure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.thermo import ThermoLog

Floats = NDArray[np.float64]

G_PER_CM3 = 1.66053906660
"""One atomic mass unit per A^3 in g/cm^3."""


@dataclass(frozen=True)
class DensityCurve:
    """temperature_K: [bins] means; density: [bins] g/cm^3 means; spread: [bins] standard deviations, g/cm^3."""

    temperature_K: Floats
    density: Floats
    spread: Floats


def density_against_temperature(
    log: ThermoLog, mass_amu: float, width_K: float = 25.0, stage: str = ""
) -> DensityCurve:
    """Means over bins of temperature, of one stage or of all rows; mass_amu: of the whole cell.

    Raises PcmError where the log has no volumes, or no row of the stage.
    """
    temperature, volume = log.column("Temp"), log.column("Volume")
    own = np.array([not stage or name == stage for name in log.stages], dtype=bool)
    if not own.any():
        raise PcmError(
            f"the log has no row of stage {stage!r}; it has {', '.join(dict.fromkeys(log.stages)) or 'none'}"
        )
    temperature, density = temperature[own], mass_amu * G_PER_CM3 / volume[own]
    index = np.floor(temperature / width_K).astype(np.int64)
    rows = [(temperature[index == k].mean(), density[index == k].mean(), density[index == k].std())
            for k in np.unique(index)]  # fmt: skip
    means = np.array(rows, dtype=np.float64)
    return DensityCurve(means[:, 0], means[:, 1], means[:, 2])
