"""Training speed and accuracy beside DeePMD-kit (TensorFlow, fp32): same frames, same network, one core, one run.

    python benchmarks/train.py --data data/gete-cp2k --dp /path/to/deepmd-venv/bin/dp
    python benchmarks/train.py --data FOLDER --dp DP --seconds 0          speed only

Speed: each program trains for some and for more steps, in turn (A B A B), each in a process of its own bound to one
core; the difference of the two times gives steps per second without start-up and without the first visit of each frame,
when nvnmd searches its neighbors once for all. CPU time is given besides wall time, since another program on the same
core slows mainly the latter.

Accuracy: each program then trains for as many steps as it does in --seconds at its median speed by CPU time, with a
learning rate that falls from the same start to the same end, and is tested on systems that neither has seen.

Prints a table and writes results/train.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from records import machine, versions, write_record

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_INTRA_OP_PARALLELISM_THREADS": "1",
    "TF_INTER_OP_PARALLELISM_THREADS": "1",
    "DP_INTRA_OP_PARALLELISM_THREADS": "1",
    "DP_INTER_OP_PARALLELISM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def settings(train: list[str], steps: int, seed: int) -> dict[str, Any]:
    """An input.json that both programs read; DeePMD-kit without the section nvnmd, which it would refuse."""
    width = {"resnet_dt": False, "precision": "float32", "seed": seed}
    return {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {
                "type": "se_e2_a",
                "rcut": 6.0,
                "rcut_smth": 2.0,
                "sel": "auto",
                "neuron": [8, 16, 32],
                "axis_neuron": 4,
                "type_one_side": False,
                "set_davg_zero": True,
                **width,
            },
            "fitting_net": {"neuron": [128, 128, 128], **width},
        },
        "learning_rate": {"type": "exp", "start_lr": 0.002, "stop_lr": 1e-5, "decay_steps": max(1, steps // 200)},
        "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1},
        "training": {
            "training_data": {"systems": train, "batch_size": 1},
            "numb_steps": steps,
            "disp_freq": 1000,
            "save_freq": 1_000_000,
            "seed": seed,
        },
    }


class Program:
    """A trainer as a sequence of processes bound to one core."""

    def __init__(self, name: str, core: int) -> None:
        self.name, self.core = name, core

    def train(self, folder: Path, train: list[str], steps: int, seed: int) -> tuple[float, float]:
        """Wall and CPU seconds of one training."""
        folder.mkdir()
        (folder / "input.json").write_text(json.dumps(settings(train, steps, seed)))
        return self._timed(self.command(), folder)[:2]

    def command(self) -> list[str]:
        raise NotImplementedError

    def test(self, folder: Path, held_out: list[str]) -> dict[str, float]:
        """RMSE over held-out systems: energy in meV/atom, force in meV/A."""
        raise NotImplementedError

    def _timed(self, command: list[str], folder: Path) -> tuple[float, float, str]:
        start = time.perf_counter()
        with (folder / "log").open("w+") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | ENVIRONMENT,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: os.sched_setaffinity(0, {self.core}),
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            log.seek(0)
            text = log.read()
        if status:
            raise SystemExit(f"{' '.join(command)} failed in {folder}:\n{text[-2000:]}")
        return wall, usage.ru_utime + usage.ru_stime, text


class Ours(Program):
    def command(self) -> list[str]:
        return [sys.executable, "-m", "nvnmd", "-q", "train", "input.json", "--threads", "1"]

    def test(self, folder: Path, held_out: list[str]) -> dict[str, float]:
        command = [sys.executable, "-m", "nvnmd", "-q", "evaluate", "model.safetensors", *held_out, "-o", "out"]
        self._timed([*command, "--threads", "1"], folder)
        found = json.loads((folder / "out/evaluation.json").read_text())["all"]
        return {"energy": 1000 * found["energy_rmse"], "force": 1000 * found["force_rmse"]}


class DeepmdKit(Program):
    def __init__(self, name: str, core: int, dp: Path) -> None:
        super().__init__(name, core)
        self.dp = str(dp)

    def command(self) -> list[str]:
        return [self.dp, "--tf", "train", "input.json"]

    def test(self, folder: Path, held_out: list[str]) -> dict[str, float]:
        self._timed([self.dp, "--tf", "freeze", "-o", "model.pb"], folder)
        (folder / "systems").write_text("\n".join(held_out) + "\n")
        text = self._timed([self.dp, "--tf", "test", "-m", "model.pb", "-f", "systems", "-n", "0"], folder)[2]
        text = text[text.index("weighted average") :]
        energy = re.search(r"Energy RMSE/Natoms\s*:\s*([-+.\deE]+)", text)
        force = re.search(r"Force\s+RMSE\s*:\s*([-+.\deE]+)", text)
        if energy is None or force is None:
            raise SystemExit(f"cannot read the errors that dp test printed:\n{text[:2000]}")
        return {"energy": 1000 * float(energy[1]), "force": 1000 * float(force[1])}

    def version(self) -> str:
        return subprocess.run([self.dp, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


def measure_speed(program: Program, train: list[str], short: int, long: int) -> dict[str, float]:
    """Steps per second of wall and of CPU time, start-up taken off."""
    times = []
    for steps in (short, long):
        with tempfile.TemporaryDirectory() as scratch:
            times.append(program.train(Path(scratch) / "run", train, steps, seed=1))
    (wall_short, cpu_short), (wall_long, cpu_long) = times
    steps = long - short
    return {"wall": steps / (wall_long - wall_short), "cpu": steps / (cpu_long - cpu_short)}


def measure_accuracy(
    program: Program, train: list[str], held_out: list[str], seconds: float, speed: float, seed: int
) -> dict[str, Any]:
    """Errors on held-out systems after as many steps as the program does in some seconds."""
    steps = round(seconds * speed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        wall, cpu = program.train(folder, train, steps, seed)
        return {"seed": seed, "steps": steps, "wall_s": wall, "cpu_s": cpu, **program.test(folder, held_out)}


def split(data: Path, patterns: list[str]) -> tuple[list[str], list[str]]:
    """Folders to train on and held-out ones: those that match a pattern, or else every fifth."""
    folders = sorted(path.parent.resolve() for path in data.rglob("type.raw"))
    if not folders:
        raise SystemExit(f"{data}: no deepmd folders (type.raw) in it")
    held_out = [f for f in folders if any(fnmatch(f.name, p) for p in patterns)] if patterns else folders[2::5]
    return [str(f) for f in folders if f not in held_out], [str(f) for f in held_out]


def show(rows: dict[str, dict[str, Any]], seconds: float) -> None:
    """One table of medians."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"training, one core, batch of one frame; errors on held-out systems after {seconds:g} CPU s")
    for column in ("", "steps/s wall", "steps/s CPU", "steps", "energy meV/atom", "force meV/A"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in rows.items():
        runs = row["accuracy"]
        errors = (
            [f"{statistics.median(run[key] for run in runs):.1f}" for key in ("energy", "force")] if runs else ["-"] * 2
        )
        steps = str(runs[0]["steps"]) if runs else "-"
        table.add_row(name, f"{row['wall']:.1f}", f"{row['cpu']:.1f}", steps, *errors)
    Console().print(table)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path("data/gete-cp2k"), help="folder with deepmd/npy systems of GeTe"
    )
    parser.add_argument("--dp", type=Path, help="the program dp of an environment with DeePMD-kit and TensorFlow")
    parser.add_argument("--hold-out", action="append", default=[], help="pattern of folder names; default every fifth")
    parser.add_argument("--rounds", type=int, default=3, help="A B pairs for the speed")
    parser.add_argument("--steps", type=int, nargs=2, default=(1000, 3000), help="short and long run")
    parser.add_argument("--seconds", type=float, default=120.0, help="training time for the accuracy; 0 leaves it out")
    parser.add_argument("--seeds", type=int, default=2, help="trainings for the accuracy")
    parser.add_argument(
        "--core", type=int, default=min(os.sched_getaffinity(0)), help="core that everything is bound to"
    )
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    train, held_out = split(options.data, options.hold_out)
    programs: list[Program] = [Ours("nvnmd", options.core)]
    found = versions("nvnmd", "torch")
    if options.dp is not None:
        kit = DeepmdKit("DeePMD-kit TF fp32", options.core, options.dp)
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
        "settings": settings([], 0, 1),
    }
    speeds: dict[str, list[dict[str, float]]] = {program.name: [] for program in programs}
    for _ in range(options.rounds):
        for program in programs:
            speeds[program.name].append(measure_speed(program, train, *options.steps))
            print(program.name, speeds[program.name][-1], flush=True)
    rows: dict[str, dict[str, Any]] = {}
    for program in programs:
        medians = {key: statistics.median(s[key] for s in speeds[program.name]) for key in ("wall", "cpu")}
        rows[program.name] = {**medians, "rounds": speeds[program.name], "accuracy": []}
    for seed in range(1, options.seeds + 1) if options.seconds else ():
        for program in programs:
            row = rows[program.name]
            run = measure_accuracy(program, train, held_out, options.seconds, row["cpu"], seed)
            row["accuracy"].append(run)
            print(program.name, run, flush=True)
    record["results"] = rows
    record["machine"]["load_average_after"] = os.getloadavg()[0]
    show(rows, options.seconds)
    print(write_record("train", record))


if __name__ == "__main__":
    main()
