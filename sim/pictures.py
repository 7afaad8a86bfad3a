"""Pictures of simulated steps; matplotlib is loaded when one is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_MARKS = "osD^vP*"


def _figure(width: float, height: float, columns: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def _save(figure: Any, path: Path) -> None:
    temporary = path.with_name(f".{path.name}")
    figure.savefig(temporary, format=path.suffix[1:], dpi=150)
    temporary.replace(path)


def draw_stalls(path: Path, found: Mapping[str, Any], title: str) -> None:
    """Draw what waits for what, and what is busy, from ``summarize``."""
    figure, (left, right) = _figure(12, 5, 2)
    for axis, shares, name in (
        (left, found["waits"], "a beat waits, % of the cycles"),
        (right, found["busy"], "busy, % of the step"),
    ):
        names = list(shares)[::-1]
        bars = axis.barh(names, [100 * shares[name] for name in names], color="#4477aa")
        axis.bar_label(bars, fmt="%.1f", padding=2, fontsize=8)
        axis.set_xlim(0, 115)
        axis.set_xlabel(name)
    figure.suptitle(f"{title}: simulated, {found['seconds_per_step_per_atom']:.3g} s/step/atom")
    _save(figure, path)


def draw_front(path: Path, points: Sequence[Mapping[str, Any]], letter: float) -> None:
    """Draw a sweep: multipliers against time with the front, and time against neighbors.

    Args:
        path: a PNG, PDF or SVG.
        points: of ``sweep``.
        letter: s/step/atom to compare with.
    """
    figure, (left, right) = _figure(12, 5, 2)
    middle = sorted({point["neighbors"] for point in points})
    at = middle[len(middle) // 2]
    chosen = [point for point in points if point["neighbors"] == at]
    for number, clock in enumerate(sorted({point["clock_mhz"] for point in chosen})):
        some = [point for point in chosen if point["clock_mhz"] == clock]
        times = [point["seconds_per_step_per_atom"] for point in some]
        mark = _MARKS[number % len(_MARKS)]
        left.plot(times, [point["dsp"] for point in some], mark, alpha=0.6, label=f"{clock:g} MHz")
    front = sorted((p for p in chosen if p["on_front"]), key=lambda p: p["seconds_per_step_per_atom"])
    left.plot([p["seconds_per_step_per_atom"] for p in front], [p["dsp"] for p in front], "k-", label="front")
    left.axvline(letter, color="#aa3377", linestyle="--", label="the letter")
    left.set(xscale="log", xlabel="s/step/atom, simulated", ylabel="multipliers (DSP48E2), counted")
    left.set_title(f"{at} neighbors")
    left.legend(fontsize=8)
    clock = max(point["clock_mhz"] for point in points)
    kinds = sorted({(p["target_cycles"], p["lanes"]) for p in points})
    for number, (target, lanes) in enumerate(kinds):
        some = [p for p in points if (p["target_cycles"], p["lanes"], p["clock_mhz"]) == (target, lanes, clock)]
        values = [p["seconds_per_step_per_atom"] for p in some]
        line = _MARKS[lanes % len(_MARKS)] + "-"
        right.plot([p["neighbors"] for p in some], values, line, color=f"C{number % 10}", label=f"II {target}, {lanes}")
    right.set(yscale="log", xlabel="neighbors", ylabel="s/step/atom, simulated", title=f"{clock:g} MHz; II, lanes")
    right.legend(fontsize=6, ncols=3)
    _save(figure, path)
