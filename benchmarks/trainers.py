"""The programs that benchmarks/train.py times, and how they share a core."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def environment(threads: int) -> dict[str, str]:
    """Variables that give both programs as many threads, and no GPU."""
    names = ("OMP_NUM_THREADS", "TF_INTRA_OP_PARALLELISM_THREADS", "TF_INTER_OP_PARALLELISM_THREADS")
    names += ("DP_INTRA_OP_PARALLELISM_THREADS", "DP_INTER_OP_PARALLELISM_THREADS")
    return {name: str(threads) for name in names} | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


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
            "save_freq": 10_000,
            "seed": seed,
        },
    }


def rmse(errors: dict[str, float]) -> dict[str, float]:
    """Of a group of evaluation.json: energy in meV/atom, force in meV/A."""
    return {"energy": 1000 * errors["energy_rmse"], "force": 1000 * errors["force_rmse"]}


class Program:
    """A trainer as a sequence of processes bound to some cores, with a thread for each of them or as many as given."""

    def __init__(self, name: str, cores: set[int], threads: int | None = None) -> None:
        self.name, self.cores, self.threads = name, cores, threads or len(cores)

    def start(self, folder: Path, train: list[str], steps: int, seed: int) -> subprocess.Popen[bytes]:
        """Begin a training in a new folder."""
        folder.mkdir(parents=True)
        (folder / "input.json").write_text(json.dumps(self.settings(train, steps, seed)))
        return self._start(self.command(), folder)

    def settings(self, train: list[str], steps: int, seed: int) -> dict[str, Any]:
        """Of the module's function of this name, and what only this program knows."""
        return settings(train, steps, seed)

    def command(self) -> list[str]:
        raise NotImplementedError

    def test(self, folder: Path, held_out: list[str]) -> dict[str, float]:
        """RMSE over held-out systems: energy in meV/atom, force in meV/A."""
        raise NotImplementedError

    def _start(self, command: list[str], folder: Path) -> subprocess.Popen[bytes]:
        with (folder / "log").open("w") as log:
            return subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | environment(self.threads),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, self.cores),
            )

    def _output(self, command: list[str], folder: Path) -> str:
        if self._start(command, folder).wait():
            raise SystemExit(f"{' '.join(command)} failed in {folder}:\n{(folder / 'log').read_text()[-2000:]}")
        return (folder / "log").read_text()


class Ours(Program):
    def __init__(
        self, name: str, cores: set[int], optimizer: str, threads: int | None = None, weight_decay: float = 0.0
    ) -> None:
        super().__init__(name, cores, threads)
        self.own = {"optimizer": optimizer, "weight_decay": weight_decay}

    def settings(self, train: list[str], steps: int, seed: int) -> dict[str, Any]:
        return super().settings(train, steps, seed) | {"nvnmd": self.own}

    def command(self) -> list[str]:
        return [sys.executable, "-m", "nvnmd", "-q", "train", "input.json", "--threads", str(self.threads)]

    def test(self, folder: Path, held_out: list[str]) -> dict[str, float]:
        command = [sys.executable, "-m", "nvnmd", "-q", "evaluate", "model.safetensors", *held_out, "-o", "out"]
        self._output([*command, "--threads", str(self.threads)], folder)
        return rmse(json.loads((folder / "out/evaluation.json").read_text())["all"])


class DeepmdKit(Program):
    def __init__(self, name: str, cores: set[int], dp: Path, threads: int | None = None) -> None:
        super().__init__(name, cores, threads)
        self.dp = str(dp)

    def command(self) -> list[str]:
        return [self.dp, "--tf", "train", "input.json"]

    def test(self, folder: Path, held_out: list[str]) -> dict[str, float]:
        self._output([self.dp, "--tf", "freeze", "-o", "model.pb"], folder)
        (folder / "systems").write_text("\n".join(held_out) + "\n")
        text = self._output([self.dp, "--tf", "test", "-m", "model.pb", "-f", "systems", "-n", "0"], folder)
        text = text[text.index("weighted average") :]
        energy = re.search(r"Energy RMSE/Natoms\s*:\s*([-+.\deE]+)", text)
        force = re.search(r"Force\s+RMSE\s*:\s*([-+.\deE]+)", text)
        if energy is None or force is None:
            raise SystemExit(f"cannot read the errors that dp test printed:\n{text[:2000]}")
        return {"energy": 1000 * float(energy[1]), "force": 1000 * float(force[1])}

    def version(self) -> str:
        return subprocess.run([self.dp, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


def take_turns(processes: list[subprocess.Popen[bytes]], turn_s: float = 2.0) -> list[dict[str, float]]:
    """Run processes to their end, one at a time in turns; seconds of their own turns, CPU seconds and memory in MB."""
    spent: list[dict[str, float]] = [{} for _ in processes]
    wall = [0.0] * len(processes)
    for process in processes:
        os.killpg(process.pid, signal.SIGSTOP)
    try:
        while not all(spent):
            for k, process in enumerate(processes):
                if spent[k]:
                    continue
                begin = time.perf_counter()
                os.killpg(process.pid, signal.SIGCONT)
                pid = 0
                while not pid and time.perf_counter() - begin < turn_s:
                    time.sleep(0.02)
                    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                wall[k] += time.perf_counter() - begin
                if pid:
                    if status:
                        raise SystemExit(f"{process.args} failed")
                    cpu = usage.ru_utime + usage.ru_stime
                    spent[k] = {"wall_s": wall[k], "cpu_s": cpu, "memory_mb": usage.ru_maxrss / 1000}
                else:
                    os.killpg(process.pid, signal.SIGSTOP)
    finally:
        for k, process in enumerate(processes):
            if not spent[k]:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    return spent


def train_together(
    programs: list[Program], scratch: Path, train: list[str], steps: list[int], seed: int
) -> list[dict[str, float]]:
    """One training of each program, in turns; folders are scratch/<number of the program>."""
    pairs = zip(programs, steps, strict=True)
    return take_turns([p.start(scratch / str(k), train, n, seed) for k, (p, n) in enumerate(pairs)])
