"""Measures that need more than frames: the stress file, the log, or a crystal that was there from the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm import analysis as measure
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures import material
from nvnmd.pcm.thermo import read_log
from nvnmd.pcm.trajectory import read_dump

Found = tuple[dict[str, Any], dict[str, dict[str, NDArray[np.float64]]]]


def viscosity(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    """Green-Kubo viscosity of a stage that wrote its stress; `path`: of its trajectory."""
    stress = path.with_suffix(".stress")
    if not stress.exists():
        raise PcmError("the stage wrote no stress; set stress_every_steps")
    table = np.loadtxt(stress, ndmin=2)
    spacing_ps = float(table[1, 0] - table[0, 0]) * timestep_fs / 1000 if len(table) > 1 else 1.0
    found = measure.viscosity(table[:, 1:4], spacing_ps, float(table[:, 5].mean()), float(table[:, 4].mean()))
    curve = {"time_ps": found.time_ps, "correlation_bar2": found.correlation, "integral_mPas": found.integral}
    return {"viscosity_mPas": {"value": found.value, "error": found.error}}, {"viscosity": curve}


def growth(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    """Velocity of the interface in a run that has a crystalline part from the start."""
    if not {"crystal", "seed"} & set(record.get("regions", {})):
        raise PcmError("no crystal stood beside a liquid from the start; there is no interface to follow")
    found = measure.growth(read_dump(path), timestep_fs)
    numbers = {"growth_m_per_s": {"velocity": found.velocity, "error": found.error}}
    return numbers, {"growth": {"time_ps": found.time_ps, "crystal_A": found.crystal_A}}


def density(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    """Density against temperature, of a stage at constant pressure."""
    from ase.data import atomic_masses, atomic_numbers

    log = read_log(path.parent / "log.lammps")
    own = np.array([name == path.stem for name in log.stages], dtype=bool)
    if not own.any() or np.ptp(log.column("Volume")[own]) == 0:
        raise PcmError("the volume is constant; density against temperature needs a barostat")
    chosen = material(record["material"])
    masses = [atomic_masses[atomic_numbers[element]] for element in chosen.elements]
    mean = float(np.dot(masses, chosen.counts)) / sum(chosen.counts)
    found = measure.density_against_temperature(log, mean * record["atoms"], stage=path.stem)
    return {}, {"density": {"temperature_K": found.temperature_K, "g_per_cm3": found.density, "spread": found.spread}}
