"""Time of every CPU kernel on one core: GeTe with 3,888 atoms, the letter's network 128-128-128-128-1, 6 angstrom.

    python benchmarks/host.py [--atoms 3888] [--repeats 20] [--model FILE]

Without --model, weights are random: the time depends on the sizes, not on the values, as long as no word saturates (a
count of saturated words is printed). Each kernel evaluates the same neighbor words; the time includes packing and the
sums of forces, but no neighbor list. "calculator" is the whole Python call on positions, neighbor search included.

Wall and CPU time are the least of all repeats. Prints a table and writes results/host.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from crystal import gete
from records import machine, versions, write_record

from nvnmd.host import Potential, kernel_names
from nvnmd.quantize.model_file import load_model, save_model
from nvnmd.quantize.packing import pack_frame
from nvnmd.quantize.testing import random_model


def least_us(call: Callable[[], Any], repeats: int, atoms: int) -> dict[str, float]:
    """Least wall and CPU time of one call, microseconds per atom."""
    wall, cpu = [], []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - start[0])
        cpu.append(time.process_time() - start[1])
    return {"us_per_step_per_atom": 1e6 * min(wall) / atoms, "cpu_us_per_step_per_atom": 1e6 * min(cpu) / atoms}


def measure(path: Path, atoms: int, repeats: int) -> list[dict[str, Any]]:
    """One record per kernel, and one of the whole call with the fastest."""
    positions, cell, types = gete(atoms)
    words = pack_frame(load_model(path), positions, cell, types)
    records = []
    for name in kernel_names():
        run, n = Potential(path, name, threads=1), len(types)
        found = run.compute_words(words.types, words.first, words.neighbor, words.displacement)
        common = {"atoms": n, "cores": 1, "neighbors": len(words.neighbor) / n, "clipped": sum(found.clipped.values())}
        times = least_us(
            lambda run=run: run.compute_words(words.types, words.first, words.neighbor, words.displacement), repeats, n
        )
        records.append({"name": name, **common, **times})
    fastest = Potential(path, threads=1)
    whole = least_us(lambda: fastest.compute(positions, cell, types), repeats, len(types))
    return [*records, {"name": "calculator", **common, **whole}]


def main() -> None:
    """Measure, print and write the records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--atoms", type=int, default=3888)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--model", type=Path, help="model file of Ge and Te; random weights if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.model or Path(folder) / "random.nvnmd"
        if options.model is None:
            save_model(random_model(0), path)
        records = measure(path, options.atoms, options.repeats)
    print(
        f"{'kernel':12} {'atoms':>6} {'neighbors':>9} {'wall us/step/atom':>18} {'CPU us/step/atom':>17} {'clipped':>8}"
    )
    for r in records:
        print(
            f"{r['name']:12} {r['atoms']:6} {r['neighbors']:9.1f} {r['us_per_step_per_atom']:18.2f} "
            f"{r['cpu_us_per_step_per_atom']:17.2f} {r['clipped']:8}"
        )
    where = write_record(
        "host", {"machine": machine(), "versions": versions("nvnmd", "numpy", "vesin"), "records": records}
    )
    print(f"written to {where}")


if __name__ == "__main__":
    main()
