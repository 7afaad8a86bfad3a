"""What steps cost on the simulated cards, from 4,000 atoms to 1.7 million: the figures of docs/simulate.md.

    python benchmarks/card_bars.py
    python benchmarks/card_bars.py --atoms 4000 100000

Neighbors are those of a crystal of GeTe shaken as liquid-like blocks are in crystal.py, at 6 angstrom, counted as the
integer model counts them and repeated to size. Clocks and links are assumptions (nvnmd.sim.HostModel), times are
simulated; nothing is measured on a card.

Prints a table and writes results/card_bars.json.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from typing import Any

import numpy as np
from crystal import gete
from records import machine, versions, write_record

from nvnmd.card_energy import step_energy
from nvnmd.fpga.plan import named, predict
from nvnmd.quantize.packing import pack_frame
from nvnmd.quantize.testing import random_model
from nvnmd.sim import CardSizes, HostModel, simulate_step
from nvnmd.sim.summary import summarize

CLOCKS_MHZ = {"letter": 222.0, "fast": 250.0}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--atoms", type=int, nargs="+", default=[4_000, 20_000, 100_000, 400_000, 1_728_000])
    parser.add_argument("--spacing", type=float, default=3.0, help="of the crystal, angstrom; sets the neighbors")
    parser.add_argument("--note", default="", help="a remark that the record keeps")
    return parser.parse_args()


def neighbors(spacing_A: float) -> Any:
    """Neighbors of the atoms of a shaken block, sorted by type."""
    positions, cell, types = gete(4000)
    scale = spacing_A / 3.097
    words = pack_frame(random_model(1), positions * scale, cell * scale, types)
    return np.diff(words.first)[np.argsort(types, kind="stable")]


def main() -> None:
    args, records, host = arguments(), [], HostModel()
    block = neighbors(args.spacing)
    print(f"{len(block)} atoms, neighbors: mean {block.mean():.2f}, most {block.max()}")
    for name, clock in CLOCKS_MHZ.items():
        card = named(name)
        sizes = CardSizes.from_parameters(card.parameters)
        for atoms in args.atoms:
            counts = np.resize(block, atoms)
            start = time.process_time()
            step = simulate_step(sizes, counts, clock, host)
            took = time.process_time() - start
            found = summarize(sizes, counts, step, host, step_energy(step, predict(card)))
            records.append({"configuration": name, "simulated_in_cpu_s": took} | found)
            print(
                f"{name:<8}{atoms:>10,} atoms  {found['seconds_per_step_per_atom']:.4e} s/step/atom  "
                f"{found['cycles_per_atom']:.3f} cycles/atom  communication hidden "
                f"{100 * found['communication_hidden']:.2f} %  bound by {found['bound_by']}  "
                f"PCIe in {100 * found['busy']['PCIe in']:.0f} %, out {100 * found['busy']['PCIe out']:.0f} %, "
                f"threads {100 * found['busy']['host threads']:.0f} %  simulated in {took:.1f} s",
                flush=True,
            )
    write_record(
        "card_bars",
        {
            "machine": machine(),
            "versions": versions("numpy"),
            "note": args.note,
            "neighbors": {"mean": float(block.mean()), "most": int(block.max())},
            "host": asdict(host),
            "records": records,
        },
    )


if __name__ == "__main__":
    main()
