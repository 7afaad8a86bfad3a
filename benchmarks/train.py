"""Training speed and accuracy beside DeePMD-kit (TensorFlow, fp32): same frames, network, batch, cores, one run.

    python benchmarks/train.py --data data/gete-cp2k --dp /path/to/deepmd-venv/bin/dp
    python benchmarks/train.py --data FOLDER --dp DP --seconds 0          speed only
    ... --cores 2                                                         on two cores

The programs take turns on the same cores, two seconds each, the others stopped meanwhile: whatever else the machine
does, it does to all. Times are of a program's own turns (wall) and of the processor (CPU); on one core of a quiet
machine they are equal. On more cores only the turns count: threads that wait use the processor as well.

Speed: from the difference of a short and a long training, so without start-up and without the first visit of each
frame, when nvnmd searches its neighbors once for all. nvnmd runs with its own optimizer and with Adam, which is
DeePMD-kit's.

Accuracy: each program then trains for as many steps as it can do in --seconds of CPU time (on more cores, of its
turns), start-up included, with a learning rate that falls from the same start to the same end, and is tested on systems
that none has seen.

Prints a table and writes results/train.json, or results/train_<N>cores.json.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from records import machine, versions, write_record
from trainers import DeepmdKit, Ours, Program, settings, train_together


def measure_speed(programs: list[Program], train: list[str], short: int, long: int) -> list[dict[str, float]]:
    """Steps per second of turns and of CPU time, and the CPU seconds of start-up, for each program."""
    with tempfile.TemporaryDirectory() as scratch:
        low, high = (
            train_together(programs, Path(scratch) / str(steps), train, [steps] * len(programs), seed=1)
            for steps in (short, long)
        )
    speeds = []
    for a, b in zip(low, high, strict=True):
        wall, cpu = ((long - short) / (b[key] - a[key]) for key in ("wall_s", "cpu_s"))
        start = {f"start_{key}": a[key] - short / rate for key, rate in (("wall_s", wall), ("cpu_s", cpu))}
        speeds.append({"wall": wall, "cpu": cpu, "memory_mb": b["memory_mb"]} | start)
    return speeds


def measure_accuracy(
    programs: list[Program], train: list[str], held_out: list[str], steps: list[int], seed: int
) -> list[dict[str, float]]:
    """Times of a training of some steps by each program, and its errors on held-out systems."""
    with tempfile.TemporaryDirectory() as scratch:
        times = train_together(programs, Path(scratch), train, steps, seed)
        tests = [program.test(Path(scratch) / str(k), held_out) for k, program in enumerate(programs)]
    return [{"seed": seed, "steps": n} | t | e for n, t, e in zip(steps, times, tests, strict=True)]


def split(data: Path, patterns: list[str]) -> tuple[list[Path], list[Path]]:
    """Folders to train on and held-out ones: those that match a pattern, or else every fifth."""
    folders = sorted(path.parent.resolve() for path in data.rglob("type.raw"))
    if not folders:
        raise SystemExit(f"{data}: no deepmd folders (type.raw) in it")
    held_out = [f for f in folders if any(fnmatch(f.name, p) for p in patterns)] if patterns else folders[2::5]
    return [f for f in folders if f not in held_out], held_out


def show(rows: dict[str, dict[str, Any]], seconds: float, cores: int) -> None:
    """One table of medians."""
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"training, {cores} core(s), batch of one frame; errors on held-out systems after {seconds:g} s"
    )
    for column in ("", "steps/s wall", "steps/s CPU", "MB", "steps", "energy meV/atom", "force meV/A"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in rows.items():
        runs = row["accuracy"]
        errors = (
            [f"{statistics.median(run[key] for run in runs):.1f}" for key in ("energy", "force")] if runs else ["-"] * 2
        )
        steps = str(runs[0]["steps"]) if runs else "-"
        table.add_row(name, f"{row['wall']:.1f}", f"{row['cpu']:.1f}", f"{row['memory_mb']:.0f}", steps, *errors)
    Console().print(table)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path("data/gete-cp2k"), help="folder with deepmd/npy systems of GeTe"
    )
    parser.add_argument("--dp", type=Path, help="the program dp of an environment with DeePMD-kit and TensorFlow")
    parser.add_argument("--hold-out", action="append", default=[], help="pattern of folder names; default every fifth")
    parser.add_argument("--rounds", type=int, default=2, help="repetitions of the speed measurement")
    parser.add_argument("--steps", type=int, nargs=2, default=(1000, 3000), help="short and long run")
    parser.add_argument("--seconds", type=float, default=120.0, help="training time for the accuracy; 0 leaves it out")
    parser.add_argument("--seeds", type=int, default=2, help="trainings for the accuracy")
    parser.add_argument("--cores", type=int, default=1, help="how many cores everything is bound to")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    train, held_out = ([str(f) for f in part] for part in split(options.data, options.hold_out))
    cores = set(sorted(os.sched_getaffinity(0))[: options.cores])
    programs: list[Program] = [Ours("nvnmd, SOAP", cores, "soap"), Ours("nvnmd, Adam", cores, "adam")]
    found = versions("nvnmd", "torch")
    if options.dp is not None:
        kit = DeepmdKit("DeePMD-kit TF fp32", cores, options.dp)
        programs.append(kit)
        found["deepmd-kit"] = kit.version()
    record: dict[str, Any] = {
        "machine": machine(),
        "versions": found,
        "data": {
            "name": options.data.name,
            "train": [Path(f).name for f in train],
            "held_out": [Path(f).name for f in held_out],
        },
        "cores": len(cores),
        "settings": settings([], 0, 1),
    }
    rounds = []
    for _ in range(options.rounds):
        rounds.append(measure_speed(programs, train, *options.steps))
        print(rounds[-1], flush=True)
    rows: dict[str, dict[str, Any]] = {}
    for program, speeds in zip(programs, zip(*rounds, strict=True), strict=True):
        medians = {key: statistics.median(speed[key] for speed in speeds) for key in speeds[0]}
        rows[program.name] = {**medians, "rounds": speeds, "accuracy": []}
    clock = "cpu" if len(cores) == 1 else "wall"
    steps = [max(1, round((options.seconds - row[f"start_{clock}_s"]) * row[clock])) for row in rows.values()]
    for seed in range(1, options.seeds + 1) if options.seconds else ():
        for row, run in zip(rows.values(), measure_accuracy(programs, train, held_out, steps, seed), strict=True):
            row["accuracy"].append(run)
            print(run, flush=True)
    record["results"] = rows
    record["machine"]["load_average_after"] = os.getloadavg()[0]
    show(rows, options.seconds, len(cores))
    print(write_record("train" if len(cores) == 1 else f"train_{len(cores)}cores", record))


if __name__ == "__main__":
    main()
