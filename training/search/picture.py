"""The picture of a search; matplotlib is loaded when it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def draw(path: Path, found: Mapping[str, Any]) -> None:
    """Draw force RMSE against multiply-accumulates, colored by weight bits, and against those of the fitting net.

    Args:
        path: a PNG, PDF or SVG; written whole or not at all.
        found: what search.json holds.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    figure = Figure(figsize=(12, 5), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    labels = ("all stages", "fitting net")
    for axis, label in zip(axes, labels, strict=True):
        points = _panel(axis, found, label == "fitting net")
        axis.set(xscale="log", xlabel=f"multiply-accumulates per atom, forward, {label}")
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
    axes[0].set_ylabel("force RMSE of held-out frames, meV/Å")
    axes[1].axvline(49280 / 4, color="#bbbbbb", linestyle=":", label="a quarter of the letter's")
    if points is not None:
        bits = sorted({trial["network"]["weight_bits"] for trial in found["trials"] if trial["state"] == "complete"})
        figure.colorbar(points, ax=axes, label="bits of a weight", ticks=bits)
    axes[1].legend(fontsize=8)
    steps = found["settings"]["steps"]
    figure.suptitle(f"{len(found['trials'])} trials of {steps} steps; weights rounded, the rest in FP32")
    temporary = path.with_name(f".{path.name}")
    figure.savefig(temporary, format=path.suffix[1:], dpi=150)
    temporary.replace(path)


def _panel(axis: Any, found: Mapping[str, Any], fitting: bool) -> Any:
    """One panel; returns the colored points, or None without a complete trial."""

    def at(trial: Mapping[str, Any]) -> tuple[float, float]:
        return trial["cost"]["fitting"] if fitting else trial["macs"], 1000 * trial["force_rmse"]

    complete = [t for t in found["trials"] if t["state"] == "complete"]
    front = [t for t in complete if t["number"] in found["front"]]
    points = None
    if complete:
        bits = [t["network"]["weight_bits"] for t in complete]
        points = axis.scatter(*zip(*map(at, complete), strict=True), c=bits, s=22, cmap="viridis")
        axis.scatter(
            *zip(*map(at, front), strict=True),
            s=70,
            facecolors="none",
            edgecolors="k",
            label="front",
        )
    letter = at(found["reference"])
    axis.plot(*letter, "*", color="#aa3377", markersize=15, label="the letter's network")
    axis.axhline((1 + found["tolerance"]) * letter[1], color="#aa3377", linestyle="--", linewidth=0.8)
    for trial in (t for t in complete if t["number"] == found["recommended"]):
        axis.plot(*at(trial), "D", color="#ee6677", markersize=11, fillstyle="none", label="recommended")
    return points
