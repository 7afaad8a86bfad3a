"""Fills the tables of docs/performance.md and README.md from results/*.json; nothing there is typed by hand.

    python benchmarks/tables.py            write the pages
    python benchmarks/tables.py --check    exit with 1 if a page is not what the results say

A table stands between `<!-- begin NAME -->` and `<!-- end NAME -->`. One whose results do not exist says which command
measures them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from predict import prediction
from records import RESULTS

ROOT = Path(__file__).parents[1]
SHORT_ATOMS = 3888


def load(name: str) -> Any:
    """A record, or None if it was not measured."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def where(record: dict[str, Any]) -> str:
    """Machine, time, load and remark of a record."""
    machine, note = record["machine"], record.get("note", "").rstrip(".")
    load_average = machine.get("load_average_after", machine["load_average"])
    words = [machine["processor"], f"{machine['cores']} cores", machine["time"][:10]]
    words += [f"load average {load_average:.1f}"] + ([note] if note else [])
    if "model" in record:
        words.append(f"model {record['model']}")
    return "\n\nMachine: " + ", ".join(words) + "."


def md() -> str:
    """Peers, one core."""
    rows = load("md")
    base = {r["atoms"]: r["cpu_us_per_step_per_atom"] for r in rows if r["name"] == "nvnmd"}
    lines = [
        [r["name"], f"{r['atoms']:,}", str(r["cores"]), f"{r['us_per_step_per_atom']:.3g}",
         f"{r['cpu_us_per_step_per_atom']:.3g}",
         f"{r['cpu_us_per_step_per_atom'] / base[r['atoms']]:.3g}" if r["atoms"] in base else ""]
        for r in rows
    ]  # fmt: skip
    head = ["pair style", "atoms", "cores", "wall, µs/step/atom", "CPU, µs/step/atom", "CPU / nvnmd"]
    return markdown(head, lines) + where(rows[0])


def md_short() -> str:
    """The smaller crystal on one core, without the rows of single kernels."""
    rows = [r for r in load("md") if r["atoms"] == SHORT_ATOMS and r["cores"] == 1 and "kernel" not in r["name"]]
    (ours,) = (r["us_per_step_per_atom"] for r in rows if r["name"] == "nvnmd")
    lines = [
        [r["name"], f"{r['us_per_step_per_atom']:.3g}", f"{r['us_per_step_per_atom'] / ours:.3g}"]
        for r in sorted(rows, key=lambda r: float(r["us_per_step_per_atom"]))
    ]
    head = [f"pair style, {SHORT_ATOMS:,} atoms of GeTe, one core", "µs/step/atom", "times nvnmd"]
    return markdown(head, lines) + where(rows[0])


def train(name: str = "train") -> str:
    """Steps a second, and errors after the same time; processor time on one core, turns on more."""
    record = load(name)
    cores, clock = ("one core", "cpu") if record["cores"] == 1 else (f"{record['cores']} cores", "wall")
    lines = []
    for name, result in record["results"].items():
        runs = result["accuracy"]
        line = [name, f"{result[clock]:.3g}"]
        if runs:
            energy, force = (sum(run[key] for run in runs) / len(runs) for key in ("energy", "force"))
            line += [f"{runs[0]['steps']:,}", f"{energy:.3g}", f"{force:.3g}"]
        lines.append(line)
    head = [f"training, {cores}", "steps per CPU second" if clock == "cpu" else "steps/s"]
    head += ["steps", "energy RMSE, meV/atom", "force RMSE, meV/Å"]
    return markdown(head[: len(lines[0])], lines) + where(record)


def accuracy() -> str:
    """Errors on held-out systems after training to the end, of runs that were quantized."""
    lines = []
    for r in load("accuracy")["records"]:
        if "integer" not in r["errors"]:
            continue
        head = [r["data"], _network(r), f"{r['steps']:,}", f"{r['energy_weight']:g}", f"{r['cpu_s']['train'] / 60:.0f}"]
        for k, (group, floats) in enumerate(r["errors"]["float"].items()):
            texts = [_errors(e) for e in (floats, r["errors"]["integer"][group])]
            lines.append([*([""] * len(head) if k else head), group, *texts])
    head = ["frames", "network, cutoff, products", "steps", "`limit_pref_e`", "CPU min", "held out"]
    return markdown([*head, "float: meV/atom, meV/Å", "integer"], lines) + where(load("accuracy")["records"][0])


def learning() -> str:
    """Errors of float models by steps, size of the network and share of the frames."""
    records = load("accuracy")["records"]
    groups = list(records[0]["errors"]["float"])
    lines = []
    for r in sorted(records, key=lambda r: (r["products"], r["steps"], r["share"])):
        head = [_network(r), f"{r['steps']:,}", f"{100 * r['share']:.0f} %", f"{r['energy_weight']:g}"]
        lines.append([*head, *(_errors(r["errors"]["float"][group]) for group in groups)])
    return markdown(["network, cutoff, products", "steps", "frames", "`limit_pref_e`", *groups], lines)


def _network(record: dict[str, Any]) -> str:
    return f"{record['network']}, {record['rcut']:g} Å, {record['products']:,}"


def _errors(errors: dict[str, float]) -> str:
    return f"{errors['energy']:.1f}, {errors['force']:.0f}"


def train_long() -> str:
    """Errors after as many steps as two cores do in a time."""
    record = load("train_long")
    lines = [
        [f"{r['seconds'] / 60:g} min", r["name"], f"{r['steps']:,}", f"{r['energy']:.3g}", f"{r['force']:.3g}"]
        for r in record["results"]
    ]
    head = ["two cores", "", "steps", "energy RMSE, meV/atom", "force RMSE, meV/Å"]
    return markdown(head, lines) + where(record)


def scaling() -> str:
    """Ranks, threads, sizes, memory."""
    record = load("scaling")
    lines = [
        [r["name"], f"{r['atoms']:,}", str(r["cores"]), f"{r['us_per_step_per_atom']:.3g}",
         f"{r['speedup']:.2f}" if "speedup" in r else "",
         f"{r['own_bytes_per_atom']:.0f}" if "own_bytes_per_atom" in r else ""]
        for r in record["records"]
    ]  # fmt: skip
    head = ["run", "atoms", "cores", "wall, µs/step/atom", "speedup", "own memory, B/atom"]
    return markdown(head, lines) + where(record)


def big() -> str:
    """The log of the large run."""
    record, names = load("big"), ("PotEng", "TotEng", "Econserve")
    first, atoms = record["log"][0], record["atoms"]
    lines = [
        [f"{r['Step']:.0f}", f"{r['Temp']:.2f}", *(f"{1e3 * (r[n] - first[n]) / atoms:+.4f}" for n in names)]
        for r in record["log"]
    ]
    clipped = record["log"][-1]["c_clipped[1]"]
    loop, all_s, cost = record["loop_seconds"], record["seconds_in_all"], record["us_per_step_per_atom"]
    text = (
        f"{atoms:,} atoms, {record['steps']} NVT steps of 2 fs, {record['ranks']} ranks x {record['threads']} threads: "
        f"{loop:.1f} s in the loop\n({cost:.3g} µs/step/atom), {all_s:.1f} s in all, "
        f"{record['peak_MB'] / 1024:.2f} GiB of memory in all ranks, {clipped:.0f} words clipped.\n"
        "Energies are meV/atom beyond those of the first row.\n\n"
    )
    head = ["step", "T, K", "potential", "total", "conserved"]
    return text + markdown(head, lines) + where(record)


def nve() -> str:
    """Drift of the energy."""
    record = load("nve")
    lines = [
        [r["name"], f"{r['K']:g}", f"{r['ps']:g}", f"{r['drift_meV_atom_ns']:.2f} ± {r['error_meV_atom_ns']:.2f}",
         f"{r['fluctuation_meV_atom']:.4f}"]
        for r in record["records"]
    ]  # fmt: skip
    head = [f"model ({record['atoms']:,} atoms)", "K", "ps", "drift, meV/atom/ns", "fluctuation, meV/atom"]
    return markdown(head, lines) + where(record)


def python_md() -> str:
    """ASE beside LAMMPS."""
    record = load("python_md")
    lines = [
        [r["name"], str(r["cores"]), f"{r['us_per_step_per_atom']:.3g}", f"{r['cpu_us_per_step_per_atom']:.3g}",
         f"{r['cpu_over_lammps']:.2f}"]
        for r in record["records"]
    ]  # fmt: skip
    head = ["216 atoms", "cores", "wall, µs/step/atom", "CPU, µs/step/atom", "CPU / LAMMPS"]
    return markdown(head, lines) + where(record)


def predicted() -> str:
    """What the cost and communication volume make of more cores."""
    record = load("scaling")
    lines = [
        [f"{p.atoms:,}", f"{p.nodes} × {p.cores}", f"{p.compute_ms:.3g}", f"{p.exchange_ms:.3g}",
         f"{p.ghosts_per_atom:.2f}", f"{p.ns_per_step_per_atom:.3g}", f"{p.ns_per_day:.3g}"]
        for p in prediction(record["records"])
    ]  # fmt: skip
    head = [
        "atoms",
        "nodes × cores",
        "compute, ms/step",
        "exchange, ms/step",
        "ghosts per atom",
        "ns/step/atom",
        "ns/day at 2 fs",
    ]
    return markdown(head, lines)


def stages() -> str:
    """Shares of the stages."""
    record = load("stages")
    total = record["samples"]
    lines = [[name, f"{100 * count / total:.1f} %"] for name, count in record["counts"].items()]
    return markdown([f"stage, {record['atoms']:,} atoms, one core", "share of the time"], lines) + where(record)


Table = tuple[str, Callable[[], str]]
PAGES: dict[Path, dict[str, Table]] = {
    ROOT / "docs/performance.md": {
        "md": ("md", md),
        "stages": ("stages", stages),
        "scaling": ("scaling", scaling),
        "big": ("big", big),
        "nve": ("nve", nve),
        "python_md": ("python_md", python_md),
        "prediction": ("scaling", predicted),
    },
    ROOT / "docs/training.md": {"accuracy": ("accuracy", accuracy), "learning": ("accuracy", learning)},
    ROOT / "README.md": {
        "md": ("md", md_short),
        "train": ("train", train),
        "train_2cores": ("train_2cores", lambda: train("train_2cores")),
        "train_long": ("train_long", train_long),
    },
}


def filled(path: Path) -> str:
    """The page with every table written anew."""
    page = path.read_text()
    for name, (source, make) in PAGES[path].items():
        text = make() if load(source) else f"Not measured yet: `python benchmarks/{source}.py`."
        pattern = re.compile(f"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not pattern.search(page):
            sys.exit(f"{path.name} has no place for the table {name}")
        page = pattern.sub(lambda found, text=text: f"{found[1]}{text}\n{found[2]}", page)
    return page


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    for path in PAGES:
        new = filled(path)
        if not options.check:
            path.write_text(new)
        elif new != path.read_text():
            sys.exit(f"{path.name} is not what the results say: python benchmarks/tables.py")


if __name__ == "__main__":
    main()
