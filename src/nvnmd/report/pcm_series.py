"""The page of a series of runs: what changes with size, temperature or rate."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.pcm.analysis import Fluctuations, fluctuations, size_exponent
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.record import read_record
from nvnmd.pcm.thermo import read_log
from nvnmd.report.blocks import Figure, Section, Table
from nvnmd.report.errors import ReportError
from nvnmd.report.keep import keep
from nvnmd.report.page import render_page
from nvnmd.report.plots import INK, styled, subplots, to_svg
from nvnmd.report.text import count, fixed
from nvnmd.training.files import write_text

MEASURES = (
    "homopolar_share", "wrong_share", "tetrahedral_Ge", "altbc_ratio", "crystallinity_q4", "soap_k_mean",
    "void_largest_radius_A",
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A run of the series."""

    name: str
    folder: Path
    record: dict[str, Any]


def write_series_report(folder: Path, files: Path | None = None) -> Path:
    """Compare the runs in the folders of `folder` on one page, `series.html`; files: a folder for it as files.

    Raises ReportError where there are no two runs.
    """
    found = [(path.parent, read_record(path.parent)) for path in sorted(folder.glob("*/md.json"))]
    members = [Member(path.name, path, record) for path, record in found if record and record.get("stages")]
    members.sort(key=lambda member: (member.record["atoms"], member.record["stages"][-1]["end_K"]))
    if len(members) < 2:
        raise ReportError(f"{folder}: holds no two runs to compare; start a series with, for example, nvnmd pcm heat")
    sections = [s for s in (_sizes(members), _interface(members), _structure(members)) if s.blocks]
    title = f"{members[0].record['material']}: {len(members)} runs"
    subtitle = f"Series folder {folder.resolve().name}, {datetime.now(UTC).strftime('%Y-%m-%d %H:%M UTC')}"
    page = render_page(title, subtitle, f"Written by nvnmd {version('nvnmd')}.", sections)
    write_text(folder / "series.html", page)
    if files is not None:
        keep(files, folder, title, subtitle, sections)
    return folder / "series.html"


def _held(members: list[Member]) -> dict[str, list[Fluctuations]]:
    """Fluctuations of each stage that keeps its temperature, by stage, one for each run that has it."""
    found: dict[str, list[Fluctuations]] = {}
    for member in members:
        log = read_log(member.folder / "log.lammps")
        atoms = member.record["atoms"] - member.record.get("frozen", {}).get("atoms", 0)
        for stage in member.record["stages"]:
            if stage["start_K"] != stage["end_K"] or stage.get("heat_fJ"):
                continue
            try:
                found.setdefault(stage["name"], []).append(fluctuations(log, stage["name"], atoms))
            except PcmError:
                continue
    return found


def _sizes(members: list[Member]) -> Section:
    section = Section("sizes", "Fluctuations against the number of atoms")
    if len({member.record["atoms"] for member in members}) < 2:
        return section
    stages = {name: found for name, found in _held(members).items() if len({f.atoms for f in found}) > 1}
    if not stages:
        return section
    rows = [
        [name, count(f.atoms), fixed(f.temperature_K[0], 0), fixed(f.temperature_K[1], 2), fixed(f.canonical_K, 2),
         fixed(f.pressure_GPa[0], 3), fixed(f.pressure_GPa[1], 4), fixed(1000 * f.energy_eV[1], 3)]
        for name, found in stages.items() for f in found
    ]  # fmt: skip
    heads = ["Stage", "Atoms", "Temperature|K", "σ(T)|K", "T √(2/3N)|K", "Pressure|GPa", "σ(P)|GPa", "σ(E)|meV/atom"]
    text = "Standard deviations about a straight line, in the second half of each stage that is held at a temperature. "
    text += "Beside σ(T) stands what the canonical ensemble has"
    caption = "Standard deviations against the number of atoms; straight lines fall as 1/√N from the smallest run. "
    caption += "In the legends: fitted exponents, −0.5 being 1/√N."
    section.blocks += [Figure(_size_plot(stages), caption), Table(heads, rows, text)]
    return section


def _size_plot(stages: dict[str, list[Fluctuations]]) -> str:
    panels = (
        ("σ(T) (K)", "temperature_K", 1.0),
        ("σ(P) (GPa)", "pressure_GPa", 1.0),
        ("σ(E) (meV/atom)", "energy_eV", 1e3),
    )
    with styled():
        canvas, axes = subplots(1, 3, 9.6, 3.3)
        for axis, (label, field, factor) in zip(axes[0], panels, strict=True):
            for name, found in stages.items():
                atoms = np.array([f.atoms for f in found], dtype=np.float64)
                sigma = factor * np.array([getattr(f, field)[1] for f in found])
                slope = size_exponent(atoms, sigma)
                (line,) = axis.plot(atoms, sigma, "o", markersize=5, label=f"{name}: {slope:.2f}".replace("-", "−"))
                axis.plot(atoms, sigma[0] * np.sqrt(atoms[0] / atoms), color=line.get_color(), linewidth=0.9)
            axis.set(xscale="log", yscale="log", xlabel="atoms", ylabel=label)
            axis.legend(title="fitted exponent", title_fontsize=8.5)
        return to_svg(canvas, "Fluctuations against the number of atoms")


def _interface(members: list[Member]) -> Section:
    """Velocity of the interface against temperature; melting is where it changes its sign."""
    section = Section("interface", "Growth and melting")
    rows = []
    for member in members:
        for path in (member.folder / "analysis").glob("*.json"):
            velocity = json.loads(path.read_text(encoding="utf-8")).get("growth_m_per_s")
            if velocity:
                rows.append((member.record["stages"][-1]["end_K"], velocity["velocity"], velocity["error"]))
    if len(rows) < 2:
        return section
    kelvin, velocity, error = np.array(sorted(rows), dtype=np.float64).T
    with styled():
        canvas, axes = subplots(1, 1, 5.6, 3.4)
        axes[0, 0].errorbar(kelvin, velocity, error, fmt="o-", markersize=4, linewidth=1, capsize=3)
        axes[0, 0].axhline(0.0, color=INK, linewidth=0.6)
        axes[0, 0].set(xlabel="temperature (K)", ylabel="velocity of the interface (m/s)")
        figure = to_svg(canvas, "Velocity of the interface against temperature")
    changes = np.flatnonzero((velocity[:-1] > 0) & (velocity[1:] <= 0))
    caption = "Growth is positive, melting negative. "
    if len(changes):
        k = changes[0]
        zero = kelvin[k] + velocity[k] * (kelvin[k + 1] - kelvin[k]) / (velocity[k] - velocity[k + 1])
        caption += f"A straight line between two runs is zero at {zero:.0f} K."
    else:
        caption += "No two neighbors differ in sign: the melting temperature lies outside of this range."
    section.blocks.append(Figure(figure, caption))
    return section


def _structure(members: list[Member]) -> Section:
    """The main numbers of every run's analyzed stages."""
    section, rows = Section("structure", "Structure"), []
    for member in members:
        for path in sorted((member.folder / "analysis").glob("*.json")):
            numbers = json.loads(path.read_text(encoding="utf-8"))
            values = [numbers.get(key) for key in MEASURES]
            if any(value is not None for value in values):
                rows.append([member.name, numbers["stage"], *(fixed(value, 3) for value in values)])
    if rows:
        heads = ["Run", "Stage", *(key.replace("_", " ") for key in MEASURES)]
        section.blocks.append(Table(heads, rows, "Numbers of nvnmd pcm analyze", text_columns=(0, 1)))
    return section
