"""Settings of a melt-quench run: which material, how many atoms, and the stages it goes through.

The settings are a YAML file; every key has a default, so that an empty file is the standard GeTe run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nvnmd.pcm.structures import MATERIALS

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stage(_Strict):
    """One stretch of the run, held at a temperature or going from the last stage's temperature to another one."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", description="names the stage's dump file")
    temperature_K: Positive = Field(description="temperature at the end of the stage")
    ramp: bool = Field(False, description="go there linearly from the stage before; otherwise hold from the start")
    time_ps: Positive | None = Field(None, description="length of the stage; give this or rate_K_per_ps")
    rate_K_per_ps: Positive | None = Field(None, description="heating or cooling rate of a ramp")
    sample: Literal["liquid", "amorphous"] | None = Field(None, description="the phase that this stage is analyzed as")
    dump_every_ps: Positive = Field(1.0, description="time between two stored configurations")

    @model_validator(mode="after")
    def _one_length(self) -> Stage:
        if (self.time_ps is None) == (self.rate_K_per_ps is None):
            raise ValueError(f"stage {self.name!r} needs either time_ps or rate_K_per_ps")
        if self.rate_K_per_ps is not None and not self.ramp:
            raise ValueError(f"stage {self.name!r} has a rate but no ramp; set ramp: true or give time_ps")
        return self


@dataclass(frozen=True)
class PlannedStage:
    """A stage in absolute steps: from `first_step` to `last_step`, `start_K` to `end_K`, a frame every `dump_every`."""

    name: str
    sample: Literal["liquid", "amorphous"] | None
    first_step: int
    last_step: int
    start_K: float
    end_K: float
    dump_every: int

    @property
    def dump_file(self) -> str:
        """Name of the stage's trajectory in the run folder."""
        return f"{self.name}.lammpstrj"


class Thermostat(_Strict):
    """How the temperature is kept. Damping times are in ps."""

    style: Literal["nose-hoover", "langevin", "csvr"] = "nose-hoover"
    damping_ps: Positive = 0.1


class Barostat(_Strict):
    """Isotropic pressure control (Nose-Hoover); leave it out for a run at constant volume."""

    pressure_bar: float = 0.0
    damping_ps: Positive = 1.0


class Output(_Strict):
    """How often a run writes, in steps."""

    thermo_every: Count = 25
    restart_every: Count = 1000


def _standard_stages() -> tuple[Stage, ...]:
    # The letter quenches from 1000 K at 25 K/ps and looks at the liquid at 1200 K.
    return (
        Stage(name="melt", temperature_K=2000, time_ps=10),
        Stage(name="cool", temperature_K=1200, ramp=True, rate_K_per_ps=250),
        Stage(name="equilibrate", temperature_K=1200, time_ps=5),
        Stage(name="liquid", temperature_K=1200, time_ps=10, sample="liquid", dump_every_ps=0.1),
        Stage(name="quench", temperature_K=300, ramp=True, rate_K_per_ps=25),
        Stage(name="anneal", temperature_K=300, time_ps=5),
        Stage(name="amorphous", temperature_K=300, time_ps=10, sample="amorphous", dump_every_ps=0.1),
    )


class MdSettings(_Strict):
    """A whole melt-quench run."""

    material: str = "GeTe"
    atoms: Count = Field(512, description="at least this many; a crystal is filled up to whole cells")
    start: Literal["rocksalt", "rhombohedral", "random"] = "rocksalt"
    density_per_A3: Positive | None = Field(None, description="atoms/A^3; the material's amorphous density if left out")
    seed: Annotated[int, Field(gt=0, lt=900_000_000)] = 2026
    timestep_fs: Annotated[float, Field(gt=0, le=10)] = 2.0
    thermostat: Thermostat = Thermostat()
    barostat: Barostat | None = None
    stages: tuple[Stage, ...] = Field(default_factory=_standard_stages, min_length=1)
    output: Output = Output()
    max_temperature_K: Positive | None = Field(None, description="stop above this; twice the hottest stage if left out")
    max_clipped: Annotated[int, Field(ge=0)] = Field(
        10_000, description="stop when saturation has changed more words than this since LAMMPS started"
    )

    @model_validator(mode="after")
    def _consistent(self) -> MdSettings:
        if self.material not in MATERIALS:
            raise ValueError(f"material {self.material!r} is not known; known: {', '.join(sorted(MATERIALS))}")
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError("two stages have the same name, and would write to the same file")
        if self.stages[0].ramp:
            raise ValueError(f"the first stage, {names[0]!r}, has nothing to ramp from; give it time_ps and no ramp")
        if self.barostat is not None and self.thermostat.style != "nose-hoover":
            raise ValueError("a barostat needs thermostat.style nose-hoover")
        return self

    def temperature_limit_K(self) -> float:
        """Temperature in K above which the run is stopped as broken."""
        return self.max_temperature_K or max(1000.0, 2 * max(stage.temperature_K for stage in self.stages))

    def plan(self) -> list[PlannedStage]:
        """The stages with their first and last step and the temperature each starts from."""
        planned: list[PlannedStage] = []
        step, temperature = 0, self.stages[0].temperature_K
        for stage in self.stages:
            start_K = temperature if stage.ramp else stage.temperature_K
            time_ps = stage.time_ps or abs(stage.temperature_K - start_K) / (stage.rate_K_per_ps or 1.0)
            steps = max(1, round(1000 * time_ps / self.timestep_fs))
            dump = max(1, round(1000 * stage.dump_every_ps / self.timestep_fs))
            end, end_K = step + steps, stage.temperature_K
            planned.append(PlannedStage(stage.name, stage.sample, step, end, start_K, end_K, min(dump, steps)))
            step, temperature = end, end_K
        return planned
