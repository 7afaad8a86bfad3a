"""Settings of a run: which material, how many atoms, and the stages it goes through.

The settings are a YAML file; every key has a default, so that an empty file is the standard GeTe run.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nvnmd.pcm.regions import Region
from nvnmd.pcm.stage import Barostat, Count, PlannedStage, Positive, Stage, Strict, Thermostat
from nvnmd.pcm.structures import MATERIALS, material

RegionName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
StartForm = Literal[
    "rocksalt", "rhombohedral", "trigonal", "a7", "random", "file", "cross-point", "mushroom", "confined"
]


class DeviceSettings(Strict):
    """Sizes of a device cell in A; those that do not belong to the chosen device are refused."""

    barrier_A: Positive | None = Field(None, description="cross-point: the fixed heat barrier")
    heater_A: Positive | None = Field(None, description="mushroom: radius of the heated half-cylinder")
    fixed_A: Positive | None = Field(None, description="mushroom: the fixed layers at the top")
    wall_A: Positive | None = Field(None, description="confined: thickness of the walls")
    sides: str | None = Field(None, description="confined: axes across which walls stand")


class Output(Strict):
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


class MdSettings(Strict):
    """A whole run."""

    material: str = "GeTe"
    elements: tuple[str, ...] | None = Field(
        None, description="of the atom types, for start: file; left out, those of the material"
    )
    atoms: Count = Field(512, description="at least this many; a crystal is filled up to whole cells")
    start: StartForm = "rocksalt"
    start_file: str | None = Field(None, description="structure to read, for start: file")
    repeats: tuple[Count, Count, Count] | None = Field(None, description="cells of the crystal, instead of atoms")
    antisites: Annotated[float, Field(ge=0, le=0.5)] = Field(0.0, description="share of cations that swap with anions")
    density_per_A3: Positive | None = Field(
        None, description="atoms/A^3; if left out the amorphous density, or the crystal's own for repeats"
    )
    device: DeviceSettings | None = None
    regions: dict[RegionName, Region] = Field(default_factory=dict, description="named parts of the cell")
    frozen: tuple[str, ...] = Field((), description="regions whose atoms never move")
    seed: Annotated[int, Field(gt=0, lt=900_000_000)] = 2026
    timestep_fs: Annotated[float, Field(gt=0, le=10)] = 2.0
    thermostat: Thermostat = Thermostat()
    barostat: Barostat | None = None
    stages: tuple[Stage, ...] = Field(default_factory=_standard_stages, min_length=1)
    output: Output = Output()
    max_pulse_K: Positive = Field(8000, description="refuse pulses whose estimated temperature is above this")
    max_void_radius_A: Positive = Field(6.0, description="stop when a checked frame has a larger empty sphere")
    max_temperature_K: Positive | None = Field(None, description="stop above this; twice the hottest stage if left out")
    max_gamma: Positive | None = Field(
        None, description="stop above this extrapolation grade; needs the active set that `nvnmd gamma` writes"
    )
    max_clipped: Annotated[int, Field(ge=0)] = Field(
        10_000,
        description="stop when saturation has changed more words since LAMMPS started, or more per 10,000 atoms",
    )

    @model_validator(mode="after")
    def _consistent(self) -> MdSettings:
        if self.elements is not None and (self.start != "file" or not self.elements or self.antisites):
            raise ValueError("elements belong to start: file without antisites; leave them out")
        if self.elements is None and self.material not in MATERIALS:
            raise ValueError(f"material {self.material!r} is not known; known: {', '.join(sorted(MATERIALS))}")
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError("two stages have the same name, and would write to the same file")
        if self.stages[0].ramp:
            raise ValueError(f"the first stage, {names[0]!r}, has nothing to ramp from; give it time_ps and no ramp")
        for stage in self.stages:
            if self.ensemble(stage) == "npt" and (stage.thermostat or self.thermostat).style != "nose-hoover":
                raise ValueError("a barostat needs thermostat.style nose-hoover")
            if self.ensemble(stage) == "npt" and (stage.barostat or self.barostat) is None:
                raise ValueError(f"stage {stage.name!r} is npt but has no barostat")
        if self.stages[0].temperature_K is None:
            raise ValueError(f"the first stage, {names[0]!r}, has no temperature to start from")
        return self

    def ensemble(self, stage: Stage) -> Literal["nvt", "npt", "nve"]:
        """The stage's own ensemble, or the run's."""
        return stage.ensemble or ("npt" if (stage.barostat or self.barostat) is not None else "nvt")

    def type_elements(self) -> tuple[str, ...]:
        """Elements in the order of the atom types."""
        return self.elements or material(self.material).elements

    def temperature_limit_K(self) -> float:
        """Temperature in K above which the run is stopped as broken."""
        least = 8000.0 if any(stage.heat for stage in self.stages) else 1000.0
        return self.max_temperature_K or max(least, 2 * max(stage.temperature_K or 0.0 for stage in self.stages))

    def plan(self) -> list[PlannedStage]:
        """The stages with their first and last step and the temperature each starts from."""
        planned: list[PlannedStage] = []
        step, temperature = 0, self.stages[0].temperature_K or 300.0
        for stage in self.stages:
            end_K = temperature if stage.temperature_K is None else stage.temperature_K
            start_K = temperature if stage.ramp else end_K
            time_ps = stage.time_ps or abs(end_K - start_K) / (stage.rate_K_per_ps or 1.0)
            steps = max(1, round(1000 * time_ps / self.timestep_fs))
            dump = max(1, round(1000 * stage.dump_every_ps / self.timestep_fs))
            end = step + steps
            planned.append(PlannedStage(stage.name, stage.sample, step, end, start_K, end_K, min(dump, steps), stage))
            step, temperature = end, end_K
        return planned
