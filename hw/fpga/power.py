"""Power of a card from an activity model: an estimate with a range, never a measurement. See ``ASSUMPTIONS``.

There is one model. ``nvnmd compile --target rtl``, ``nvnmd simulate`` and ``make hw-report`` say what they know: the
cells that yosys has counted, or those that come with so many multipliers; and how often multipliers work, from cycles
that are counted or simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.synthesis import Resources


class Range(NamedTuple):
    """Low and high end."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} … {self.high:g}"


WORKING_PJ = {"dsp": Range(6, 16), "lut": Range(0.08, 0.30), "bram": Range(8, 20), "uram": Range(15, 30)}
CLOCKED_PJ = {"ff": Range(0.02, 0.06)}
ALWAYS_W = {"leakage": Range(3, 12), "PCIe": Range(5, 9)}
PER_MULTIPLIER = {"lut": Range(80, 120), "ff": Range(60, 90), "bram": Range(0.04, 0.09)}
"""Cells beside a multiplier where none were counted: the span of both named configurations."""

ASSUMPTIONS = (
    "an estimate, not a measurement: no vendor's tool and no card was used; a build's report_power replaces it",
    "a cell costs energy in the cycles in which its block works (the share `busy`), with data that toggle as at random",
    f"a multiplier (DSP48E2) takes {WORKING_PJ['dsp']} pJ a working cycle, a LUT with its wires {WORKING_PJ['lut']}, a "
    f"BRAM36 {WORKING_PJ['bram']}, a URAM288 {WORKING_PJ['uram']}",
    f"a flip-flop with its clock tree takes {CLOCKED_PJ['ff']} pJ in every cycle: no clock is gated",
    f"leakage of a VU9P takes {ALWAYS_W['leakage']} W, PCIe 3.0 x16 with its transceivers {ALWAYS_W['PCIe']} W, always",
    f"where cells were not counted, a multiplier comes with {PER_MULTIPLIER['lut']} LUT, {PER_MULTIPLIER['ff']} FF and "
    f"{PER_MULTIPLIER['bram']} BRAM36",
    "board, fans, memory and host are left out",
)


@dataclass(frozen=True)
class Power:
    """Watt by part, low and high."""

    parts: dict[str, Range]

    @property
    def total(self) -> Range:
        """Sum of the parts, watt."""
        return Range(sum(part.low for part in self.parts.values()), sum(part.high for part in self.parts.values()))

    def joules(self, seconds: float) -> Range:
        """Energy of so many seconds, for example of one step of one atom."""
        return Range(self.total.low * seconds, self.total.high * seconds)


def estimate(cells: Resources, clock_mhz: float, busy: float = 1.0) -> Power:
    """Estimate the power of a card under ``ASSUMPTIONS``.

    Args:
        cells: what it consists of.
        clock_mhz: its clock.
        busy: share of the cycles in which its blocks work, 0 … 1; ``activity`` is a good one.

    Raises:
        FpgaError: a share or a clock that cannot be.
    """
    if not 0.0 <= busy <= 1.0 or clock_mhz <= 0.0:
        raise FpgaError(f"busy = {busy} has to lie between 0 and 1 and clock_mhz = {clock_mhz} above 0")

    def watt(name: str, picojoule: Range, share: float) -> Range:
        working = getattr(cells, name) * share * clock_mhz * 1e6 * 1e-12
        return Range(working * picojoule.low, working * picojoule.high)

    parts = {name.upper(): watt(name, picojoule, busy) for name, picojoule in WORKING_PJ.items()}
    parts |= {f"{name.upper()} and clock": watt(name, picojoule, 1.0) for name, picojoule in CLOCKED_PJ.items()}
    return Power(parts | ALWAYS_W)


def estimate_uncounted(multipliers: float, clock_mhz: float, busy: float = 1.0) -> Power:
    """The same for a card of which only the multipliers are known; ``PER_MULTIPLIER`` widens the range.

    Raises:
        FpgaError: a share or a clock that cannot be.
    """
    few, many = (
        Resources(dsp=multipliers, **{name: multipliers * getattr(per, end) for name, per in PER_MULTIPLIER.items()})
        for end in Range._fields
    )
    low, high = estimate(few, clock_mhz, busy).parts, estimate(many, clock_mhz, busy).parts
    return Power({name: Range(low[name].low, high[name].high) for name in low})


def activity(working: Mapping[str, float], multipliers: Mapping[str, int]) -> float:
    """Share of the cycles in which a multiplier works, the mean over all.

    Args:
        working: share of the cycles in which a block works: ``plan.Prediction.working``, or ``busy`` of a simulated
            step.
        multipliers: by block, as ``plan.Prediction.dsp`` has them.
    """
    return sum(count * working[block] for block, count in multipliers.items()) / sum(multipliers.values())
