"""What grades and a committee cost in LAMMPS, µs of CPU time per step per atom, in one run.

    python benchmarks/uncertainty.py
    python benchmarks/uncertainty.py --rounds 5 --steps 400

The crystal of benchmarks/md.py (3,888 atoms, 300 K, NVE, lists rebuilt every 10 steps) on one core, models with random
weights, an active set from 20 small crystals. The runs take turns, --rounds times; medians are given. `one model` is
the floor: a step that asks for nothing.

Prints a table and writes results/uncertainty.json.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
from pathlib import Path

import numpy as np
from lammps_run import SPACING_A, crystal, run_lammps
from records import machine, versions, write_record

ATOMS = 3888
INPUT = """\
{crystal}pair_style nvnmd {models}
pair_coeff * * Ge Te
{ask}neighbor 1.0 bin
neigh_modify every 10 delay 0 check no
velocity all create 300 9
fix 1 all nve
timestep 0.001
run {steps}
"""
ASK = "fix g all pair {} nvnmd gamma 1\n"
FOUR = "a.nvnmd b.nvnmd c.nvnmd d.nvnmd out_freq {}"
CASES = {
    "one model": ("a.nvnmd", ""),
    "grades, every 10th step": ("a.nvnmd", ASK.format(10)),
    "grades, every step": ("a.nvnmd", ASK.format(1)),
    "four models, out_freq 100": (FOUR.format(100), ""),
    "four models, out_freq 10": (FOUR.format(10), ""),
}


def prepare(folder: Path) -> None:
    """Four models, and the active set of the first."""
    from nvnmd.host import build_active_set
    from nvnmd.quantize.model_file import save_model
    from nvnmd.quantize.testing import random_model

    for seed, name in enumerate("abcd"):
        save_model(random_model(seed), folder / f"{name}.nvnmd")
    rng = np.random.default_rng(0)
    sites = np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), -1).reshape(-1, 3)
    cell, types = 6 * SPACING_A * np.eye(3), sites.sum(axis=1) % 2
    frames = [(SPACING_A * sites + rng.uniform(-0.15, 0.15, sites.shape), cell, types) for _ in range(20)]
    build_active_set(folder / "a.nvnmd", frames, threads=1).save(folder / "a.gamma")


def measure(case: str, steps: int, folder: Path) -> float:
    """µs of CPU time per step per atom of one run."""
    models, ask = CASES[case]
    text = INPUT.format(crystal=crystal(ATOMS), models=models, ask=ask, steps=steps)
    run = run_lammps(text, folder=folder)
    share = re.search(r"([\d.]+)% CPU use", run.text)
    return run.loops[-1] * float(share[1]) / 100 / steps / ATOMS * 1e6 if share else float("nan")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    found: dict[str, list[float]] = {case: [] for case in CASES}
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        for _ in range(options.rounds):
            for case in CASES:
                found[case].append(measure(case, options.steps, Path(folder)))
    medians = {case: statistics.median(values) for case, values in found.items()}
    for case, value in medians.items():
        print(f"{case:<28}{value:8.2f} µs{value / medians['one model']:8.2f}")
    settings = {"atoms": ATOMS, "steps": options.steps, "rounds": options.rounds}
    record = {
        "machine": machine(),
        "versions": versions("nvnmd", "lammps"),
        **settings,
        "cpu_us_per_step_per_atom": found,
    }
    write_record("uncertainty", record)


if __name__ == "__main__":
    main()
