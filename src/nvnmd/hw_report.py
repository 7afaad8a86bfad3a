"""The accelerator beside the letter's: ``make hw-report``, or ``python -m nvnmd.hw_report`` for the figures alone.

Counts the cells of both named configurations with yosys, simulates a step with host and PCIe cycle by cycle, and prints
one table with the bars. Nothing of it is measured on a card.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields

import numpy as np

from nvnmd.card_energy import step_power
from nvnmd.fpga.plan import named, predict
from nvnmd.fpga.power import ASSUMPTIONS, Range
from nvnmd.fpga.report import CLOCK_MHZ, report
from nvnmd.fpga.resources import LETTER, VU9P
from nvnmd.fpga.synthesis import Resources
from nvnmd.sim import CardSizes, simulate_card, simulate_step
from nvnmd.sim.card import atom_packets
from nvnmd.sim.host import hidden_communication
from nvnmd.sim.summary import LETTER as PUBLISHED
from nvnmd.training.errors import NvnmdError

ATOMS, NEIGHBORS, MOST = 100_000, 29, 64
"""Of the simulated step: neighbors are drawn at random (Poisson), a wider spread than that of liquid GeTe."""
ENDS = (4_000, 1_728_000)
"""Atoms of the smallest and of the largest step, which show how flat the cost of an atom is."""
BAR_SECONDS = {"letter": 2.7e-7, "fast": 6.4e-8}
"""s/step/atom."""
BAR_SHARE = 0.75
"""Of every resource of a VU9P."""
BAR_HIDDEN = 0.95
"""Of the communication, behind computation."""
_KINDS = [field.name for field in fields(Resources)]


@dataclass(frozen=True)
class Figures:
    """One configuration: yosys' cells, the simulated steps (``ends`` by atoms), the estimated power."""

    cells: Resources
    cycles: float
    seconds: float
    ends: dict[int, float]
    busy: dict[str, float]
    hidden: float
    watt: Range

    def bars(self, name: str) -> dict[str, bool]:
        """Whether each bar is met."""
        fits = all(getattr(self.cells, kind) <= BAR_SHARE * getattr(VU9P, kind) for kind in _KINDS)
        link = max(share for part, share in self.busy.items() if "PCIe" in part)
        found = {
            f"s/step/atom <= {BAR_SECONDS[name]:.1e}": self.seconds <= BAR_SECONDS[name],
            f"every resource <= {BAR_SHARE:.0%} of a VU9P": fits,
            f"communication hidden >= {BAR_HIDDEN:.0%}": self.hidden >= BAR_HIDDEN,
        }
        if name == "letter":
            return found | {f"DSP <= {LETTER.dsp:,.0f}, as published": self.cells.dsp <= LETTER.dsp}
        return found | {"PCIe is not the bound": link < max(self.busy.values())}


def figures(name: str) -> Figures:
    """Measure one configuration with the open tools.

    Raises:
        FpgaError: yosys is missing or refuses a block.
    """
    card = named(name)
    sizes = CardSizes.from_parameters(card.parameters)
    counts = np.clip(np.random.default_rng(0).poisson(NEIGHBORS, ATOMS), 0, MOST)
    step = simulate_step(sizes, counts, CLOCK_MHZ[name])
    ends = {atoms: simulate_step(sizes, np.resize(counts, atoms), CLOCK_MHZ[name]).seconds_per_atom for atoms in ENDS}
    alone = simulate_card(sizes, atom_packets(counts), keep="totals").cycles
    cells = report(name)
    watt = step_power(step, predict(card), cells).total
    hidden = hidden_communication(step, alone)
    return Figures(cells, step.cycles / ATOMS, step.seconds_per_atom, ends, step.busy, hidden, watt)


def table(found: dict[str, Figures]) -> str:
    """The configurations beside the published card."""
    letter = PUBLISHED["GeTe"]
    joules = {name: [watt * f.seconds for watt in f.watt] for name, f in found.items()}
    rows = [["", *(f"{name}" for name in found), "the letter"]]
    rows += [["clock, MHz", *(f"{CLOCK_MHZ[name]} (assumed)" for name in found), "222"]]
    rows += [["cycles/atom, simulated", *(f"{f.cycles:.2f}" for f in found.values()), "~60"]]
    seconds = f"{letter['seconds_per_step_per_atom']:.1e} (GeTe)"
    rows += [["s/step/atom, simulated", *(f"{f.seconds:.3e}" for f in found.values()), seconds]]
    for atoms in ENDS:
        rows += [[f"the same, {atoms:,} atoms", *(f"{f.ends[atoms]:.3e}" for f in found.values()), ""]]
    for kind in _KINDS:
        cells = ((getattr(f.cells, kind), getattr(f.cells, kind) / getattr(VU9P, kind)) for f in found.values())
        rows += [
            [f"{kind.upper()}, yosys", *(f"{n:,.0f} ({s:.0%})" for n, s in cells), f"{getattr(LETTER, kind):,.0f}"]
        ]
    rows += [["W, card, estimate", *(f"{f.watt.low:.0f} … {f.watt.high:.0f}" for f in found.values()), ""]]
    machine = f"{letter['joules_per_step_per_atom']:.1e} (machine)"
    rows += [["J/step/atom, card, estimate", *(f"{low:.1e} … {high:.1e}" for low, high in joules.values()), machine]]
    return "\n".join("".join(f"{cell:<{30 if n == 0 else 24}}" for n, cell in enumerate(row)).rstrip() for row in rows)


def main() -> int:
    """Print everything; 1 when a bar is missed."""
    try:
        found = {name: figures(name) for name in ("letter", "fast")}
    except NvnmdError as error:
        sys.exit(f"nvnmd: {error}")
    print(f"\n{ATOMS:,} atoms, {NEIGHBORS} neighbors in the mean; simulated, counted and estimated, never on a card\n")
    print(table(found))
    bars = {f"{name}: {bar}": met for name, f in found.items() for bar, met in f.bars(name).items()}
    print("\n" + "\n".join(f"{'met   ' if met else 'MISSED'} {bar}" for bar, met in bars.items()))
    print("\npower: " + "; ".join(ASSUMPTIONS))
    return 0 if all(bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
