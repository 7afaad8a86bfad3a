"""An estimate of the energy of a step, from how often multipliers work. Nothing is measured; see ``ASSUMPTIONS``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nvnmd.sim.host import StepTrace

ASSUMPTIONS = (
    "an estimate, not a measurement: no power tool and no card was used",
    "every multiplier works in each cycle in which its stage takes a beat, and costs 12 pJ then (5 … 30), with the "
    "registers, wires and memory reads around it",
    "clock tree and leakage of the device take 5 W (3 … 12), PCIe, memory and conversion on the board 10 W (5 … 40), "
    "all the time",
    "the host's processor is left out",
)
_STAGES = {
    "neighbor front": "neighbors in",
    "descriptor": "neighbors in",
    "fitting network": "network in",
    "gradient": "gradient in",
    "forces": "forces in",
}


@dataclass(frozen=True)
class Estimate:
    """Low, middle and high value of an estimate."""

    low: float
    middle: float
    high: float


PICOJOULE_PER_OPERATION = Estimate(5.0, 12.0, 30.0)
WATT_OF_DEVICE = Estimate(3.0, 5.0, 12.0)
WATT_OF_BOARD = Estimate(5.0, 10.0, 40.0)


def operations_per_atom(step: StepTrace, multipliers: Mapping[str, int]) -> float:
    """Multiplications of an atom, those on lanes without words included.

    Args:
        step: the simulated step.
        multipliers: by stage, as ``nvnmd.fpga.plan.predict`` counts them.
    """
    work = sum(multipliers[stage] * step.card.beats[place] for stage, place in _STAGES.items())
    return work / step.n_atoms


def joules_per_atom(step: StepTrace, multipliers: Mapping[str, int]) -> Estimate:
    """J/step/atom of device and board, an estimate under ``ASSUMPTIONS``."""
    operations = operations_per_atom(step, multipliers)

    def joules(which: str) -> float:
        watt = getattr(WATT_OF_DEVICE, which) + getattr(WATT_OF_BOARD, which)
        return watt * step.seconds_per_atom + operations * getattr(PICOJOULE_PER_OPERATION, which) * 1e-12

    return Estimate(joules("low"), joules("middle"), joules("high"))
