"""Energy of a simulated step: what the simulator says works, with the cells of the card. An estimate."""

from __future__ import annotations

from typing import Any

from nvnmd.fpga.plan import Prediction
from nvnmd.fpga.power import ASSUMPTIONS, Power, activity, estimate, estimate_uncounted
from nvnmd.fpga.synthesis import Resources
from nvnmd.sim.host import StepTrace


def step_power(step: StepTrace, found: Prediction, cells: Resources | None = None) -> Power:
    """Power of the card during a simulated step.

    Args:
        step: the step; its shares say how often multipliers work.
        found: multipliers of the card.
        cells: what yosys has counted; without them cells are taken from the number of multipliers.
    """
    busy = activity(step.busy, found.dsp)
    if cells is None:
        return estimate_uncounted(sum(found.dsp.values()), step.clock_mhz, busy)
    return estimate(cells, step.clock_mhz, busy)


def step_energy(step: StepTrace, found: Prediction) -> dict[str, Any]:
    """J/step/atom of the card alone, low and high, and what is assumed; for ``nvnmd.sim.summary.summarize``."""
    joules = step_power(step, found).joules(step.seconds_per_atom)
    return {"low": joules.low, "high": joules.high, "assumptions": list(ASSUMPTIONS)}
