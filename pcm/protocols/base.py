"""What all protocols share: a few readable settings that become one or several complete runs."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any

from pydantic import Field

from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.stage import Barostat, Count, Strict

Seed = Annotated[int, Field(gt=0, lt=900_000_000)]


class Protocol(Strict):
    """Settings of a protocol. `runs` turns them into runs by name; a single run has the name ""."""

    material: str = "GeTe"
    atoms: Count = Field(512, description="at least this many")
    seed: Seed = 2026
    timestep_fs: Annotated[float, Field(gt=0, le=10)] = 2.0

    @abstractmethod
    def runs(self) -> dict[str, MdSettings]:
        """The complete settings of each run. Raises ValueError for settings that make no run."""

    def _run(self, stages: list[dict[str, Any]], **changes: Any) -> MdSettings:
        """A run of these stages with the shared settings, where `changes` do not say otherwise."""
        shared = {"material": self.material, "atoms": self.atoms, "seed": self.seed, "timestep_fs": self.timestep_fs}
        return MdSettings.model_validate(shared | {"stages": stages} | changes)


def hold(name: str, kelvin: float, time_ps: float, **more: Any) -> dict[str, Any]:
    """A stage at a temperature."""
    return {"name": name, "temperature_K": kelvin, "time_ps": time_ps, **more}


def ramp(name: str, kelvin: float, rate: float, **more: Any) -> dict[str, Any]:
    """A stage that goes to a temperature at a rate in K/ps."""
    return {"name": name, "temperature_K": kelvin, "ramp": True, "rate_K_per_ps": rate, **more}


def pressure(bar: float | None, axes: str = "iso") -> Barostat | None:
    """A barostat, or none for a run at constant volume."""
    return None if bar is None else Barostat.model_validate({"pressure_bar": bar, "axes": axes})
