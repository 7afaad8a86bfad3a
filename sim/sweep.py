"""Many cards at once: what a target II, lanes, a clock and neighbors give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from nvnmd.sim.card import CardSizes
from nvnmd.sim.host import HostModel, simulate_step
from nvnmd.sim.summary import bound_by


@dataclass(frozen=True)
class Card:
    """A card of a sweep: its parameters, and what it costs."""

    sizes: CardSizes
    dsp: int


def sweep(
    configure: Callable[[int, int], Card | None],
    targets: Iterable[int],
    lanes: Iterable[int],
    clocks_mhz: Iterable[float],
    neighbors: Iterable[int],
    host: HostModel | None = None,
    atoms: int = 2000,
) -> list[dict[str, Any]]:
    """Simulate every combination.

    Args:
        configure: from target cycles and neighbor lanes to a card; None where there is none.
        targets: cycles in which the fitting network and the descriptor should take an atom.
        lanes: neighbor lanes.
        clocks_mhz: clocks of the card.
        neighbors: mean number of neighbors; single atoms differ by about a tenth of it.
        host: threads and links.
        atoms: of a simulated step.
    """
    points, spread = list[dict[str, Any]](), np.random.default_rng(0).normal(0.0, 0.09, atoms)
    for target, lane, around in product(targets, lanes, neighbors):
        card = configure(target, lane)
        if card is None:
            continue
        counts = np.clip(np.rint(around * (1 + spread)), 1, card.sizes.max_body).astype(int)
        for clock in clocks_mhz:
            step = simulate_step(card.sizes, counts, clock, host)
            points.append(
                {
                    "target_cycles": target,
                    "lanes": lane,
                    "clock_mhz": clock,
                    "neighbors": around,
                    "dsp": card.dsp,
                    "cycles_per_atom": step.cycles / step.n_atoms,
                    "seconds_per_step_per_atom": step.seconds_per_atom,
                    "bound_by": bound_by(step.busy)[0],
                }
            )
    for point in points:
        point["on_front"] = not any(_better(other, point) for other in points)
    return points


def _better(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether ``a`` is no worse than ``b`` for the same neighbors, and better in time or multipliers."""
    one, two = ((point["seconds_per_step_per_atom"], point["dsp"]) for point in (a, b))
    return a["neighbors"] == b["neighbors"] and one != two and one[0] <= two[0] and one[1] <= two[1]
