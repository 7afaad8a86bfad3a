"""How fast cards are simulated: nvnmd.sim beside the verilated RTL, the same packets, one core.

    python benchmarks/card_speed.py                     both named configurations, the RTL compiled with -O1 and -O3
    python benchmarks/card_speed.py --atoms 100         shorter runs of the RTL

Packets have as many neighbors as atoms of shaken GeTe crystals; their words are zeros, on which the timing does not
depend. Times are CPU times of one core, the best of --repeat runs, without building, reading scripts and printing:
those of the RTL by the difference of two runs of different length. Both have to count the same cycles.

Prints a table and writes results/card_speed.json.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

import numpy as np
from records import machine, versions, write_record

from nvnmd.fpga import verilate
from nvnmd.fpga.plan import named
from nvnmd.fpga.stream import Kind, encode
from nvnmd.sim.card import CardSizes, atom_packets, simulate_card

BUS = ("awvalid", "awaddr", "wvalid", "bready", "arvalid", "araddr", "rready")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configuration", nargs="+", default=["letter", "fast"])
    parser.add_argument("--atoms", type=int, default=400, help="atoms of the longer run of the RTL")
    parser.add_argument("--sim-atoms", type=int, default=100_000)
    parser.add_argument("--optimize", nargs="+", default=["O1", "O3"], help="of the compiler of the verilated RTL")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--note", default="", help="a remark that the record keeps")
    return parser.parse_args()


def neighbors(count: int) -> Any:
    """Neighbors of atoms as in GeTe at 6 angstrom: mean 28.8, at most 39."""
    return np.clip(np.rint(np.random.default_rng(0).normal(28.8, 2.5, count)), 15, 39).astype(int)


def rtl_seconds(module: verilate.Module, beats: list[dict[str, int]], expected: int) -> tuple[float, int]:
    """CPU time of a run of the RTL and the cycle in which its last beat leaves."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = module.run(beats, expected, statics=dict.fromkeys(BUS, 0), most_cycles=10**6)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, run.left[-1]


def rtl(name: str, atoms: int, optimize: str, repeat: int) -> dict[str, Any]:
    """Cycles a second of the verilated card."""
    verilate._CXX[2] = f"-{optimize}"
    card, counts = named(name), neighbors(atoms)
    module = verilate.Module("card_shell", ("s_data", "s_last"), ("m_data", "m_last"), BUS, parameters=card.parameters)
    module.binary  # noqa: B018  builds it
    load = [encode(Kind.LOAD_BEGIN, [card.identity], 1), encode(Kind.LOAD_END, [0], 2)]
    points = []
    for count in (atoms // 4, atoms):
        packets = load + [encode(Kind.ATOM, [0] * int(n), 3 + k) for k, n in enumerate(counts[:count])]
        data = b"".join(packets)
        cuts = [data[at : at + 64] for at in range(0, len(data), 64)]
        beats = [{"s_data": int.from_bytes(cut, "little"), "s_last": int(cut is cuts[-1])} for cut in cuts]
        expected = 2 + int(sum(-(-(2 * n + 6) // 8) for n in counts[:count]))
        runs = [rtl_seconds(module, beats, expected) for _ in range(repeat)]
        points.append((min(seconds for seconds, _ in runs), runs[0][1]))
    (short, first), (long, last) = points
    return {"cycles_per_s": (last - first) / (long - short), "cycles": last - first, "atoms": atoms}


def sim(name: str, atoms: int, repeat: int) -> dict[str, Any]:
    """Cycles a second of nvnmd.sim."""
    sizes, packets = CardSizes.from_parameters(named(name).parameters), atom_packets(neighbors(atoms))
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        trace = simulate_card(sizes, packets, keep="totals")
        best = min(best, time.process_time() - start)
    return {"cycles_per_s": trace.cycles / best, "cycles": trace.cycles, "atoms": atoms}


def main() -> None:
    args, records = arguments(), []
    for name in args.configuration:
        found = {f"rtl {level}": rtl(name, args.atoms, level, args.repeat) for level in args.optimize}
        found["sim"] = sim(name, args.sim_atoms, args.repeat)
        for which, result in found.items():
            ratio = found["sim"]["cycles_per_s"] / result["cycles_per_s"]
            speed = result["cycles_per_s"] / 1e6
            print(f"{name:<8}{which:<10}{speed:10.4f} Mcycles/s   sim is {ratio:.0f} times as fast")
            records.append({"configuration": name, "simulator": which, "sim_is_faster": ratio, **result})
    write_record(
        "card_speed",
        {"machine": machine(), "versions": versions("verilator"), "note": args.note, "records": records},
    )


if __name__ == "__main__":
    main()
