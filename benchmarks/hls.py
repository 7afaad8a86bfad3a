"""What an hls4ml project costs on this machine: writing it, compiling its C simulation, an atom in it.

    python benchmarks/hls.py                                the demo's model and the letter's sizes, 10,000 atoms each
    python benchmarks/hls.py --sizes letter --atoms 200     a quick look

Every atom's answer is compared with the integer reference, word for word; the run fails when one differs. Atoms are
half random, a quarter crystal and a quarter liquid, and some edge cases. Compiling is hls4ml's script with g++ -O3;
times are wall and CPU seconds of one process.

Prints a table and writes results/hls.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from crystal import gete
from lammps_run import find_model, model_option
from records import machine, versions, write_record

from nvnmd.fpga.hls.csim import build_csim, open_csim
from nvnmd.fpga.hls.frames import answer_frames, packet_frames
from nvnmd.fpga.hls.project import write_project
from nvnmd.fpga.hls.sizes import sizes_of
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import load_model
from nvnmd.quantize.packing import pack_frame
from nvnmd.quantize.reference import AtomInput
from nvnmd.quantize.testing import random_atoms, random_model

CELL_ATOMS = 216


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", choices=("demo", "letter"), nargs="+", default=["demo", "letter"])
    model_option(parser)
    parser.add_argument("--atoms", type=int, default=10_000)
    parser.add_argument("--note", default="", help="a remark that the record keeps, for example on other load")
    return parser.parse_args()


def cpu_seconds() -> float:
    """CPU time of this process and of those it has waited for."""
    usage = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in usage)


class Clock:
    """Wall and CPU seconds of a block."""

    def __enter__(self) -> Clock:
        self.wall, self.cpu = time.perf_counter(), cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self.wall, cpu_seconds() - self.cpu


def structure(model: IntegerModel, seed: int, liquid: bool) -> list[AtomInput]:
    """Atoms of a crystal that is shaken a little, or so much that nothing of it is left."""
    rng = np.random.default_rng(seed)
    positions, cell, types = gete(CELL_ATOMS)
    if not liquid:
        return list(pack_frame(model, positions + rng.normal(0, 0.08, positions.shape), cell, types).atoms())
    length, found = float(np.linalg.det(cell) ** (1 / 3)), np.zeros((0, 3))
    while len(found) < CELL_ATOMS:
        apart = found - (trial := rng.random(3) * length)
        apart -= length * np.rint(apart / length)
        if (np.einsum("ij,ij->i", apart, apart) > 2.2**2).all():
            found = np.vstack([found, trial])
    return list(pack_frame(model, found, np.eye(3) * length, rng.permutation(types)).atoms())


def atoms_of(model: IntegerModel, count: int) -> list[AtomInput]:
    """So many atoms of all kinds."""
    none = AtomInput(0, np.zeros((0, 3), np.int64), np.zeros(0, np.int64))
    near = AtomInput(0, np.array([[0, 0, 0], [3, -2, 1], [30000, 0, 0]]), np.zeros(3, np.int64))
    most = min(60, model.max_neighbors)
    found = [none, near, *random_atoms(count // 2, 7, model.n_types, model.rcut_A, most=most)]
    for liquid in (False, True):
        for seed in range(-(-count // 4 // CELL_ATOMS)):
            found += structure(model, seed, liquid)
    return found


def measure(model: IntegerModel, count: int) -> dict[str, Any]:
    """Write, compile, compare."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "project"
        with Clock() as writing:
            write_project(model, folder, check=False)
        with Clock() as compiling:
            build_csim(folder)
        simulation, atoms, sizes = open_csim(folder, model), atoms_of(model, count), sizes_of(model)
        packets = packet_frames(atoms, sizes)
        with Clock() as playing:
            answers = simulation.play(packets)
        different = int(np.count_nonzero(answers != answer_frames(model, atoms, sizes)))
        estimate = json.loads((folder / "estimate.json").read_text())
    return {
        "network": [model.m1 * model.m2, *sizes.widths, 1],
        "max_neighbors": sizes.max_neighbors,
        "write_s": {"wall": writing.wall, "cpu": writing.cpu},
        "compile_s": {"wall": compiling.wall, "cpu": compiling.cpu},
        "csim_ms_per_atom": {"wall": 1e3 * playing.wall / len(atoms), "cpu": 1e3 * playing.cpu / len(atoms)},
        "atoms_compared": len(atoms),
        "words_compared": int(answers.size),
        "words_that_differ": different,
        "estimate": {key: estimate[key] for key in ("label", "interval_cycles", "latency_cycles", "clock_MHz")},
    }


def main() -> None:
    """Measure, print and record."""
    args, runs = arguments(), {}
    for name in args.sizes:
        model = load_model(find_model(args.model)) if name == "demo" else random_model(0)
        runs[name] = run = measure(model, args.atoms)
        print(
            f"{name:<7} {'-'.join(map(str, run['network'])):<20} CPU: write {run['write_s']['cpu']:.1f} s, "
            f"compile {run['compile_s']['cpu']:.1f} s, {run['csim_ms_per_atom']['cpu']:.2f} ms an atom; "
            f"{run['atoms_compared']} atoms, {run['words_that_differ']} of {run['words_compared']} words differ",
            flush=True,
        )
    record = {"machine": machine(), "versions": versions("nvnmd", "hls4ml", "numpy"), "note": args.note, "runs": runs}
    print(write_record("hls", record))
    sys.exit(any(run["words_that_differ"] for run in runs.values()))


if __name__ == "__main__":
    main()
