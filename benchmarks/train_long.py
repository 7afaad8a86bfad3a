"""Accuracy of trainings as long as two cores do in 10 and 60 minutes, beside DeePMD-kit (TensorFlow, fp32).

    python benchmarks/train.py --data FOLDER --dp DP --cores 2              first: how fast each program is
    python benchmarks/train_long.py --data FOLDER --dp DP -o RUN            then this
    ... --optimizer soap --seconds 3600 --jobs 2                            part of it, two trainings at once
    ... --optimizer soap --decay 0.05 0.1 0.2 --choose                      the time shared by four trainings

--choose divides the time: a training with each --decay, without every seventh of the systems to train on, and one on
all of them with the decay whose loss on those left out was least. The held-out systems have no part in the choice.

Each program trains for the number of steps that train.py's record says it does in --seconds of all its cores, start-up
included. How fast these steps go makes no difference to the model, so they run on one core each, as many trainings at
once as --jobs says, and no times are reported. Same frames, held-out systems and settings as in that record.

Finished trainings stay in RUN: the same command with other --seconds or programs adds to them. Prints a table of all
and writes results/train_long.json after each.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from records import RESULTS, machine, versions, write_record
from train import split
from trainers import DeepmdKit, Ours, Program

Systems = tuple[list[str], list[str]]
"""Folders to train on, and held-out ones."""
NAMES = {"soap": "nvnmd, SOAP", "adam": "nvnmd, Adam"}


def one_training(program: Program, folder: Path, train: list[str], held_out: list[str], steps: int) -> dict[str, float]:
    """Errors of a training, from its folder if it is there."""
    kept = folder / "errors.json"
    if not kept.exists():
        if folder.exists():
            raise SystemExit(f"{folder} holds a training that did not end; remove it, or choose another folder with -o")
        if program.start(folder, train, steps, seed=1).wait():
            raise SystemExit(f"training failed in {folder}:\n{(folder / 'log').read_text()[-2000:]}")
        kept.write_text(json.dumps(program.test(folder, held_out)))
    found: dict[str, float] = json.loads(kept.read_text())
    return found


def loss(errors: dict[str, float], n_atoms: int) -> float:
    """What a training makes small at its end, by the prefactors of `settings`; 1e-6 (eV/A)^2."""
    return n_atoms * errors["energy"] ** 2 + errors["force"] ** 2


def least_loss(
    pool: ThreadPoolExecutor, tries: dict[float, Ours], folder: Path, train: list[str], steps: int
) -> tuple[float, list[dict[str, Any]]]:
    """The decay whose training has the least loss on some systems to train on that are left out, and what all have."""
    left_out = train[3::7]
    kept = [system for system in train if system not in left_out]
    jobs = {
        d: pool.submit(one_training, program, folder / f"decay-{d:g}", kept, left_out, steps)
        for d, program in tries.items()
    }
    tried = {decay: job.result() for decay, job in jobs.items()}
    n_atoms = sum(1 for _ in (Path(train[0]) / "type.raw").open())
    best = min(tried, key=lambda decay: loss(tried[decay], n_atoms))
    return best, [{"decay": decay, "left_out": errors} for decay, errors in tried.items()]


def steps_in(speed: dict[str, float], seconds: float) -> int:
    """Steps that a program does in some seconds of a record's cores, after its start-up."""
    return max(1, round((seconds - speed["start_wall_s"]) * speed["wall"]))


def kept() -> list[dict[str, Any]]:
    """Trainings in the record."""
    path = RESULTS / "train_long.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())["results"] if path.exists() else []
    return found


def keep(row: dict[str, Any], speeds: dict[str, Any]) -> None:
    """Put a training into the record, instead of the one of the same program and time."""
    others = [r for r in kept() if (r["seconds"], r["name"]) != (row["seconds"], row["name"])]
    results = sorted([*others, row], key=lambda r: (r["seconds"], r["force"]))
    found = versions("nvnmd", "torch") | {"deepmd-kit": speeds["versions"].get("deepmd-kit", "not measured")}
    record = {"machine": machine(), "versions": found, "data": speeds["data"], "speeds": speeds["machine"]}
    print(write_record("train_long", record | {"results": results}))


def show(results: list[dict[str, Any]]) -> None:
    """One table of all trainings."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="errors on held-out systems after as many steps as two cores do in a time")
    for column in ("seconds", "", "steps", "energy meV/atom", "force meV/A"):
        table.add_column(column, justify="right" if column else "left")
    for r in results:
        table.add_row(f"{r['seconds']:g}", r["name"], f"{r['steps']:,}", f"{r['energy']:.1f}", f"{r['force']:.1f}")
    Console().print(table)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the frames that train.py was run with")
    parser.add_argument("--dp", type=Path, help="the program dp of an environment with DeePMD-kit and TensorFlow")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the trainings")
    parser.add_argument("--speeds", default="train_2cores", help="record of train.py, in results")
    parser.add_argument("--seconds", type=float, nargs="+", default=[600.0, 3600.0])
    parser.add_argument("--optimizer", nargs="*", choices=("soap", "adam"), default=["soap", "adam"])
    parser.add_argument("--decay", type=float, nargs="+", default=[0.0], help="nvnmd.weight_decay of ours, each")
    parser.add_argument("--choose", action="store_true", help="the decay by systems left out, then train with it")
    parser.add_argument("--hold-out", action="append", default=[], help="as given to train.py")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, one core each")
    return parser.parse_args()


def ours(optimizer: str, decay: float, cores: set[int]) -> Ours:
    """Our trainer on one of the cores; its decay is part of its name, not of the one that its speed is kept under."""
    name = NAMES[optimizer] + f", decay {decay:g}" * (decay > 0)
    return Ours(name, cores, optimizer, threads=1, weight_decay=decay)


def place(options: argparse.Namespace, name: str, seconds: float) -> Path:
    """Folder of a training."""
    folder: Path = options.output.resolve() / f"{name.replace(', ', '-').replace(' ', '-')}-{seconds:g}s"
    return folder


def compare(
    options: argparse.Namespace, pool: ThreadPoolExecutor, cores: set[int], systems: Systems, speeds: dict[str, Any]
) -> None:
    """One training of each program for each time."""
    programs: list[tuple[str, Program]] = [
        (NAMES[o], ours(o, d, cores)) for o in options.optimizer for d in options.decay
    ]
    if options.dp is not None:
        kit = DeepmdKit("DeePMD-kit TF fp32", cores, options.dp, threads=1)
        programs.append((kit.name, kit))
    jobs = {}
    for seconds in options.seconds:
        for measured, program in programs:
            name, steps = program.name, steps_in(speeds["results"][measured], seconds)
            job = pool.submit(one_training, program, place(options, name, seconds), *systems, steps)
            jobs[job] = {"seconds": seconds, "name": name, "steps": steps}
    for job in as_completed(jobs):
        keep(jobs[job] | job.result(), speeds)


def choose(
    options: argparse.Namespace, pool: ThreadPoolExecutor, cores: set[int], systems: Systems, speeds: dict[str, Any]
) -> None:
    """For each optimizer and time, a training with the decay that shorter ones found best."""
    count = len(options.decay)
    for seconds in options.seconds:
        part = seconds / (count + 1)
        for o in options.optimizer:
            steps = steps_in(speeds["results"][NAMES[o]], part)
            tries = {d: ours(o, d, cores) for d in options.decay}
            decay, tried = least_loss(pool, tries, place(options, f"{NAMES[o]}, tried", part), systems[0], steps)
            errors = one_training(tries[decay], place(options, tries[decay].name, part), *systems, steps)
            row = {"seconds": seconds, "name": f"{NAMES[o]}, decay {decay:g} chosen among {count}"}
            keep(row | {"steps": steps * (count + 1), "decay": decay, "tried": tried} | errors, speeds)


def main() -> None:
    """Train what is missing, print, write."""
    options = arguments()
    speeds = json.loads((RESULTS / f"{options.speeds}.json").read_text())
    train, held_out = split(options.data, options.hold_out)
    if [f.name for f in train] != speeds["data"]["train"]:
        raise SystemExit(f"{options.data} is not what {options.speeds}.json was measured with; run train.py first")
    cores = os.sched_getaffinity(0)
    systems = [str(f) for f in train], [str(f) for f in held_out]
    with ThreadPoolExecutor(options.jobs) as pool:
        if options.choose:
            choose(options, pool, cores, systems, speeds)
        else:
            compare(options, pool, cores, systems, speeds)
    show(kept())


if __name__ == "__main__":
    main()
