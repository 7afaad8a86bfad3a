"""Protocols of the bulk: melt and quench, heating, crystallization, SET pulses, cycles, and the interface method."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from nvnmd.pcm.protocol import MdSettings, StartForm
from nvnmd.pcm.protocols.base import Protocol, hold, pressure, ramp
from nvnmd.pcm.stage import Count, Positive, Thermostat
from nvnmd.pcm.structures import crystal, material

Fraction = Annotated[float, Field(gt=0, lt=1)]
LANGEVIN = Thermostat(style="langevin", damping_ps=0.04)
"""As in the SET runs of Zhou et al. (2025, note 3): 25 per ps."""


class MeltQuench(Protocol):
    """Melt, equilibrate, quench at one or several rates and sample the glass, at constant volume.

    scheme letter: 2000 K for 10 ps, 1200 K for the liquid, 300 K at 25 K/ps from there on. scheme gst-gap: 3000 K for
    20 ps, down to the melting point at 100 K/ps, 30 ps there, 300 K at 25 K/ps, 30 ps (Zhou et al. 2023, Methods).
    """

    scheme: Literal["letter", "gst-gap"] = "letter"
    start: StartForm = "rocksalt"
    density_per_A3: Positive | None = None
    rates_K_per_ps: tuple[Positive, ...] = Field((25.0,), min_length=1, description="one run for each")
    liquid_ps: Positive = 10.0
    glass_ps: Positive = 10.0

    def runs(self) -> dict[str, MdSettings]:
        changes = {"start": self.start, "density_per_A3": self.density_per_A3}
        runs = {f"{rate:g}K_per_ps": self._run(self._stages(rate), **changes) for rate in self.rates_K_per_ps}
        return runs if len(runs) > 1 else {"": next(iter(runs.values()))}

    def _stages(self, rate: float) -> list[dict[str, Any]]:
        melting = material(self.material).melting_K
        hot, hot_ps, cooling, liquid_K, wait_ps, anneal_ps = (
            (2000.0, 10.0, 250.0, 1200.0, 5.0, 5.0)
            if self.scheme == "letter"
            else (3000.0, 20.0, 100.0, melting, 20.0, 20.0)
        )
        liquid = {"sample": "liquid", "dump_every_ps": 0.1, "check_voids": True}
        return [
            hold("melt", hot, hot_ps),
            ramp("cool", liquid_K, cooling),
            hold("equilibrate", liquid_K, wait_ps),
            hold("liquid", liquid_K, self.liquid_ps, **liquid),
            ramp("quench", 300, rate, check_voids=True),
            hold("anneal", 300, anneal_ps),
            hold("amorphous", 300, self.glass_ps, **(liquid | {"sample": "amorphous"})),
        ]


class Heating(Protocol):
    """Heat crystals of several sizes through their melting point, at constant volume, pressure or energy.

    nvt and npt ramp from 300 K; nve reaches end_K at constant volume and then keeps its energy, as for the MSD.
    """

    ensemble: Literal["nvt", "npt", "nve"] = "nvt"
    sizes: tuple[Count, ...] = Field((216, 1728, 13824), min_length=1, description="atoms of each run")
    start: StartForm = "rocksalt"
    warm_ps: Positive = Field(10.0, description="at 300 K before the heating")
    end_K: Positive = 1300.0
    rate_K_per_ps: Positive = 10.0
    hold_ps: Positive = 20.0

    def runs(self) -> dict[str, MdSettings]:
        stages = [hold("warm", 300, self.warm_ps), ramp("heat", self.end_K, self.rate_K_per_ps, dump_every_ps=2)]
        if self.ensemble == "nve":
            keep = {"ensemble": "nve", "time_ps": self.hold_ps, "dump_every_ps": 0.1, "sample": "liquid"}
            stages.append({"name": "keep", **keep})
        else:
            stages.append(hold("hot", self.end_K, self.hold_ps, sample="liquid", dump_every_ps=0.2))
        barostat = pressure(1.0 if self.ensemble == "npt" else None)
        return {
            f"{size}_atoms": self._run(stages, start=self.start, atoms=size, barostat=barostat) for size in self.sizes
        }


class Crystallize(Protocol):
    """Melt, quench to the temperature of growth and wait, with a fixed crystalline seed or without one.

    The seed is a slab of the crystal at the bottom of z that stands still until growth starts (Zhou et al. 2023).
    """

    seeded: bool = True
    seed_A: Positive = Field(6.0, description="thickness of the seed; 6 A are two layers")
    density_per_A3: Positive | None = None
    melt_K: Positive = 1500.0
    melt_ps: Positive = 20.0
    quench_K_per_ps: Positive | None = Field(None, description="to 300 K first; straight to grow_K if left out")
    grow_K: Positive = 600.0
    grow_ps: Positive = 500.0

    def runs(self) -> dict[str, MdSettings]:
        held: dict[str, Any] = {"frozen": ["seed"]} if self.seeded else {}
        stages = [hold("melt", self.melt_K, self.melt_ps, **held)]
        if self.quench_K_per_ps is not None:
            stages += [ramp("quench", 300, self.quench_K_per_ps, **held), hold("glass", 300, 5, **held)]
        stages.append(hold("grow", self.grow_K, self.grow_ps, dump_every_ps=2))
        regions = {"seed": {"shape": "box", "z_A": [None, self.seed_A]}} if self.seeded else {}
        changes = {"density_per_A3": self.density_per_A3, "thermostat": LANGEVIN, "regions": regions}
        return {"": self._run(stages, **changes)}


class SetPulses(Protocol):
    """Cumulative SET: a melt-quenched cell with a crystalline seed gets a train of short, warm pulses.

    Zhou et al. (2023, figure 4c): 650 K or 600 K for 100 ps, 600 K for 50 ps; 300 K between them.
    """

    pulses: Count = 10
    pulse_K: Positive = 600.0
    pulse_ps: Positive = 100.0
    rest_K: Positive = 300.0
    rest_ps: Positive = 10.0
    seed_A: Positive = 6.0
    reset_K: Positive = Field(1500.0, description="of the RESET before the train")
    reset_ps: Positive = 30.0
    quench_K_per_ps: Positive = 25.0

    def runs(self) -> dict[str, MdSettings]:
        held = {"frozen": ["seed"]}
        stages = [hold("reset", self.reset_K, self.reset_ps, **held)]
        stages += [ramp("quench", self.rest_K, self.quench_K_per_ps, check_voids=True, **held)]
        for number in range(1, self.pulses + 1):
            stages += [hold(f"set_{number}", self.pulse_K, self.pulse_ps, dump_every_ps=self.pulse_ps / 10)]
            stages += [hold(f"rest_{number}", self.rest_K, self.rest_ps, dump_every_ps=self.rest_ps)]
        regions = {"seed": {"shape": "box", "z_A": [None, self.seed_A]}}
        return {"": self._run(stages, thermostat=LANGEVIN, regions=regions)}


class Cycle(Protocol):
    """Thermal cycling between liquid, glass and crystal (Dunton, Arbaugh and Starr 2024: 900, 300, 600 K at 1 bar)."""

    cycles: Count = 5
    melt_K: Positive = 900.0
    melt_ps: Positive = 100.0
    glass_K: Positive = 300.0
    glass_ps: Positive = 1000.0
    crystal_K: Positive = 600.0
    crystal_ps: Positive = 1000.0
    pressure_bar: float | None = Field(1.0, description="constant volume if null")

    def runs(self) -> dict[str, MdSettings]:
        stages = []
        for number in range(1, self.cycles + 1):
            stages += [
                hold(f"melt_{number}", self.melt_K, self.melt_ps, dump_every_ps=10),
                hold(f"glass_{number}", self.glass_K, self.glass_ps, dump_every_ps=20, check_voids=True),
                hold(f"crystal_{number}", self.crystal_K, self.crystal_ps, dump_every_ps=20),
            ]
        return {"": self._run(stages, barostat=pressure(self.pressure_bar))}


class Interface(Protocol):
    """Crystal and liquid side by side, one run for each temperature: the side that grows says where melting is.

    Half of the cell is melted while the other half stands still; then only z follows the pressure (Dunton, Arbaugh and
    Starr 2024, supplement 2). `nvnmd pcm analyze` gives the velocity of the interface of each run.
    """

    temperatures_K: tuple[Positive, ...] = Field((700.0, 800.0, 900.0, 1000.0), min_length=1)
    melt_K: Positive = 1500.0
    melt_ps: Positive = 20.0
    run_ps: Positive = 100.0
    pressure_bar: float = 1.0
    repeats: tuple[Count, Count, Count] = (5, 5, 12)
    crystal_part: Fraction = 0.5

    def runs(self) -> dict[str, MdSettings]:
        built = crystal(self.material, repeats=self.repeats, seed=self.seed)
        middle = round(float(built.cell.lengths()[2]) * self.crystal_part, 3)
        regions = {"crystal": {"shape": "box", "z_A": [None, middle]}}
        runs = {}
        for kelvin in self.temperatures_K:
            stages = [
                hold("melt", self.melt_K, self.melt_ps, frozen=["crystal"]),
                hold("cool", kelvin, 5, frozen=["crystal"]),
                hold("front", kelvin, self.run_ps, dump_every_ps=1, barostat=pressure(self.pressure_bar, "z")),
            ]
            runs[f"{kelvin:g}K"] = self._run(stages, repeats=self.repeats, regions=regions)
        return runs


class Viscosity(Protocol):
    """Liquids at several temperatures with their stress written every few steps, for Green-Kubo integrals."""

    temperatures_K: tuple[Positive, ...] = Field((900.0, 1000.0, 1100.0, 1200.0), min_length=1)
    density_per_A3: Positive | None = None
    melt_K: Positive = 1500.0
    run_ps: Positive = 1000.0
    stress_every_steps: Count = 5

    def runs(self) -> dict[str, MdSettings]:
        runs = {}
        for kelvin in self.temperatures_K:
            sampled = {"sample": "liquid", "dump_every_ps": 0.5, "stress_every_steps": self.stress_every_steps}
            stages = [
                hold("melt", self.melt_K, 20),
                hold("relax", kelvin, 20),
                hold("liquid", kelvin, self.run_ps, **sampled),
            ]
            runs[f"{kelvin:g}K"] = self._run(stages, density_per_A3=self.density_per_A3)
        return runs
