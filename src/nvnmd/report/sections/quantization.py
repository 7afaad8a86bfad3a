"""Where the error of quantization comes from, and what saturated."""

from __future__ import annotations

from typing import Any

from nvnmd.report.blocks import Block, Figure, Missing, Section, Table, Text
from nvnmd.report.plots import SERIES, styled, subplots, to_svg
from nvnmd.report.run import Run
from nvnmd.report.text import NONE, count, fixed


def quantization(run: Run) -> Section:
    """Errors by stage of the computation, and saturation counts on frames and along the run."""
    section = Section("quantization", "Quantization")
    if run.stage_errors:
        section.blocks += _stages(run.stage_errors)
    else:
        section.blocks.append(Missing("the error of each stage", "quantize/stages.json"))
    section.blocks.append(_saturation(run))
    return section


def _stages(records: list[dict[str, Any]]) -> list[Block]:
    only = [record for record in records if record.get("mode", "only") == "only"]
    without = {record["stage"]: record for record in records if record.get("mode") == "all but"}
    whole = [record for record in only if record["stage"] in ("all", "tables")]
    single = sorted(
        (record for record in only if record not in whole), key=lambda record: record["force_rmse_meV_A"], reverse=True
    )
    rows = [
        [
            record["stage"],
            fixed(record["force_rmse_meV_A"], 3),
            fixed(record["energy_rmse_meV_atom"], 4),
            fixed(without.get(record["stage"], {}).get("force_rmse_meV_A"), 3),
            fixed(without.get(record["stage"], {}).get("energy_rmse_meV_atom"), 4),
        ]
        for record in [*whole, *single]
    ]
    columns = ["Stage", "Only this rounded: force|meV/Å", "energy|meV/atom"]
    columns += ["All but this: force|meV/Å", "energy|meV/atom"]
    caption = (
        "Deviation from the float model when one stage at a time is rounded to its integers and the others are real "
        "numbers. 'all' is the whole integer model; 'tables' has no rounding, only the error of the tabulated curves."
    )
    return [Figure(_bars([*whole, *single]), caption), Table(columns, rows, "Deviation from the float model by stage")]


def _bars(records: list[dict[str, Any]]) -> str:
    names = [record["stage"] for record in records]
    panels = (("force_rmse_meV_A", "force (meV/Å)"), ("energy_rmse_meV_atom", "energy (meV/atom)"))
    with styled():
        canvas, axes = subplots(1, 2, 9.6, 0.9 + 0.27 * len(records), sharey=True)
        for axis, (key, label), color in zip(axes[0], panels, SERIES, strict=False):
            values = [record[key] for record in records]
            axis.barh(names, values, color=color, height=0.62)
            axis.set_title(f"RMS deviation, {label}")
            axis.grid(axis="y", visible=False)
            axis.tick_params(axis="y", length=0)
            axis.margins(y=0.02)
        axes[0][0].invert_yaxis()
        return to_svg(canvas, "Deviation from the float model by stage")


def _saturation(run: Run) -> Block:
    evaluation = run.evaluations.get("integer")
    frames = evaluation.errors.get("clipped") if evaluation else None
    counters = [stage["clipped"] for stage in run.md["stages"] if stage["clipped"]] if run.md else []
    if frames is None and not counters:
        return Missing("saturation counts", "evaluate/integer/evaluation.json, md/md.json")
    names = (
        [name.removeprefix("clipped_") for name in counters[0] if name != "clipped"] if counters else list(frames or {})
    )
    along = {name: sum(stage.get(f"clipped_{name}", 0) for stage in counters) for name in names}
    on_frames = {name: (frames or {}).get(name, 0) for name in names}
    total_frames, total_run = sum(on_frames.values()), sum(along.values())
    if not total_frames and not total_run:
        known = (("on the labeled frames", frames is not None), ("in the run", bool(counters)))
        where = " nor ".join(text for text, counted in known if counted)
        return Text(f"Saturation clipped no word {where}, at none of the stages {', '.join(names)}.")
    rows = [
        [name, count(on_frames[name]) if frames is not None else NONE, count(along[name]) if counters else NONE]
        for name in names
        if on_frames[name] or along[name]
    ]
    rows.append(["all", count(total_frames), count(total_run)])
    return Table(["Stage", "Words clipped on labeled frames", "Words clipped in the run"], rows, "Saturation")
