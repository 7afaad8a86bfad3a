"""The cost of Python: an ASE calculator beside LAMMPS on a small system, and many frames over threads.

    python benchmarks/python_md.py                                  216 atoms, the demo's model
    python benchmarks/python_md.py --model model.nvnmd --steps 50 --rounds 1          a quick look

GeTe in a shaken rocksalt crystal. "calculator" is get_forces() of atoms that move a little between calls,
neighbor search included; "ASE MD" a whole step of ASE's velocity Verlet; "LAMMPS" a step of fix nve. "many frames"
takes independent frames, on one thread and on all cores. The runs take turns; the least time of all rounds is given for
each, so that other programs count least.

Prints a table and writes results/python_md.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from crystal import gete
from lammps_run import find_model, model_option
from md import measure
from md_peers import Peer
from records import machine, versions, write_record

ATOMS = 216


def make_atoms(model: Path) -> Any:
    """The crystal with a calculator of one thread."""
    from ase import Atoms
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

    from nvnmd.host import NvnmdCalculator

    positions, cell, types = gete(ATOMS)
    atoms = Atoms(np.array(["Ge", "Te"])[types], positions, cell=cell, pbc=True)
    atoms.calc = NvnmdCalculator(model, threads=1)
    MaxwellBoltzmannDistribution(atoms, temperature_K=300, rng=np.random.default_rng(1), force_temp=True)
    assert len(atoms) == ATOMS
    return atoms


def us_per_atom(call: Callable[[], None], calls: int) -> dict[str, float]:
    """Wall and CPU time of one of so many calls, microseconds per atom."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    scale = 1e6 / (calls * ATOMS)
    return {"wall": scale * (time.perf_counter() - wall), "cpu": scale * (time.process_time() - cpu)}


def calculator(model: Path, steps: int) -> dict[str, float]:
    """Forces of moving atoms."""
    atoms, rng = make_atoms(model), np.random.default_rng(2)
    moves = rng.normal(0, 0.002, (steps, ATOMS, 3))
    atoms.get_forces()

    def run() -> None:
        for move in moves:
            atoms.positions += move
            atoms.get_forces()

    return us_per_atom(run, steps)


def ase_md(model: Path, steps: int) -> dict[str, float]:
    """Steps of ASE's velocity Verlet."""
    from ase import units
    from ase.md.verlet import VelocityVerlet

    dynamics = VelocityVerlet(make_atoms(model), 1.0 * units.fs)
    dynamics.run(5)
    return us_per_atom(lambda: dynamics.run(steps), steps)


def lammps(model: Path, _: int) -> dict[str, float]:
    """Steps of fix nve."""
    timing = measure(Peer("nvnmd", f"pair_style nvnmd {model}\npair_coeff * * Ge Te", 2.0), ATOMS, 1.0)
    return {"wall": timing.wall, "cpu": timing.cpu}


def many(model: Path, frames: int, threads: int) -> dict[str, float]:
    """Independent frames."""
    from nvnmd.host import evaluate_many

    positions, cell, types = gete(ATOMS)
    rng = np.random.default_rng(3)
    shaken = [(positions + rng.normal(0, 0.01, positions.shape), cell, types) for _ in range(frames)]
    list(evaluate_many(model, shaken[:threads], threads))
    return us_per_atom(lambda: [None for _ in evaluate_many(model, shaken, threads)] and None, frames)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model_option(parser)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--note", default="", help="a remark that the record keeps, for example on other load")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    options, cores = arguments(), len(os.sched_getaffinity(0))
    model = find_model(options.model)
    kinds: dict[str, tuple[int, Callable[[], dict[str, float]]]] = {
        "LAMMPS": (1, lambda: lammps(model, options.steps)),
        "calculator": (1, lambda: calculator(model, options.steps)),
        "ASE MD": (1, lambda: ase_md(model, options.steps)),
        "many frames, 1 thread": (1, lambda: many(model, options.steps, 1)),
    }
    if cores > 1:
        kinds[f"many frames, {cores} threads"] = (cores, lambda: many(model, options.steps, cores))
    times: dict[str, list[dict[str, float]]] = {name: [] for name in kinds}
    try:
        for _ in range(options.rounds):
            for name, (_, run) in kinds.items():
                times[name].append(run())
    except RuntimeError as problem:
        sys.exit(f"a run failed: {problem}")
    rows = [
        {
            "name": name,
            "atoms": ATOMS,
            "cores": kinds[name][0],
            "us_per_step_per_atom": min(t["wall"] for t in found),
            "cpu_us_per_step_per_atom": min(t["cpu"] for t in found),
        }
        for name, found in times.items()
    ]
    print(f"{'us/step/atom':<26}{'cores':>6}{'wall':>9}{'cpu':>9}{'cpu/LAMMPS':>12}")
    for r in rows:
        r["cpu_over_lammps"] = r["cpu_us_per_step_per_atom"] / rows[0]["cpu_us_per_step_per_atom"]
        print(
            f"{r['name']:<26}{r['cores']:>6}{r['us_per_step_per_atom']:>9.2f}{r['cpu_us_per_step_per_atom']:>9.2f}"
            f"{r['cpu_over_lammps']:>12.2f}"
        )
    common = {"machine": machine(), "versions": versions("nvnmd", "lammps", "ase", "vesin"), "model": model.name}
    print(f"written to {write_record('python_md', {**common, 'note': options.note, 'records': rows})}")


if __name__ == "__main__":
    main()
