"""Protocols of device cells: RESET by a pulse of energy, its dissipation, and SET."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from nvnmd.pcm.protocol import DeviceSettings, MdSettings
from nvnmd.pcm.protocols.base import Protocol, hold, ramp
from nvnmd.pcm.protocols.glass import LANGEVIN
from nvnmd.pcm.pulse import Dissipation
from nvnmd.pcm.stage import Count, Positive


class Reset(Protocol):
    """RESET of a device cell: 300 K, a pulse of energy, dissipation, and if asked for a SET at a fixed temperature.

    cross-point: energy that falls linearly from the bottom to the top (Zhou et al. 2023: 60 fJ in 10 ps; 2025: 64 fJ in
    10 ps, 40 ps of dissipation, SET for nanoseconds). mushroom: 0.264 or 0.625 fJ in 30 ps in a half-cylinder, then 70
    ps without a thermostat. confined: like the cross-point, between walls.
    """

    material: str = "GeSb2Te4"
    device: Literal["cross-point", "mushroom", "confined"] = "mushroom"
    sizes: DeviceSettings | None = None
    repeats: tuple[Count, Count, Count] | None = Field(None, description="cells; the published size if left out")
    energy_fJ: Positive | None = Field(None, description="per pulse; 64 (cross-point, full size) or 0.264 (mushroom)")
    pulses: Count = Field(1, description="iterative RESET: so many pulses, each followed by its dissipation")
    warm_ps: Positive = 10.0
    pulse_ps: Positive | None = Field(None, description="10 (cross-point) or 30 (mushroom)")
    dissipation_ps: Positive | None = Field(None, description="40 (cross-point) or 70 (mushroom)")
    drain: Dissipation | None = Field(None, description="how heat leaves; in the mushroom it only spreads if left out")
    set_K: Positive | None = Field(None, description="SET at this temperature afterwards")
    set_ps: Positive = 1000.0
    slabs: Count = Field(40, description="steps of the gradient")
    frames: Count = Field(20, description="stored configurations of each stage of a pulse")
    prepare_barrier: bool = Field(True, description="cross-point: melt and quench the barrier before it is fixed")

    @model_validator(mode="after")
    def _energy_of_its_size(self) -> Reset:
        if self.energy_fJ is None and (self.repeats is not None or self.device == "confined"):
            raise ValueError("energy_fJ must be given for a cell that is not of the published size")
        return self

    def runs(self) -> dict[str, MdSettings]:
        small = self.device == "mushroom"
        pulse_ps = self.pulse_ps or (30.0 if small else 10.0)
        away_ps = self.dissipation_ps or (70.0 if small else 40.0)
        drain = self.drain or (None if small else Dissipation())
        heat: dict[str, Any] = {"energy_fJ": self.energy_fJ or (0.264 if small else 64.0)}
        heat |= {"region": "heater"} if small else {"gradient": {"slabs": self.slabs}}
        stages = [*self._barrier(), hold("warm", 300, self.warm_ps)]
        for number in range(1, self.pulses + 1):
            free = {"ensemble": "nve", "velocities": True}
            pulse = {"time_ps": pulse_ps, "dump_every_ps": pulse_ps / self.frames, "heat": heat}
            away = {"time_ps": away_ps, "dump_every_ps": away_ps / self.frames, "dissipate": drain}
            stages += [{"name": f"pulse_{number}", **free, **pulse}, {"name": f"dissipate_{number}", **free, **away}]
            stages[-1]["check_voids"] = True
        if self.set_K is not None:
            stages.append(hold("set", self.set_K, self.set_ps, dump_every_ps=self.set_ps / self.frames))
        regions = {"below": {"shape": "box", "z_A": [None, self._barrier_low()]}} if self._has_barrier() else {}
        changes = {"start": self.device, "repeats": self.repeats, "device": self.sizes, "regions": regions}
        return {"": self._run(stages, thermostat=LANGEVIN, **changes)}

    def _has_barrier(self) -> bool:
        return self.device == "cross-point" and self.prepare_barrier

    def _barrier_low(self) -> float:
        """Lower face of the barrier in A, where the rest of the cell ends."""
        from nvnmd.pcm.structures import crystal
        from nvnmd.pcm.structures.device import CROSSPOINT_REPEATS

        thickness = (self.sizes.barrier_A if self.sizes else None) or 8.0
        height = (self.repeats or CROSSPOINT_REPEATS)[2]
        one = crystal(self.material, repeats=(1, 1, 1), form="trigonal").cell.lengths()[2]
        return round(float(one) * height - thickness, 3)

    def _barrier(self) -> list[dict[str, Any]]:
        """Stages that make the barrier a glass while the crystal below stands still."""
        if not self._has_barrier():
            return []
        alone: dict[str, Any] = {"frozen": ["below"], "thaw": ["barrier"]}
        return [hold("barrier_melt", 1500, 5, **alone), ramp("barrier_quench", 300, 100, **alone)]
