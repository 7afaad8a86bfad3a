"""Print rate and cells of the named configurations beside the letter's: ``python -m nvnmd.fpga.report``."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.plan import GETE, named, predict
from nvnmd.fpga.power import ASSUMPTIONS, activity, estimate
from nvnmd.fpga.resources import LETTER, VU9P, Block, blocks
from nvnmd.fpga.synthesis import Resources

CLOCK_MHZ = {"letter": 222, "fast": 250}
"""Assumed clocks, those of the bars; only Vivado can say what a build reaches."""
_KINDS = [field.name for field in fields(Resources)]


def _row(name: str, cells: Resources) -> str:
    return f"{name:<36}" + "".join(f"{getattr(cells, kind):>12,.0f}" for kind in _KINDS)


def report(name: str) -> Resources:
    """Print one configuration and return its cells; its blocks are synthesized unless they have been.

    Raises:
        FpgaError: yosys is missing or refuses a block.
    """
    card = named(name)
    found = predict(card)
    seconds = found.cycles / CLOCK_MHZ[name] * 1e-6
    print(f"\n{name}: {found.cycles} cycles an atom with {GETE} neighbors, counted ({found.stage_cycles})")
    print(f"at {CLOCK_MHZ[name]} MHz, assumed: {seconds:.3g} s/step/atom; the letter: 2.7e-7 (GeTe)")
    print(f"multipliers, counted: {sum(found.dsp.values())} ({found.dsp})")
    print(f"{'yosys estimate':<36}" + "".join(f"{kind.upper():>12}" for kind in _KINDS))
    total, parts = Resources(), list(blocks(card))
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # of waiting threads: yosys runs in processes of its own
        for block, cells in zip(parts, pool.map(Block.count, parts), strict=True):
            total += cells
            print(_row(block.name + (f" x {block.copies}" if block.copies > 1 else ""), cells), flush=True)
    print(_row("sum", total))
    share = Resources(*(100 * getattr(total, kind) / getattr(VU9P, kind) for kind in _KINDS))
    print(_row("sum, % of the VU9P", share))
    print(_row("the letter, published", LETTER))
    _print_power(total, CLOCK_MHZ[name], activity(found.working, found.dsp), seconds)
    return total


def _print_power(cells: Resources, clock_mhz: float, busy: float, seconds: float) -> None:
    power = estimate(cells, clock_mhz, busy)
    joules = power.joules(seconds)
    parts = ", ".join(f"{name} {part.low:.1f} … {part.high:.1f}" for name, part in power.parts.items() if part.high)
    print(f"power, estimate: {power.total.low:.0f} … {power.total.high:.0f} W ({parts}), {100 * busy:.0f} % busy")
    print(f"energy, estimate: {joules.low:.1e} … {joules.high:.1e} J/step/atom of the card alone")


def main() -> None:
    """Report both configurations, or those named on the command line."""
    try:
        for name in sys.argv[1:] or ["letter", "fast"]:
            report(name)
        print("\npower: " + "; ".join(ASSUMPTIONS))
    except FpgaError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
