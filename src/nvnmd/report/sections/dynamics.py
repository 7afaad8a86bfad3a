"""The molecular dynamics: temperature, pressure and energy along the run, and its speed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.thermo import ThermoLog
from nvnmd.report.blocks import Figure, Missing, Section, Table
from nvnmd.report.plots import GRID, INK, SERIES, styled, subplots, to_svg
from nvnmd.report.run import Run
from nvnmd.report.text import count, fixed, scientific

_GPA_PER_BAR = 1e-4


def dynamics(run: Run) -> Section:
    """Thermodynamic traces, means by stage, speed by stage."""
    section = Section("dynamics", "Molecular dynamics")
    if run.md is None or run.thermo is None:
        section.blocks.append(Missing("a molecular dynamics run", "md/md.json and md/log.lammps"))
        return section
    caption = (
        "Temperature with the program it follows (dashed), pressure and potential energy. "
        "Thin lines are the values, thick ones running means over 0.5 ps."
    )
    section.blocks += [
        Figure(_traces(run.md, run.thermo), caption),
        _means(run.md, run.thermo),
        _speed(run.md),
    ]
    return section


def _traces(record: dict[str, Any], log: ThermoLog) -> str:
    time = log.column("Step") * record["settings"]["timestep_fs"] / 1000
    panels = (
        ("temperature (K)", log.column("Temp")),
        ("pressure (GPa)", log.column("Press") * _GPA_PER_BAR),
        ("pot. energy (eV/atom)", log.column("PotEng") / record["atoms"]),
    )
    with styled():
        canvas, axes = subplots(3, 1, 9.6, 6.6, sharex=True)
        for number, (axis, (label, values)) in enumerate(zip(axes[:, 0], panels, strict=True)):
            axis.plot(time, values, color=SERIES[number], linewidth=0.5, alpha=0.5)
            axis.plot(time, _running_mean(time, values), color=SERIES[number])
            axis.set_ylabel(label)
            axis.margins(x=0.005)
            axis.ticklabel_format(axis="y", useOffset=False)
        _mark_stages(axes[:, 0], record)
        axes[-1, 0].set_xlabel("time (ps)")
        canvas.align_ylabels()
        return to_svg(canvas, "Temperature, pressure and energy along the run")


def _running_mean(time: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import uniform_filter1d

    spacing = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    return np.asarray(uniform_filter1d(values, max(1, round(0.5 / spacing)), mode="nearest"))


def _mark_stages(axes: Any, record: dict[str, Any]) -> None:
    """Lines between the stages, their names, and the temperature program."""
    timestep_ps = record["settings"]["timestep_fs"] / 1000
    whole = record["stages"][-1]["last_step"] * timestep_ps
    for number, stage in enumerate(record["stages"]):
        start, end = stage["first_step"] * timestep_ps, stage["last_step"] * timestep_ps
        axes[0].plot([start, end], [stage["start_K"], stage["end_K"]], color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        for axis in axes:
            if number % 2:
                axis.axvspan(start, end, color=GRID, alpha=0.5, linewidth=0, zorder=0)
        tilted = (end - start) / whole < 0.09
        axes[0].annotate(
            stage["name"], ((start + end) / 2, 1.02), xycoords=("data", "axes fraction"), fontsize=8.5,
            ha="left" if tilted else "center", va="bottom", rotation=32 if tilted else 0, annotation_clip=False,
        )  # fmt: skip


def _means(record: dict[str, Any], log: ThermoLog) -> Table:
    timestep_ps = record["settings"]["timestep_fs"] / 1000
    columns = {name: log.column(name) for name in ("Temp", "Press", "PotEng", "Volume")}
    rows = []
    for stage in record["stages"]:
        own = np.array([name == stage["name"] for name in log.stages])
        if not own.any():
            continue
        mean = {name: float(values[own].mean()) for name, values in columns.items()}
        program = (
            f"{stage['start_K']:g}"
            if stage["start_K"] == stage["end_K"]
            else f"{stage['start_K']:g} → {stage['end_K']:g}"
        )
        rows.append(
            [
                stage["name"],
                program,
                f"{(stage['last_step'] - stage['first_step']) * timestep_ps:g}",
                fixed(mean["Temp"], 0),
                fixed(mean["Press"], 2, _GPA_PER_BAR),
                fixed(mean["PotEng"] / record["atoms"], 4),
                fixed(record["atoms"] / mean["Volume"], 5),
                count(stage["clipped"]["clipped"]) if stage["clipped"] else "–",
            ]
        )
    heads = ["Stage", "Set|K", "Length|ps", "Mean temperature|K", "Mean pressure|GPa"]
    heads += ["Potential energy|eV/atom", "Density|atoms/Å³", "Clipped|words"]
    return Table(heads, rows, "Means over each stage")


def _speed(record: dict[str, Any]) -> Table:
    rows = [
        [
            stage["name"],
            count(stage["timed_steps"]),
            fixed(stage["wall_s"], 1),
            _micro(stage),
            scientific(stage["s_per_step_per_atom"]),
        ]
        for stage in [*record["stages"], {"name": "all", **record["total"]}]
    ]
    session = record["sessions"][-1]
    ranks = ", ".join(str(entry["ranks"]) for entry in record["sessions"])
    versions = ", ".join(f"{name} {text}" for name, text in session["versions"].items())
    caption = (
        f"Speed as LAMMPS timed it: {count(record['atoms'])} atoms, MPI ranks {ranks}, {versions}. "
        "A stage that was killed and continued counts the steps of its finished runs."
    )
    return Table(["Stage", "Steps timed", "Wall time|s", "Speed|µs/step/atom", "Speed|s/step/atom"], rows, caption)


def _micro(stage: dict[str, Any]) -> str:
    return fixed(stage["s_per_step_per_atom"], 3, 1e6)
