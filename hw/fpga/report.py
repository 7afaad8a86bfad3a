"""Print rate and cells of the named configurations beside the letter's: ``python -m nvnmd.fpga.report``."""

from __future__ import annotations

import sys
from dataclasses import fields

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.plan import GETE, named, predict
from nvnmd.fpga.resources import LETTER, VU9P, blocks
from nvnmd.fpga.synthesis import Resources

CLOCK_MHZ = {"letter": 222, "fast": 250}
"""Assumed clocks, those of the bars; only Vivado can say what a build reaches."""
_KINDS = [field.name for field in fields(Resources)]


def _row(name: str, cells: Resources) -> str:
    return f"{name:<32}" + "".join(f"{getattr(cells, kind):>12,.0f}" for kind in _KINDS)


def report(name: str) -> None:
    """Print one configuration; its blocks are synthesized unless they have been.

    Raises:
        FpgaError: yosys is missing or refuses a block.
    """
    card = named(name)
    found = predict(card)
    seconds = found.cycles / CLOCK_MHZ[name] * 1e-6
    print(f"\n{name}: {found.cycles} cycles an atom with {GETE} neighbors, counted ({found.stage_cycles})")
    print(f"at {CLOCK_MHZ[name]} MHz, assumed: {seconds:.3g} s/step/atom; the letter: 2.7e-7 (GeTe)")
    print(f"multipliers, counted: {sum(found.dsp.values())} ({found.dsp})")
    print(f"{'yosys estimate':<32}" + "".join(f"{kind.upper():>12}" for kind in _KINDS))
    total = Resources()
    for block in blocks(card):
        cells = block.count()
        total += cells
        print(_row(block.name + (f" x {block.copies}" if block.copies > 1 else ""), cells), flush=True)
    print(_row("sum", total))
    share = Resources(*(100 * getattr(total, kind) / getattr(VU9P, kind) for kind in _KINDS))
    print(_row("sum, % of the VU9P", share))
    print(_row("the letter, published", LETTER))


def main() -> None:
    """Report both configurations, or those named on the command line."""
    try:
        for name in sys.argv[1:] or ["letter", "fast"]:
            report(name)
    except FpgaError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
