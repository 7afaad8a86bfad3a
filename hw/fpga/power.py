"""Power of a card from an activity model: an estimate with a range, never a measurement. See ``ASSUMPTIONS``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.synthesis import Resources

ASSUMPTIONS = (
    "an estimate: no vendor's tool and no card was used; report_power of a finished build replaces it",
    "a cell costs energy in the cycles in which its block works (the share `busy`), with data that toggle as at random",
    "DSP48E2 6 … 16 pJ, LUT with its wires 0.08 … 0.30 pJ, BRAM36 8 … 20 pJ, URAM288 15 … 30 pJ a working cycle",
    "flip-flops and their clock tree cost 0.02 … 0.06 pJ in every cycle: no clock is gated",
    "leakage of a VU9P 3 … 12 W, PCIe 3.0 x16 with its transceivers 5 … 9 W, all the time",
    "board, fans, memory and host are left out",
)


class Range(NamedTuple):
    """Low and high end."""

    low: float
    high: float


WORKING_PJ = {"dsp": Range(6, 16), "lut": Range(0.08, 0.30), "bram": Range(8, 20), "uram": Range(15, 30)}
CLOCKED_PJ = {"ff": Range(0.02, 0.06)}
ALWAYS_W = {"leakage": Range(3, 12), "PCIe": Range(5, 9)}


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
        busy: share of the cycles in which its blocks work, 0 … 1; the mean over multipliers is a good one.

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


def busy_share(stage_cycles: dict[str, int], multipliers: dict[str, int]) -> float:
    """Share of the cycles in which a multiplier works, the mean over all, at the rate that the slowest stage allows.

    Args:
        stage_cycles, multipliers: as ``plan.Prediction`` has them.
    """
    stages = {"neighbor front": "neighbors", "gradient": "descriptor"}
    slowest = max(stage_cycles.values())
    work = sum(count * stage_cycles[stages.get(block, block)] for block, count in multipliers.items())
    return work / (slowest * sum(multipliers.values()))
