"""How pair_style nvnmd scales: over two ranks and two threads, over sizes, and what memory it needs of its own.

    python benchmarks/scaling.py                                    3,888 to 1,728,000 atoms
    python benchmarks/scaling.py --sizes 216 3888 --parallel 3888 --seconds 0.5 --rounds 1        a quick look

The crystal and settings are those of md.py. Runs that are compared take turns, --rounds times, and the median is given.
Memory of our own is the peak of a run less that of `pair zero` with the same full neighbor list, over the atoms.

Prints a table and writes results/scaling.json.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from typing import Any

from lammps_run import CELLS, find_model, model_option
from md import Timing, measure
from md_peers import RCUT_A, Peer
from records import machine, versions, write_record

ZERO = "pair zero, full list"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model_option(parser)
    parser.add_argument("--sizes", type=int, nargs="+", default=[3888, 32400, 259200, 1728000], choices=sorted(CELLS))
    parser.add_argument("--parallel", type=int, default=32400, choices=sorted(CELLS), help="atoms of the parallel runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long one run takes; at least 10 steps")
    parser.add_argument("--note", default="", help="a remark that the records keep, for example on other load")
    return parser.parse_args()


def in_turn(peers: list[Peer], atoms: int, options: argparse.Namespace) -> dict[str, list[Timing]]:
    """Every peer in turn, `rounds` times."""
    found: dict[str, list[Timing]] = {peer.name: [] for peer in peers}
    for _ in range(options.rounds):
        for peer in peers:
            found[peer.name].append(measure(peer, atoms, options.seconds))
    return found


def record(peer: Peer, atoms: int, times: list[Timing]) -> dict[str, Any]:
    """Medians of one kind of run."""
    return {
        "name": peer.name,
        "atoms": atoms,
        "cores": peer.cores,
        "us_per_step_per_atom": statistics.median(t.wall for t in times),
        "cpu_us_per_step_per_atom": statistics.median(t.cpu for t in times),
        "peak_MB": statistics.median(t.peak_MB for t in times),
        "rounds_us": [t.wall for t in times],
    }


def parallel(pair: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """One core, two ranks, two threads (LAMMPS's own lists too with -sf omp), with the speedup over one core."""
    cores = len(os.sched_getaffinity(0))
    peers = [Peer("1 rank", pair, 2.0)]
    if cores >= 2:
        # Threads of OpenMP that wait actively would take the cores from ours.
        passive = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        omp = ("-sf", "omp", "-pk", "omp", "2")
        peers += [
            Peer("2 ranks", pair, 1.0, ranks=2),
            Peer("2 threads", pair, 1.0, threads=2),
            Peer("2 threads, -sf omp", pair, 1.0, threads=2, flags=omp, environment=passive),
        ]
    else:
        print("left out: 2 ranks and 2 threads: this process may use one core only", file=sys.stderr)
    found = in_turn(peers, options.parallel, options)
    rows = [record(peer, options.parallel, found[peer.name]) for peer in peers]
    for row in rows:
        row["speedup"] = rows[0]["us_per_step_per_atom"] / row["us_per_step_per_atom"]
    return rows


def by_size(pair: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """One core at each size, and memory beyond that of the bare neighbor list."""
    ours, zero = Peer("nvnmd", pair, 2.0), Peer(ZERO, f"pair_style zero {RCUT_A} full\npair_coeff * *", 0.3)
    rows = []
    for atoms in options.sizes:
        found = in_turn([ours, zero], atoms, options)
        pair_rows = [record(peer, atoms, found[peer.name]) for peer in (ours, zero)]
        own = (pair_rows[0]["peak_MB"] - pair_rows[1]["peak_MB"]) * 2**20 / atoms
        pair_rows[0]["own_bytes_per_atom"] = own
        rows += pair_rows
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The records as text."""
    columns = f"{'run':<24}{'atoms':>9}{'cores':>6}{'wall':>9}{'cpu':>9}{'speedup':>9}{'peak MB':>9}{'own B/atom':>11}"
    lines = [columns + "   (us/step/atom)"]
    for r in rows:
        speedup = f"{r['speedup']:9.2f}" if "speedup" in r else " " * 9
        own = f"{r['own_bytes_per_atom']:11.0f}" if "own_bytes_per_atom" in r else ""
        lines.append(
            f"{r['name']:<24}{r['atoms']:>9}{r['cores']:>6}{r['us_per_step_per_atom']:>9.3f}"
            f"{r['cpu_us_per_step_per_atom']:>9.3f}{speedup}{r['peak_MB']:>9.0f}{own}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    model = find_model(options.model)
    pair = f"pair_style nvnmd {model}\npair_coeff * * Ge Te"
    try:
        rows = parallel(pair, options) + by_size(pair, options)
    except RuntimeError as problem:
        sys.exit(f"a run failed: {problem}")
    print(table(rows))
    common = {"machine": machine(), "versions": versions("nvnmd", "lammps"), "model": model.name, "note": options.note}
    print(f"written to {write_record('scaling', {**common, 'records': rows})}")


if __name__ == "__main__":
    main()
