"""Sections of a phase-change report: what was run, and what its sampled stages measure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.pcm import plots
from nvnmd.pcm.analysis import (
    RingStatistics,
    altbc,
    angle_distribution,
    bond_statistics,
    structure_factor,
    tetrahedral_order,
)
from nvnmd.pcm.analyze import spread_frames
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot
from nvnmd.report.blocks import Commands, Figure, Missing, Number, Numbers, Section, Table, Text
from nvnmd.report.plots import styled, subplots, to_svg
from nvnmd.report.run import Run
from nvnmd.report.text import count, fixed, scientific

MAX_FRAMES = 20


def overview(run: Run) -> Section:
    """Atoms, stages, energies, guards, and how to run it again."""
    section = Section("run", "Run")
    record = run.md
    if record is None:
        return section
    speed = record.get("total", {}).get("s_per_step_per_atom")
    cell = " × ".join(f"{x / 10:.1f}" for x in record["cell_A"]) if "cell_A" in record else "–"
    frozen = record.get("frozen", {}).get("atoms", 0)
    section.blocks += [
        Numbers(
            [
                Number(count(record["atoms"]), "", "atoms", f"{count(frozen)} stand still" if frozen else ""),
                Number(cell, "nm", "cell"),
                Number(fixed(record["step"] * record["settings"]["timestep_fs"] / 1000, 1), "ps", "simulated"),
                Number(scientific(speed), "s/step/atom", "speed", _processor_time(record)),
            ]
        ),
        _stages(record),
    ]
    if record.get("voids"):
        rows = [
            [name, fixed(v["largest_radius_A"], 2), fixed(v["fraction"], 2, 100)] for name, v in record["voids"].items()
        ]
        caption = "Guard against voids: the largest empty sphere after the stages that ask for it"
        section.blocks.append(Table(["Stage", "Largest radius|Å", "Void volume|%"], rows, caption))
    section.blocks.append(
        Commands("\n".join(session.get("called", session["command"]) for session in record["sessions"]))
    )
    return section


def _processor_time(record: dict[str, Any]) -> str:
    """Processor time in words, where every session knows its own: what ranks used that were killed is not known."""
    found = [session.get("cpu_s") for session in record["sessions"]]
    if not found or None in found or not record["step"]:
        return "wall time in LAMMPS's loop"
    used = scientific(sum(found) / (record["step"] * record["atoms"]))
    return f"wall time in LAMMPS's loop; {used} of processor time in all"


def _stages(record: dict[str, Any]) -> Table:
    rows, graded = [], any(stage.get("largest_gamma") is not None for stage in record["stages"])
    for stage in record["stages"]:
        time = (stage["last_step"] - stage["first_step"]) * record["settings"]["timestep_fs"] / 1000
        change = stage.get("energy_change_fJ")
        early = stage.get("ended_early")
        cells = [stage["name"], f"{time:g}", fixed(stage.get("heat_fJ"), 4), fixed(change, 4), "yes" if early else ""]
        rows.append(cells + ([fixed(stage.get("largest_gamma"))] if graded else []))
    heads = ["Stage", "Length|ps", "Heat asked for|fJ", "Change of total energy|fJ", "Ended early"]
    heads += ["Largest extrapolation grade"] if graded else []
    return Table(heads, rows, "Stages. The change of the total energy is what heat and thermostats really brought.")


def glass(run: Run) -> Section:
    """Angles, ALTBC, tetrahedra, S(q) and the numbers of `nvnmd pcm analyze`, for each sampled stage."""
    section = Section("measures", "Bonds, angles, distortion")
    for stage in run.md["stages"] if run.md else []:
        path = run.path(f"md/{stage['file']}")
        if stage["sample"] and path.exists() and path.stat().st_size:
            frames = list(spread_frames(path, MAX_FRAMES))
            rings = run.folder / "analysis" / f"{stage['name']}-rings.csv"
            section.blocks.append(Figure(_figure(frames, stage["name"], rings), _caption(stage, frames)))
    found = sorted((run.folder / "analysis").glob("*.json"))
    if found:
        section.blocks += [_numbers(path) for path in found]
        section.blocks.append(Text("Curves of every measure stand as CSV files in analysis/."))
    elif section.blocks:
        section.blocks.append(Missing("rings, voids, diffusion, crystallinity; measure them with", "nvnmd pcm analyze"))
    return section


def _figure(frames: list[Snapshot], name: str, rings: Path) -> str:
    with styled():
        canvas, axes = subplots(2, 3, 9.6, 6.0)
        plots.plot_angles(axes[0, 0], angle_distribution(frames))
        try:
            image = plots.plot_altbc(axes[0, 1], altbc(frames))
            canvas.colorbar(image, ax=axes[0, 1], label="density (1/Å²)")
        except PcmError as error:
            axes[0, 1].set_title(str(error)[:40])
        plots.plot_coordination(axes[0, 2], bond_statistics(frames))
        if "Ge" in frames[-1].symbols:
            plots.plot_tetrahedral(axes[1, 0], tetrahedral_order(frames))
        else:
            axes[1, 0].set_axis_off()
        plots.plot_scattering(axes[1, 1], structure_factor(frames[-5:], 8.0, 100))
        if rings.exists():
            size, per_atom = np.genfromtxt(rings, delimiter=",", skip_header=1, ndmin=2).T
            plots.plot_rings(axes[1, 2], RingStatistics(size.astype(np.int64), per_atom, 1))
        else:
            axes[1, 2].set_axis_off()
        return to_svg(canvas, f"{name}: angles, ALTBC, coordination, tetrahedral order, S(q), rings")


def _caption(stage: dict[str, Any], frames: list[Snapshot]) -> str:
    return (
        f"{stage['name']}: {len(frames)} frames. Bonds up to 3.2 Å. ALTBC: lengths of bonds within 30° of opposite; "
        "two peaks beside the diagonal are a Peierls distortion."
    )


def _numbers(path: Path) -> Table:
    numbers = json.loads(path.read_text(encoding="utf-8"))
    rows = []
    for key, value in numbers.items():
        if key in ("stage", "not_measured"):
            continue
        shown = value if not isinstance(value, dict) else "; ".join(f"{k} {_short(v)}" for k, v in value.items())
        rows.append([key, _short(shown)])
    rows += [[f"{key} (not measured)", text] for key, text in numbers.get("not_measured", {}).items()]
    return Table(["Measure", "Value"], rows, f"Stage {numbers['stage']}; units stand in the names", text_columns=(0, 1))


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(part)}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
