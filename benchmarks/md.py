"""Molecular dynamics in LAMMPS: pair_style nvnmd beside its peers, µs per step per atom, in one run.

    python benchmarks/md.py                                         random weights, 3,888 atoms, all peers found
    python benchmarks/md.py --model model.nvnmd --atoms 3888 32400 --deepmd-python ../deepmd/bin/python
    python benchmarks/md.py --peers nvnmd zero --two-cores          ours and the floor, with 2 threads and 2 ranks

A shaken rocksalt GeTe crystal at the density of the glass (0.0337 atoms/A^3, about 29 neighbors in 6 A), 300 K, NVE,
skin 1 A, neighbor lists rebuilt every 10 steps. `pair zero` with the same full list is the floor that no potential gets
below. The peers run in turn, --rounds times, so that a busy machine strikes all alike; the median is given. Wall time
is what a user waits; CPU time says more where other programs run. Peers that cannot be run are named.

Prints a table and writes results/md.json: a list of records.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lammps_run import CELLS, crystal, run_lammps
from md_peers import Peer, collect, deepmd_environment, deepmd_peers, lammps_peers, nvnmd_peers
from records import RESULTS, machine, versions, write_record

DATA = Path(__file__).parents[1] / "data/gete-cp2k"
INPUT = """\
{crystal}{pair}
neighbor 1.0 bin
neigh_modify every 10 delay 0 check no
velocity all create 300 9
fix 1 all nve
timestep 0.001
run {warm_up}
run {steps}
"""


@dataclass(frozen=True)
class Timing:
    """Microseconds per step per atom, cpu is the sum over cores; peak memory of all ranks, MB."""

    wall: float
    cpu: float
    peak_MB: float


def measure(peer: Peer, atoms: int, seconds: float) -> Timing:
    """One LAMMPS run of about `seconds`; raises RuntimeError with LAMMPS's own words when it fails."""
    steps = max(10, min(1000, round(seconds * 1e5 / (peer.about_us * atoms)) * 10))
    text = INPUT.format(crystal=crystal(atoms), pair=peer.commands, steps=steps, warm_up=min(steps // 5, 20))
    try:
        run = run_lammps(text, peer.ranks, peer.threads, peer.python, peer.flags, peer.environment or None)
    except RuntimeError as problem:
        raise RuntimeError(f"{peer.name}: {problem}") from problem
    share = float(re.findall(r"([\d.]+)% CPU use", run.text)[-1]) / 100 * peer.ranks
    wall = run.loops[-1] * 1e6 / (steps * atoms)
    return Timing(wall, wall * share, run.peak_MB)


def random_model_file(folder: Path) -> Path:
    """A model of the standard size (fitting net of three layers of 128) with random weights."""
    from nvnmd.quantize.model_file import save_model
    from nvnmd.quantize.testing import random_model

    save_model(random_model(3), folder / "random.nvnmd")
    return folder / "random.nvnmd"


def deepmd_versions(python: str | None) -> dict[str, str]:
    """Versions in the environment of DeePMD-kit."""
    if python is None:
        return {}
    code = "from importlib.metadata import version as v; print(v('deepmd-kit'), v('lammps'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=deepmd_environment(), check=False)
    found = done.stdout.split()
    return {"deepmd-kit": found[0], "lammps of deepmd-kit": found[1]} if len(found) == 2 else {}


def wanted(peer: Peer, words: list[str]) -> bool:
    """Whether a peer was asked for by a part of its name."""
    return not words or any(word.lower() in peer.name.lower() for word in words)


def table(rows: list[dict[str, Any]], ours: str = "nvnmd") -> str:
    """The records as text, with each one's CPU time over ours at the same number of atoms."""
    lines = [f"{'us/step/atom':<42}{'atoms':>8}{'cores':>6}{'wall':>9}{'cpu':>9}{'cpu/ours':>9}"]
    base = {r["atoms"]: r["cpu_us_per_step_per_atom"] for r in rows if r["name"] == ours}
    for r in rows:
        ratio = f"{r['cpu_us_per_step_per_atom'] / base[r['atoms']]:9.2f}" if r["atoms"] in base else f"{'':>9}"
        lines.append(
            f"{r['name']:<42}{r['atoms']:>8}{r['cores']:>6}{r['us_per_step_per_atom']:>9.3f}{r['cpu_us_per_step_per_atom']:>9.3f}{ratio}"
        )
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="integer model of Ge and Te; default: random weights")
    parser.add_argument("--atoms", type=int, nargs="+", default=[3888], choices=sorted(CELLS))
    parser.add_argument(
        "--peers", nargs="+", default=[], metavar="WORD", help="only peers with one of these words in their names"
    )
    parser.add_argument("--two-cores", action="store_true", help="ours with 2 threads and 2 ranks as well")
    parser.add_argument("--deepmd-python", metavar="PYTHON", help="Python of an environment with deepmd-kit[lmp]")
    parser.add_argument(
        "--deepmd-models", type=Path, default=Path("build/deepmd"), help="where plain.pb and compressed.pb are kept"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long one run takes")
    parser.add_argument(
        "--slowest", type=float, default=8.0, help="leave out peers that need more seconds than this for 10 steps"
    )
    parser.add_argument("--note", default="", help="a remark that the records keep, for example on other load")
    return parser.parse_args()


def find_peers(options: argparse.Namespace, folder: Path) -> list[Peer]:
    """The peers that can be run, after naming those that cannot."""
    from nvnmd.host import kernel_names

    models = options.deepmd_models.resolve()
    models.mkdir(parents=True, exist_ok=True)
    model = (options.model or random_model_file(folder)).resolve()
    groups = {
        "nvnmd": lambda: nvnmd_peers(model, kernel_names(), options.two_cores),
        "LAMMPS": lambda: lammps_peers(folder),
        "DeePMD-kit": lambda: deepmd_peers(options.deepmd_python, models, [DATA / "crystal", DATA / "liquid"]),
    }
    peers, missing = collect(groups)
    for name, reason in missing.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    return [peer for peer in peers if wanted(peer, options.peers)]


def time_all(peers: list[Peer], atoms: int, options: argparse.Namespace) -> list[tuple[Peer, list[Timing]]]:
    """Every peer in turn, `rounds` times; a peer that is too slow or fails is named."""
    found: dict[str, list[Timing]] = {}
    quick = [peer for peer in peers if peer.about_us * atoms * 1e-5 <= options.slowest]
    for peer in sorted({p.name for p in peers} - {p.name for p in quick}):
        print(f"left out: {peer} at {atoms} atoms: more than {options.slowest} s for 10 steps", file=sys.stderr)
    for _ in range(options.rounds):
        for peer in quick:
            try:
                found.setdefault(peer.name, []).append(measure(peer, atoms, options.seconds))
            except RuntimeError as problem:
                print(f"left out: {problem}", file=sys.stderr)
    return [(peer, found[peer.name]) for peer in quick if peer.name in found]


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    here, installed = machine(), {**versions("nvnmd", "lammps"), **deepmd_versions(options.deepmd_python)}
    note = f"model of ours: {options.model.name if options.model else 'random weights'}. {options.note}".strip()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        peers = find_peers(options, Path(folder))
        for atoms in options.atoms:
            for peer, times in time_all(peers, atoms, options):
                rows.append(
                    {
                        "name": peer.name, "atoms": atoms, "cores": peer.cores,
                        "us_per_step_per_atom": round(statistics.median(t.wall for t in times), 4),
                        "cpu_us_per_step_per_atom": round(statistics.median(t.cpu for t in times), 4),
                        "rounds": [asdict(t) for t in times], "machine": here, "versions": installed, "note": note,
                    }
                )  # fmt: skip
    for row in rows:
        row["machine"] = {**here, "load_average_after": os.getloadavg()[0]}
    print(table(rows))
    print(write_record("md", rows, RESULTS))


if __name__ == "__main__":
    main()
