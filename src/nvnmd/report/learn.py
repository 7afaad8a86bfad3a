"""The report of the loop: what every round looked at, chose, labeled and learned, on one page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nvnmd.report.blocks import Figure, Number, Numbers, Pictures, Section, Table, Text
from nvnmd.report.errors import ReportError
from nvnmd.report.page import render_page
from nvnmd.report.plots import styled, subplots, to_svg
from nvnmd.report.text import NONE, count, fixed
from nvnmd.training.files import write_atomically

Record = dict[str, Any]


def write_learn_report(folder: Path, output: Path | None = None) -> Path:
    """Write the page of a run of `nvnmd learn` from its `learn.json`; its path, `report.html` in the folder by default.

    Raises:
        ReportError: there is no record, or the page cannot be written.
    """
    path = folder / "learn.json"
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(f"{path}: cannot be read as the record of a loop ({error}); run nvnmd learn first") from None
    sections = [_overview(record), _rounds(record), _errors(record), _exploration(record), _labels(record)]
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    title = f"{' '.join(record['settings']['elements'])}: learning in rounds"
    subtitle = f"Run folder {folder.resolve().name}, {record['status']}, {now}"
    target = output or folder / "report.html"
    kept = [section for section in sections if section.blocks]
    try:
        write_atomically(target, render_page(title, subtitle, f"Written by nvnmd {version('nvnmd')}.", kept).encode())
    except OSError as error:
        raise ReportError(f"{target}: cannot be written ({error.strerror}); choose another file") from None
    return target


def _overview(record: Record) -> Section:
    done = _judged(record)
    labels = [r["label"] for r in [record["start"], *done] if "label" in r]
    labeled, failed = sum(entry["labeled"] for entry in labels), sum(entry["failed"] for entry in labels)
    steps = sum(run["steps"] for r in done for run in r["explore"])
    numbers = [
        Number(str(len(done)), "", "rounds", f"of {record['settings']['rounds']} at most"),
        Number(count(labeled), "", "frames labeled", f"{failed} more got no label"),
        Number(count(steps), "", "steps of molecular dynamics", "by the integer models of the rounds"),
    ]
    origin = "DFT" if record["label"] == "dft" else f"the potential {record['label'].partition(':')[2]}, not by DFT"
    text = f"Labels are made by {origin} ({record['settings']['label']['using'].partition(':')[0]})."
    return Section("overview", "Overview", [Numbers(numbers), Text(text)])


def _rounds(record: Record) -> Section:
    done = _judged(record)
    if not done:
        return Section("rounds", "Rounds")
    measure = f"{done[0]['select']['measure']}, {done[0]['select']['unit']}".rstrip(", ")
    columns = ["round", "trained on|frames", "looked at|frames", f"median|{measure}", "90 %", "largest"]
    columns += ["in between", "above", "chosen", "labeled", "failed", "CPU|min"]
    rows = []
    for r in done:
        chosen, seconds = r["select"], sum(t["cpu_s"] for t in r["times"].values())
        values = [count(r["train-1"]["frames"]), count(chosen["frames"])]
        values += [fixed(chosen[key], 3) for key in ("median", "p90", "max")]
        values += [count(chosen["candidate"]), count(chosen["failed"]), count(chosen["chosen"] + chosen["test"])]
        values += [count(r["label"]["labeled"]), count(r["label"]["failed"]), fixed(seconds / 60, 1)]
        rows.append([str(r["round"]), *values])
    low, high = done[0]["select"]["levels"]
    caption = (
        f"The number of a frame is the largest of its atoms. In between: from {low:g} to {high:g}, "
        "where frames are chosen from; above, they are taken for unphysical. CPU time is that of the session that "
        "finished each step."
    )
    return Section("rounds", "Rounds", [Table(columns, rows, caption), Pictures(_pictures(done, measure))])


def _pictures(done: list[Record], measure: str) -> list[Figure]:
    numbers = [r["round"] for r in done]
    with styled():
        canvas, axes = subplots(1, 1, 4.4, 3.0)
        for key, name in (("median", "median"), ("p90", "90 %"), ("max", "largest")):
            axes[0, 0].plot(numbers, [r["select"][key] for r in done], "o-", label=name)
        axes[0, 0].set(xlabel="round", ylabel=measure, yscale="log", xticks=numbers)
        axes[0, 0].legend()
        text = "How unsure the models were of what they visited."
        first = Figure(to_svg(canvas, "Uncertainty of the frames by round"), text)
        canvas, axes = subplots(1, 1, 4.4, 3.0)
        for part, name in (("new", "frames chosen"), ("test", "test frames")):
            for kind, line in (("float", "o-"), ("integer", "s--")):
                points = [(r["round"], r["judge"][part][kind]) for r in done if r["judge"].get(part)]
                points = [(n, 1000 * e["force_rmse"]) for n, e in points if e is not None]
                if points:
                    axes[0, 0].plot(*zip(*points, strict=True), line, label=f"{name}, {kind}")
        axes[0, 0].set(xlabel="round", ylabel="force RMSE, meV/A", xticks=numbers)
        axes[0, 0].legend()
        text = "Errors on the labels of a round, before any model was trained on them."
        return [first, Figure(to_svg(canvas, "Force error by round"), text)]


def _errors(record: Record) -> Section:
    blocks: list[Any] = []
    rows = []
    for r in _judged(record):
        for part, name in (("new", "frames chosen"), ("test", "test frames")):
            for kind in ("float", "integer"):
                found = (r["judge"].get(part) or {}).get(kind)
                if found is not None:
                    values = [found["energy_scatter"], found["force_rmse"], found["force_rms"]]
                    rows.append(
                        [str(r["round"]), name, kind, str(found["n_frames"]), *(fixed(v, 1, 1e3) for v in values)]
                    )
    if rows:
        columns = ["round", "frames", "model", "number", "energy|meV/atom", "force RMSE|meV/A", "force rms|meV/A"]
        caption = "Models of a round on its new labels, which they had not seen. Energy: without the mean error."
        blocks.append(Table(columns, rows, caption, text_columns=(0, 1, 2)))
    if "errors" in record:
        found = record["errors"]
        rows = [
            [name, *(NONE if value is None else fixed(value, 1, 1e3) for value in values)]
            for name, values in zip(found["models"], found["force_rmse"], strict=True)
        ]
        caption = (
            "Force RMSE in meV/A of every round's float model (rows) on the frames that a round brought (columns). A "
            "dash stands where the model was trained on them."
        )
        blocks.append(Table(["model", *found["frames"]], rows, caption))
    return Section("errors", "Errors", blocks)


def _exploration(record: Record) -> Section:
    rows = [
        [
            str(r["round"]),
            f"{run['item']} {run['run']}",
            count(run["atoms"]),
            count(run["steps"]),
            run["status"],
            run["reason"],
        ]
        for r in _judged(record)
        for run in r["explore"]
    ]
    if not rows:
        return Section("exploration", "Exploration")
    columns = ["round", "run", "atoms", "steps", "end", "reason"]
    caption = "A run that breaks down is no loss: what it visited before is looked at."
    return Section("exploration", "Exploration", [Table(columns, rows, caption, text_columns=(0, 1, 4, 5))])


def _labels(record: Record) -> Section:
    rows = [
        [r["name"], reason, str(number)]
        for r in [record["start"], *_judged(record)]
        for reason, number in r.get("label", {}).get("reasons", {}).items()
    ]
    text = (
        f"Mark of the labels: {record['label']}; frames with the reference {record['reference']!r} share one energy "
        "reference. provenance.json in each folder of data/ has code, version and hash of the input of every frame."
    )
    blocks: list[Any] = [Text(text)]
    if rows:
        blocks.append(Table(["round", "why a frame has no label", "frames"], rows, text_columns=(0, 1)))
    return Section("labels", "Labels", blocks)


def _judged(record: Record) -> list[Record]:
    """The rounds that are complete."""
    return [r for r in record["rounds"] if "judge" in r]
