"""Molecular dynamics as a source of structures: what is run, and from where; `learn.md` runs it.

Stages are those of `nvnmd pcm`. Times are short, because frames are wanted and not averages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nvnmd.learn.errors import LearnError

if TYPE_CHECKING:
    from ase import Atoms

Stages = list[dict[str, Any]]
LANGEVIN = {"style": "langevin", "damping_ps": 0.04}


@dataclass(frozen=True)
class RunPlan:
    """A run: its first structure, and settings of `nvnmd.pcm.protocol.MdSettings` without those of the structure."""

    start: Atoms
    settings: dict[str, Any] = field(default_factory=dict)


def melt_quench(
    count: int,
    generator: np.random.Generator,
    *,
    start: Mapping[str, Any],
    melt_K: float = 2000.0,
    melt_ps: float = 4.0,
    liquid_K: float = 1200.0,
    liquid_ps: float = 4.0,
    end_K: float = 300.0,
    quench_ps: float = 10.0,
    hold_ps: float = 2.0,
    every_ps: float = 0.25,
    timestep_fs: float = 2.0,
) -> list[RunPlan]:
    """Melt, equilibrate the liquid, quench it and hold the glass, at constant volume."""
    stages = [
        {"name": "melt", "temperature_K": melt_K, "time_ps": melt_ps},
        {"name": "cool", "temperature_K": liquid_K, "ramp": True, "time_ps": max(liquid_ps / 4, every_ps)},
        {"name": "liquid", "temperature_K": liquid_K, "time_ps": liquid_ps},
        {"name": "quench", "temperature_K": end_K, "ramp": True, "time_ps": quench_ps},
        {"name": "glass", "temperature_K": end_K, "time_ps": hold_ps},
    ]
    return _plans(count, generator, start, stages, every_ps, timestep_fs)


def crystallize(
    count: int,
    generator: np.random.Generator,
    *,
    start: Mapping[str, Any],
    layer_A: float = 6.0,
    melt_K: float = 1500.0,
    melt_ps: float = 5.0,
    quench_ps: float = 5.0,
    grow_K: float = 600.0,
    grow_ps: float = 20.0,
    every_ps: float = 0.5,
    timestep_fs: float = 2.0,
) -> list[RunPlan]:
    """Melt and quench all but some fixed layers of a crystal, then let everything move and grow (Zhou et al. 2023).

    layer_A: thickness of what stands still at the bottom of z; 6 A are two layers.
    """
    held: dict[str, Any] = {"frozen": ["layers"]}
    stages = [
        {"name": "melt", "temperature_K": melt_K, "time_ps": melt_ps, **held},
        {"name": "quench", "temperature_K": 300.0, "ramp": True, "time_ps": quench_ps, **held},
        {"name": "grow", "temperature_K": grow_K, "time_ps": grow_ps},
    ]
    more = {"regions": {"layers": {"shape": "box", "z_A": [None, layer_A]}}, "thermostat": LANGEVIN}
    return _plans(count, generator, start, stages, every_ps, timestep_fs, more)


def heat(
    count: int,
    generator: np.random.Generator,
    *,
    start: Mapping[str, Any],
    start_K: float = 300.0,
    end_K: float = 1200.0,
    warm_ps: float = 1.0,
    heat_ps: float = 20.0,
    every_ps: float = 0.5,
    timestep_fs: float = 2.0,
) -> list[RunPlan]:
    """Heat a crystal slowly through its melting point, at constant volume (Zhou et al. 2023: 300 to 1200 K)."""
    stages = [
        {"name": "warm", "temperature_K": start_K, "time_ps": warm_ps},
        {"name": "heat", "temperature_K": end_K, "ramp": True, "time_ps": heat_ps},
    ]
    return _plans(count, generator, start, stages, every_ps, timestep_fs)


def hold(
    count: int,
    generator: np.random.Generator,
    *,
    start: Mapping[str, Any],
    temperature_K: float = 300.0,
    time_ps: float = 5.0,
    every_ps: float = 0.5,
    timestep_fs: float = 2.0,
) -> list[RunPlan]:
    """Keep a structure at a temperature, at constant volume."""
    stages = [{"name": "hold", "temperature_K": temperature_K, "time_ps": time_ps}]
    return _plans(count, generator, start, stages, every_ps, timestep_fs)


def _plans(
    count: int,
    generator: np.random.Generator,
    start: Mapping[str, Any],
    stages: Stages,
    every_ps: float,
    timestep_fs: float,
    more: dict[str, Any] | None = None,
) -> list[RunPlan]:
    """So many runs, each from a structure and with velocities of its own."""
    from nvnmd.learn.builders.registry import structures

    if "build" not in start:
        raise LearnError("start: names no builder; give for instance {build: rocksalt, composition: GeTe}")
    options = {key: value for key, value in start.items() if key not in ("build", "count")}
    found = structures(str(start["build"]), count, int(generator.integers(2**31)), **options)
    dumped = [stage | {"dump_every_ps": min(every_ps, stage["time_ps"])} for stage in stages]
    shared = {"stages": dumped, "timestep_fs": timestep_fs} | (more or {})
    return [RunPlan(atoms, shared | {"seed": int(generator.integers(1, 900_000_000))}) for atoms in found]
