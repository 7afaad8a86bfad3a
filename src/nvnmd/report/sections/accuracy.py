"""Energies and forces of the float and the integer model against DFT."""

from __future__ import annotations

from typing import Any

import numpy as np

from nvnmd.report.blocks import Figure, Missing, Section, Table, Text
from nvnmd.report.plots import INK, POINTS, styled, subplots, to_svg
from nvnmd.report.run import Evaluation, Run
from nvnmd.report.text import NONE, fixed

BARS = {"force_rmse": 1.02, "energy_rmse": 1.05}
"""The most that quantization may cost: RMSE of the integer model over that of the float model."""


def accuracy(run: Run) -> Section:
    """Parity plots, and errors by system with the ratio of integer to float."""
    section = Section("accuracy", "Accuracy")
    section.blocks += [
        Missing(f"the evaluation of the {kind} model", f"evaluate/{kind}/evaluation.json and predictions.npz")
        for kind in ("float", "integer")
        if kind not in run.evaluations
    ]
    if run.evaluations:
        caption = (
            "Each point is a frame (energy, relative to the mean DFT energy per atom) or a force component. "
            "Full color: frames that the model has not seen; pale: training frames."
        )
        section.blocks += [Figure(_parity(run.evaluations), caption), _table(run.evaluations)]
    if len(run.evaluations) == 2:
        section.blocks.append(Text(_verdict(run.evaluations)))
    return section


def _parity(evaluations: dict[str, Evaluation]) -> str:
    with styled():
        canvas, axes = subplots(2, len(evaluations), 4.8 * len(evaluations), 8.6)
        names = sorted({_group(s["name"]) for e in evaluations.values() for s in e.errors["systems"]})
        colors = {name: POINTS[k % len(POINTS)] for k, name in enumerate(names)}
        for column, (kind, evaluation) in enumerate(evaluations.items()):
            for axis, quantity in zip(axes[:, column], ("energy", "force"), strict=True):
                _draw_parity(axis, evaluation, quantity, colors)
                axis.set_title(f"{quantity}, {kind} model")
        handles = [_marker(color) for color in colors.values()]
        canvas.legend(handles, list(colors), loc="outside upper left", ncols=min(6, len(colors)), handletextpad=0.2)
        return to_svg(canvas, "Parity of energies and forces against DFT")


def _marker(color: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", marker="o", color=color, markersize=6)


def _group(name: str) -> str:
    """Systems of one name, numbered or cut into parts, share a color."""
    return name.split(" (")[0].split("#")[0]


def _draw_parity(axis: Any, evaluation: Evaluation, quantity: str, colors: dict[str, str]) -> None:
    unit = "eV/atom" if quantity == "energy" else "eV/Å"
    low, high = np.inf, -np.inf
    systems = sorted(evaluation.errors["systems"], key=lambda system: system["part"] != "train")
    references = _references(evaluation)
    for system in systems:
        name = system["name"]
        dft, predicted = (evaluation.arrays[f"{name}/{quantity}_{kind}"].ravel() for kind in ("dft", "pred"))
        if quantity == "energy":
            dft, predicted = (values / system["atoms"] - references[name] for values in (dft, predicted))
        seen = system["part"] == "train"
        size = (14 if seen else 22) if quantity == "energy" else 5
        alpha = 0.3 if seen else 0.85
        if quantity == "force":  # so many points that they cover each other
            alpha *= float(np.clip((4000 / dft.size) ** 0.5, 0.3, 0.8))
        color = colors[_group(name)]
        axis.scatter(dft, predicted, s=size, color=color, alpha=alpha, linewidths=0, rasterized=True)
        low, high = min(low, dft.min(), predicted.min()), max(high, dft.max(), predicted.max())
    margin = 0.04 * (high - low)
    limits = (low - margin, high + margin)
    axis.plot(limits, limits, color=INK, linewidth=0.8, zorder=0.5)
    axis.set(xlim=limits, ylim=limits, aspect="equal", xlabel=f"DFT ({unit})", ylabel=f"model ({unit})")


def _references(evaluation: Evaluation) -> dict[str, float]:
    """For each system the mean DFT energy per atom of all systems whose energies lie within 0.5 eV/atom of its own."""
    means = {
        s["name"]: evaluation.arrays[f"{s['name']}/energy_dft"].mean() / s["atoms"]
        for s in evaluation.errors["systems"]
    }
    return {
        name: float(np.mean([other for other in means.values() if abs(other - mean) < 0.5]))
        for name, mean in means.items()
    }


def _table(evaluations: dict[str, Evaluation]) -> Table:
    first = next(iter(evaluations.values()))
    entries = [(system["name"], system["part"], system["n_frames"]) for system in first.errors["systems"]]
    entries += [("all", part, errors["n_frames"]) for part, errors in first.parts.items()]
    rows = []
    for name, part, frames in entries:
        row = [name, part, str(frames)]
        for key, digits in (("energy_rmse", 2), ("force_rmse", 1)):
            values = [_error(evaluations.get(kind), name, part, key) for kind in ("float", "integer")]
            row += [fixed(value, digits, 1000) for value in values]
            row.append(fixed(values[1] / values[0], 3) if values[0] and values[1] else NONE)
        rows.append(row)
    columns = ["System", "Part", "Frames", "Energy, float|meV/atom", "integer|meV/atom", "ratio"]
    columns += ["Force, float|meV/Å", "integer|meV/Å", "ratio"]
    return Table(columns, rows, "Root-mean-square errors of the float and the integer model", text_columns=(0, 1))


def _error(evaluation: Evaluation | None, name: str, part: str, key: str) -> float | None:
    if evaluation is None:
        return None
    if name == "all":
        return float(evaluation.parts[part][key]) if part in evaluation.parts else None
    found = [system[key] for system in evaluation.errors["systems"] if (system["name"], system["part"]) == (name, part)]
    return float(found[0]) if found else None


def _verdict(evaluations: dict[str, Evaluation]) -> str:
    part = evaluations["integer"].test_part
    sentences = []
    for key, bar in BARS.items():
        before, after = (_error(evaluations[kind], "all", part, key) for kind in ("float", "integer"))
        if before and after:
            verdict = "within" if after / before <= bar else "beyond"
            quantity = key.split("_")[0]
            sentences.append(f"{quantity} RMSE {after / before:.3f} × the float model's, {verdict} the bar of {bar:g}")
    return f"Cost of quantization on the {part.replace(' ', '-')} frames: {'; '.join(sentences)}."
