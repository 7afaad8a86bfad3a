"""An estimate of the energy of a step, from how often multipliers work. Nothing is measured; see ``ASSUMPTIONS``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nvnmd.sim.host import StepTrace

ASSUMPTIONS = (
    "an estimate, not a measurement: no power tool and no card was used",
    "every multiplier works in each cycle in which its stage takes a beat, and costs 12 pJ then (5 … 30), with the "
    "registers, wires and memory reads around it",
    "leakage of the device takes 6 W (3 … 12), PCIe with its transceivers 7 W (5 … 9), all the time",
    "board, fans, memory and host are left out; make hw-report estimates the card from its cells",
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
WATT_OF_LEAKAGE = Estimate(3.0, 6.0, 12.0)
WATT_OF_PCIE = Estimate(5.0, 7.0, 9.0)


def operations_per_atom(step: StepTrace, multipliers: Mapping[str, int]) -> float:
    """Multiplications of an atom, those on lanes without words included.

    Args:
        step: the simulated step.
        multipliers: by stage, as ``nvnmd.fpga.plan.predict`` counts them.
    """
    work = sum(multipliers[stage] * step.card.beats[place] for stage, place in _STAGES.items())
    return work / step.n_atoms


def joules_per_atom(step: StepTrace, multipliers: Mapping[str, int]) -> Estimate:
    """J/step/atom of the device, an estimate under ``ASSUMPTIONS``."""
    operations = operations_per_atom(step, multipliers)

    def joules(which: str) -> float:
        watt = getattr(WATT_OF_LEAKAGE, which) + getattr(WATT_OF_PCIE, which)
        return watt * step.seconds_per_atom + operations * getattr(PICOJOULE_PER_OPERATION, which) * 1e-12

    return Estimate(joules("low"), joules("middle"), joules("high"))
