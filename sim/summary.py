"""What a simulated step says: cycles, seconds, bytes, what is busy and what bounds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nvnmd.sim.card import CardSizes, atom_packets, simulate_card
from nvnmd.sim.host import HostModel, StepTrace, bytes_per_atom, hidden_communication

LETTER = {
    "Sb": {"seconds_per_step_per_atom": 1.7e-7, "joules_per_step_per_atom": 3.8e-5},
    "GeTe": {"seconds_per_step_per_atom": 2.8e-7, "joules_per_step_per_atom": 6.1e-5},
    "Ge2Sb2Te5": {"seconds_per_step_per_atom": 2.7e-7, "joules_per_step_per_atom": 6.3e-5},
}
"""Published: measured with one VU9P, whole steps of 1.5 to 1.7 million atoms; energy of the whole machine."""
LINKS = {"host threads": "host", "PCIe in": "PCIe in", "PCIe out": "PCIe out"}


def bound_by(busy: Mapping[str, float]) -> tuple[str, str]:
    """What a step waits for, ``compute``, ``PCIe in``, ``PCIe out`` or ``host``, and the busiest part itself."""
    part = max(busy, key=lambda name: busy[name])
    return LINKS.get(part, "compute"), part


def summarize(
    sizes: CardSizes, neighbors: Any, step: StepTrace, host: HostModel, energy: Mapping[str, Any]
) -> dict[str, Any]:
    """Figures of a step, all of them simulated or estimated.

    Args:
        sizes: parameters of the card.
        neighbors: int [n_atoms].
        step: what ``simulate_step`` returned for them.
        host: threads and links of the step.
        energy: J/step/atom of the card, ``low`` and ``high``, and the ``assumptions`` of this estimate.
    """
    counts = np.asarray(neighbors)
    alone = simulate_card(sizes, atom_packets(counts), keep="totals").cycles
    kind, part = bound_by(step.busy)
    sent, received = bytes_per_atom(counts)
    return {
        "label": "simulated; energy is an estimate",
        "atoms": step.n_atoms,
        "neighbors_mean": float(counts.mean()),
        "neighbors_max": int(counts.max()),
        "clock_mhz": step.clock_mhz,
        "cycles_per_atom": step.cycles / step.n_atoms,
        "cycles_per_atom_card_alone": alone / step.n_atoms,
        "seconds_per_step": step.seconds,
        "seconds_per_step_per_atom": step.seconds_per_atom,
        "joules_per_step_per_atom": {"low": energy["low"], "high": energy["high"]},
        "energy_assumptions": list(energy["assumptions"]),
        "bytes_per_atom_in": sent,
        "bytes_per_atom_out": received,
        "bound_by": kind,
        "busiest": part,
        "busy": step.busy,
        "communication_hidden": hidden_communication(step, alone),
        "waits": {cause: cycles / step.cycles for cause, cycles in step.card.waits.items()},
        "stores": {name: [step.card.most[name], depth] for name, depth in step.card.depths.items()},
        "host_threads": host.threads,
        "letter": LETTER,
    }


def text(found: Mapping[str, Any], name: str) -> str:
    """The same as lines for people, beside the published figures."""
    energy, letter = found["joules_per_step_per_atom"], found["letter"]
    times, joules = ([row[key] for row in letter.values()] for key in next(iter(letter.values())))
    seconds = found["seconds_per_step_per_atom"]
    rows = [
        ("", name + ", simulated", "the letter, published: " + ", ".join(letter)),
        ("cycles/atom", f"{found['cycles_per_atom']:.2f}", "~60"),
        ("clock, MHz", f"{found['clock_mhz']:g} (assumed)", "222"),
        ("s/step/atom", f"{seconds:.3e}", ", ".join(f"{value:.1e}" for value in times)),
        (
            "J/step/atom, estimate",
            f"{energy['low']:.1e} … {energy['high']:.1e} (card)",
            ", ".join(f"{value:.1e}" for value in joules) + " (machine)",
        ),
        ("bytes/atom in, out", f"{found['bytes_per_atom_in']:.0f}, {found['bytes_per_atom_out']:.0f}", ""),
        ("bound by", f"{found['bound_by']} ({found['busiest']}, {100 * found['busy'][found['busiest']]:.1f} %)", ""),
        ("communication hidden", f"{100 * found['communication_hidden']:.2f} %", ""),
    ]
    lines = [f"{found['atoms']:,} atoms, neighbors: mean {found['neighbors_mean']:.1f}, most {found['neighbors_max']}"]
    lines += [f"  {left:<24}{middle:<38}{right}".rstrip() for left, middle, right in rows]
    lines += ["busy, % of the step:"]
    lines += [f"  {part:<24}{100 * share:6.1f}" for part, share in found["busy"].items()]
    lines += ["stores, fullest of their size:"]
    lines += [f"  {store:<28}{most:>6} of {depth}" for store, (most, depth) in found["stores"].items()]
    lines += ["energy: " + "; ".join(found["energy_assumptions"]) + "."]
    return "\n".join(lines)
