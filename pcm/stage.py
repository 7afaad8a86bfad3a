"""A stage of a run: its settings, and where it stands among the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nvnmd.pcm.pulse import Dissipation, Heat

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Strict(BaseModel):
    """Settings that refuse unknown keys and never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Thermostat(Strict):
    """How the temperature is kept. Damping times are in ps."""

    style: Literal["nose-hoover", "langevin", "csvr"] = "nose-hoover"
    damping_ps: Positive = 0.1


class Barostat(Strict):
    """Pressure control (Nose-Hoover); leave it out for a run at constant volume."""

    pressure_bar: float = 0.0
    damping_ps: Positive = 1.0
    axes: Literal["iso", "aniso", "x", "y", "z"] = Field("iso", description="which lengths of the cell follow")


class Until(Strict):
    """Conditions that end a stage before its time; the first that is met does."""

    below_K: Positive | None = None
    above_K: Positive | None = None
    potential_below_eV: float | None = Field(None, description="potential energy per atom")

    def condition(self) -> str:
        """LAMMPS's formula, not 0 where a condition is met."""
        terms = [f"(temp<{self.below_K:g})"] if self.below_K is not None else []
        terms += [f"(temp>{self.above_K:g})"] if self.above_K is not None else []
        terms += [f"(pe/atoms<{self.potential_below_eV:g})"] if self.potential_below_eV is not None else []
        return "||".join(terms) or "0"


class Stage(Strict):
    """One stretch of the run, held at a temperature or going from the last stage's temperature to another one."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", description="names the stage's dump file")
    temperature_K: Positive | None = Field(None, description="at the end of the stage; left out for ensemble: nve")
    ramp: bool = Field(False, description="go there linearly from the stage before; otherwise hold from the start")
    time_ps: Positive | None = Field(None, description="length of the stage; give this or rate_K_per_ps")
    rate_K_per_ps: Positive | None = Field(None, description="heating or cooling rate of a ramp")
    sample: Literal["liquid", "amorphous"] | None = Field(None, description="the phase that this stage is analyzed as")
    dump_every_ps: Positive = Field(1.0, description="time between two stored configurations")
    velocities: bool = Field(False, description="store velocities too, for temperature maps")
    ensemble: Literal["nvt", "npt", "nve"] | None = Field(None, description="nvt, or npt if the run has a barostat")
    thermostat: Thermostat | None = Field(None, description="the run's own if left out")
    barostat: Barostat | None = Field(None, description="the run's own if left out")
    frozen: tuple[str, ...] = Field((), description="regions whose atoms stand still in this stage")
    thaw: tuple[str, ...] = Field((), description="frozen regions that may move in this stage")
    heat: Heat | None = Field(None, description="energy added in this stage")
    dissipate: Dissipation | None = Field(None, description="heat drained in this stage")
    until: Until | None = Field(None, description="ends the stage early")
    check_voids: bool = Field(False, description="look for voids in the stage's last frame")
    stress_every_steps: Count | None = Field(None, description="write the stress for a viscosity to NAME.stress")

    @model_validator(mode="after")
    def _consistent(self) -> Stage:
        if self.ensemble != "nve" and self.temperature_K is None:
            raise ValueError(f"stage {self.name!r} needs temperature_K, or ensemble: nve")
        if self.ensemble == "nve" and (self.ramp or self.temperature_K is not None):
            raise ValueError(f"stage {self.name!r} keeps its energy (nve) and can follow no temperature; leave it out")
        if self.dissipate is not None and self.ensemble != "nve":
            raise ValueError(f"stage {self.name!r} drains heat and has a thermostat as well; set ensemble: nve")
        if self.until is not None and self.stress_every_steps is not None:
            raise ValueError(f"stage {self.name!r} cannot end early while it writes stresses; leave one of the two out")
        return self

    @model_validator(mode="after")
    def _one_length(self) -> Stage:
        if (self.time_ps is None) == (self.rate_K_per_ps is None):
            raise ValueError(f"stage {self.name!r} needs either time_ps or rate_K_per_ps")
        if self.rate_K_per_ps is not None and not self.ramp:
            raise ValueError(f"stage {self.name!r} has a rate but no ramp; set ramp: true or give time_ps")
        return self


@dataclass(frozen=True)
class PlannedStage:
    """A stage in absolute steps: from `first_step` to `last_step`, a frame every `dump_every`; `start_K` to `end_K`,
    both the temperature before it where its energy is kept."""

    name: str
    sample: Literal["liquid", "amorphous"] | None
    first_step: int
    last_step: int
    start_K: float
    end_K: float
    dump_every: int
    settings: Stage

    @property
    def dump_file(self) -> str:
        """Name of the stage's trajectory in the run folder."""
        return f"{self.name}.lammpstrj"
