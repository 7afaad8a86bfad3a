"""`nvnmd compile --target rtl`: lanes for a rate, what they cost, and the call that builds the card."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from nvnmd.fpga.configuration import Configuration


def run(
    model: Path,
    output: Path | None,
    *,
    clock_MHz: float,
    overwrite: bool,
    ii: int,
    neighbors: int,
    board: str,
    **_: Any,
) -> None:
    """Plan a card for a model, or show a named one; with ``output`` write what Vivado needs.

    Raises:
        FpgaError: a rate out of reach, a model that no card holds, an unknown board.
    """
    from nvnmd.fpga.vivado import write_build

    card = _card(model, ii, neighbors)
    typer.echo(_text(card, str(model), neighbors, clock_MHz))
    if output is None:
        return
    if overwrite:
        (output / "parameters.txt").unlink(missing_ok=True)
    command = write_build(output, card, board)
    typer.echo(f"\nthe call that would build it for {board}; nobody has run it yet:\n  {shlex.join(command)}")


def _card(model: Path, ii: int, neighbors: int) -> Configuration:
    from nvnmd.fpga.configuration import configuration_for
    from nvnmd.fpga.plan import named, plan
    from nvnmd.quantize.model_file import load_model

    if str(model) in ("letter", "fast") and not model.exists():
        return named(str(model))
    return plan(configuration_for(load_model(model)), ii, neighbors)


def _text(card: Configuration, name: str, neighbors: int, clock_MHz: float) -> str:
    """What a configuration does and costs, by counting."""
    from nvnmd.fpga.plan import predict
    from nvnmd.fpga.power import ASSUMPTIONS, activity, estimate_uncounted
    from nvnmd.fpga.resources import LETTER, VU9P

    found = predict(card, neighbors)
    multipliers, kbit = sum(found.dsp.values()), sum(found.memory_kbit.values())
    busy = activity(found.working, found.dsp)
    watt = estimate_uncounted(multipliers, clock_MHz, busy).total
    stages = ", ".join(f"{stage} {cycles}" for stage, cycles in found.stage_cycles.items())
    blocks = ", ".join(f"{block} {count:,}" for block, count in found.dsp.items())
    lines = [
        f"{name}: {card.fitting_lanes} fitting lanes, {card.neighbor_lanes} neighbor lanes, {card.columns} columns",
        f"  cycles an atom, {neighbors} neighbors  {found.cycles} ({stages})",
        f"  s/step/atom at {clock_MHz:g} MHz       {found.cycles / clock_MHz * 1e-6:.3g} (clock assumed)",
        f"  multipliers                  {multipliers:,} ({blocks})",
        f"                               {100 * multipliers / VU9P.dsp:.0f} % of a VU9P; the letter {LETTER.dsp:,}",
        f"  tables, weights, buffers     {kbit:,.0f} kbit",
        f"  multipliers busy             {100 * busy:.0f} % of the cycles",
        f"  power                        {watt.low:.0f} … {watt.high:.0f} W, {ASSUMPTIONS[0]}",
        "counted before building; `make hw-report` counts the cells of the named configurations with yosys",
    ]
    if multipliers > 0.75 * VU9P.dsp:
        lines.append("warning: more than 75 % of the multipliers of a VU9P; ask for more cycles with --ii")
    return "\n".join(lines)
