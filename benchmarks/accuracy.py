"""Errors on whole systems held out, of the float and of the integer model, after training to the end.

    python benchmarks/accuracy.py FOLDER/gete-aimd-216 -o run                       the letter's network
    python benchmarks/accuracy.py FOLDER/gete-aimd-216 -o run --network small       a quarter of its fitting net
    python benchmarks/accuracy.py FOLDER/gete-aimd-216 FOLDER/gete-dpgen-64 -o run  one model for two sets
    ... --float-only --share 0.25 --steps 30000                                     a point of a learning curve

Held out are the systems that SPLITS names for a known folder, or every fifth. Constants between sets of other energy
references are learned along; a later set's errors of energies are without their mean, since its reference is its own.

Trains, quantizes with fine-tuning and evaluates, each by the command of the program; Ctrl-C keeps what is done, and the
same command goes on. CPU seconds are kept beside the run.

Prints a table of all runs so far and keeps them in results/accuracy.json, one record for each choice of data, network,
cutoff, number of steps and share of frames.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from records import RESULTS, machine, versions, write_record
from train import split
from trainers import rmse

from nvnmd.training.search.cost import Network, fitting_macs

SPLITS = {
    "gete-aimd-216": ["melt-1100K", "melt-1400K", "melt-1700K", "quench-350K", "quench-550K", "quench-750K"],
}
GROUPS = {"gete-aimd-216": {"600 K and below": ["quench-350K", "quench-550K"]}}
NETWORKS: dict[str, dict[str, Any]] = {
    "letter": {"neuron": [8, 16, 32], "axis_neuron": 4, "fitting": [128, 128, 128]},
    "small": {"neuron": [32, 32, 24], "axis_neuron": 4, "fitting": [96, 24, 16]},
    "large": {"neuron": [32, 32, 32], "axis_neuron": 8, "fitting": [128, 128, 128]},
}


Parts = dict[str, tuple[list[Path], list[Path]]]


def settings(train: list[str], held_out: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """The input.json of a run."""
    network = NETWORKS[options.network]
    own: dict[str, Any] = {"cache_mb": 8000, "weight_decay": options.decay}
    source = {"systems": train, "batch_size": options.batch, "auto_prob": "prob_uniform"}
    data: dict[str, Any] = {"training_data": source}
    if options.share < 1:
        own["validation_fraction"] = 1 - options.share
    else:
        data["validation_data"] = {"systems": held_out}
    return {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {
                "type": "se_e2_a",
                "rcut": options.rcut,
                "rcut_smth": 2.0,
                "sel": "auto",
                "neuron": network["neuron"],
                "axis_neuron": network["axis_neuron"],
                "seed": 1,
            },
            "fitting_net": {"neuron": network["fitting"], "seed": 1},
        },
        "learning_rate": {"start_lr": 0.002, "stop_lr": 1e-5},
        "loss": {"start_pref_e": 0.02, "limit_pref_e": options.energy, "start_pref_f": 1000, "limit_pref_f": 1},
        "training": data | {"numb_steps": options.steps, "seed": 1, "disp_freq": 1000, "save_freq": 2000},
        "nvnmd": own,
    }


def nvnmd(*words: str | Path) -> float:
    """Run a command of the program; its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "nvnmd", "-q", *map(str, words)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def errors(model: Path, parts: Parts, folder: Path) -> dict[str, Any]:
    """RMSE over the held-out systems of each set and groups of them: energy in meV/atom, force in meV/A."""
    chosen: dict[str, Any] = {}
    first = next(iter(parts))
    for name, (_, held_out) in parts.items():
        groups = GROUPS.get(name, {})
        words = [word for group, patterns in groups.items() for p in patterns for word in ("--group", f"{group}={p}")]
        nvnmd("evaluate", model, *held_out, "-o", folder / name, *words)
        found = json.loads((folder / name / "evaluation.json").read_text())
        if name != first:
            found["all"]["energy_rmse"] = found["all"]["energy_scatter"]
        parts_of = {group: found["phases"][group] for group in groups}  # one part: none of these was trained on
        chosen |= {name: found["all"]} | {f"{name}, {group}": e for group, p in parts_of.items() for e in p.values()}
    return {name: rmse(found) for name, found in chosen.items()}


def one_run(options: argparse.Namespace) -> dict[str, Any]:
    """Train, quantize and evaluate, or go on with it."""
    run, network = options.output, NETWORKS[options.network]
    shape = Network("se_e2_a", options.rcut, network["neuron"][-1], network["axis_neuron"], tuple(network["fitting"]))
    run.mkdir(parents=True, exist_ok=True)
    parts = {data.name: split(data, SPLITS.get(data.name, [])) for data in options.data}
    train, held_out = ([str(f) for found in parts.values() for f in found[k]] for k in (0, 1))
    text = json.dumps(settings(train, held_out, options), indent=2)
    given = run / "input.json"
    if given.exists() and given.read_text() != text:
        raise SystemExit(f"{run} holds another run; choose another folder with -o")
    given.write_text(text)
    threads = ("--threads", str(options.threads))
    restart = ["--restart"] if (run / "train/model.ckpt.pt").exists() else []
    spent, spent_file = {"train": 0.0, "quantize": 0.0}, run / "cpu_s.json"
    if spent_file.exists():
        spent = json.loads(spent_file.read_text())
    spent["train"] += nvnmd("train", given, "-o", run / "train", *threads, *restart)
    spent_file.write_text(json.dumps(spent))
    if not (options.float_only or (run / "quantized").exists()):
        spent["quantize"] += nvnmd("quantize", run / "train", "--steps", str(options.tune), *threads)
        spent_file.write_text(json.dumps(spent))
        (run / "quantized").touch()
    models = {"float": run / "train/model.safetensors"}
    if not options.float_only:
        models["integer"] = run / "quantize/model.nvnmd"
    return {
        "data": " + ".join(parts),
        "held_out": {name: [f.name for f in found] for name, (_, found) in parts.items()},
        "network": options.network,
        **network,
        "products": fitting_macs(shape),
        "rcut": options.rcut,
        "steps": options.steps,
        "batch": options.batch,
        "share": options.share,
        "energy_weight": options.energy,
        "weight_decay": options.decay,
        "cpu_s": spent,
        "errors": {kind: errors(model, parts, run / kind) for kind, model in models.items()},
        "machine": machine(),
        "versions": versions("nvnmd", "torch"),
    }


KEY = ("data", "network", "rcut", "steps", "batch", "share", "energy_weight", "weight_decay")


def show(records: list[dict[str, Any]]) -> None:
    """One table of all runs."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="RMSE on held-out systems: energy meV/atom, force meV/A")
    left = "data", "network", "held out"
    for column in (*left[:2], "products", "steps", "frames", "CPU min", "p_e", "decay", left[2], "float", "integer"):
        table.add_column(column, justify="left" if column in left else "right")
    for r in records:
        for k, (group, floats) in enumerate(r["errors"]["float"].items()):
            head = [r["data"], r["network"], f"{r['products']:,}", f"{r['steps']:,}", f"{100 * r['share']:.0f} %"]
            head += [f"{r['cpu_s']['train'] / 60:.0f}", f"{r['energy_weight']:g}", f"{r['weight_decay']:g}"]
            integers = r["errors"].get("integer", {}).get(group)
            texts = [f"{e['energy']:.1f}, {e['force']:.0f}" if e else "-" for e in (floats, integers)]
            table.add_row(*([""] * len(head) if k else head), group, *texts)
    Console().print(table)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+", help="folders with deepmd/npy systems of GeTe")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--network", choices=NETWORKS, default="letter")
    parser.add_argument("--rcut", type=float, default=6.0, help="cutoff, A")
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--float-only", action="store_true", help="do not quantize")
    parser.add_argument("--tune", type=int, default=1000, help="steps of fine-tuning to fixed point")
    parser.add_argument("--batch", type=int, default=1, help="frames")
    parser.add_argument("--energy", type=float, default=1.0, help="limit_pref_e")
    parser.add_argument("--decay", type=float, default=0.0, help="nvnmd.weight_decay")
    parser.add_argument("--share", type=float, default=1.0, help="of each system's frames to train on, its first ones")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Run, print, write."""
    options = arguments()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    record = one_run(options)
    path = RESULTS / "accuracy.json"
    records = json.loads(path.read_text())["records"] if path.exists() else []
    kept = [r for r in records if any(r[key] != record[key] for key in KEY)]
    records = sorted([*kept, record], key=lambda r: [r[key] for key in KEY])
    show(records)
    print(write_record("accuracy", {"records": records}))


if __name__ == "__main__":
    main()
