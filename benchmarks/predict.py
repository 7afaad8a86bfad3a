"""A prediction for more cores and nodes than were at hand: measured cost of one core, volume of communication.

    python benchmarks/predict.py

The time of a step is compute + exchange, with nothing overlapped:

    compute  = atoms per rank x cost of one core / efficiency, both from results/scaling.json (the largest size, and the
               speedup of two ranks over two);
    exchange = 2 x 6 messages (positions out, forces back, two a direction), each with a latency, and 24 bytes a ghost
               atom each way; for cubic subdomains the ghosts are a shell of cutoff + skin.

Assumptions that nobody measured here: the latency and bandwidth below, that the memory bandwidth of a full node
suffices, that all cores keep the clock of one, and a balanced load.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from records import RESULTS

SHELL_A, ATOMS_PER_A3 = 7.0, 0.0337
BYTES_PER_GHOST = 2 * 24  # three doubles out, three back
MESSAGES = 12
LATENCY_S = {"node": 1e-6, "network": 3e-6}
BYTES_PER_S = {"node": 5e9, "network": 25e9}  # per rank inside a node; per node over a 200 Gbit/s network
CASES = [(1_728_000, 1, 64), (1_728_000, 4, 64), (20_000_000, 1, 64), (20_000_000, 4, 64), (20_000_000, 16, 64)]


@dataclass(frozen=True)
class Predicted:
    """One system on so many nodes of so many cores."""

    atoms: int
    nodes: int
    cores: int
    compute_ms: float
    exchange_ms: float
    ghosts_per_atom: float

    @property
    def ns_per_step_per_atom(self) -> float:
        """Wall time."""
        return 1e6 * (self.compute_ms + self.exchange_ms) / self.atoms

    @property
    def ns_per_day(self) -> float:
        """Simulated nanoseconds a day with steps of 2 fs."""
        return 86400e3 / (self.compute_ms + self.exchange_ms) * 2e-6


def measured(records: list[dict[str, Any]]) -> tuple[float, float]:
    """Cost of one core in s/step/atom, and the efficiency of two ranks."""
    sizes = [r for r in records if r["name"] == "nvnmd"]
    cost = max(sizes, key=lambda r: r["atoms"])["us_per_step_per_atom"] * 1e-6
    two = [r["speedup"] / 2 for r in records if r["name"] == "2 ranks"]
    return cost, min(1.0, two[0]) if two else 1.0


def predict(atoms: int, nodes: int, cores: int, cost_s: float, efficiency: float) -> Predicted:
    """Compute and exchange of a step."""
    ranks = nodes * cores
    edge = (atoms / ranks / ATOMS_PER_A3) ** (1 / 3)
    ghosts = ATOMS_PER_A3 * ((edge + 2 * SHELL_A) ** 3 - edge**3)
    seconds = MESSAGES * LATENCY_S["network" if nodes > 1 else "node"] + ghosts * BYTES_PER_GHOST / BYTES_PER_S["node"]
    if nodes > 1:
        node_edge = (atoms / nodes / ATOMS_PER_A3) ** (1 / 3)
        node_ghosts = ATOMS_PER_A3 * ((node_edge + 2 * SHELL_A) ** 3 - node_edge**3)
        seconds += node_ghosts * BYTES_PER_GHOST / BYTES_PER_S["network"]
    compute = atoms / ranks * cost_s / efficiency
    return Predicted(atoms, nodes, cores, 1e3 * compute, 1e3 * seconds, ghosts * ranks / atoms)


def prediction(records: list[dict[str, Any]]) -> list[Predicted]:
    """All cases."""
    cost, efficiency = measured(records)
    return [predict(*case, cost, efficiency) for case in CASES]


def main() -> None:
    """Print the prediction."""
    path = RESULTS / "scaling.json"
    if not path.exists():
        sys.exit("there is no results/scaling.json; run python benchmarks/scaling.py")
    records = json.loads(path.read_text())["records"]
    cost, efficiency = measured(records)
    print(f"prediction, not measured: from {1e6 * cost:.3f} us/step/atom on one core, efficiency {efficiency:.3f}")
    print(f"{'atoms':>12}{'nodes':>7}{'cores':>7}{'compute ms':>12}{'exchange ms':>13}{'ghosts/atom':>13}{'ns/day':>9}")
    for p in prediction(records):
        print(
            f"{p.atoms:>12,}{p.nodes:>7}{p.cores:>7}{p.compute_ms:>12.3f}{p.exchange_ms:>13.3f}{p.ghosts_per_atom:>13.2f}"
            f"{p.ns_per_day:>9.1f}"
        )


if __name__ == "__main__":
    main()
