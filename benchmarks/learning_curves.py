"""Draw how force errors fall with steps, size of the network and number of frames, from results/accuracy.json.

    python benchmarks/learning_curves.py            docs/results/learning-curves/force.svg

Errors are of float models on held-out systems, trained with limit_pref_e up to 5. The lines between measured
points guide the eye.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from records import RESULTS

TARGET = Path(__file__).parents[1] / "docs/results/learning-curves/force.svg"
MOST_ENERGY = 5  # runs with more weight on energies give forces up for them
MARKERS = "osD^v"
Record = dict[str, Any]


def lines_by(records: list[Record], *keys: str) -> dict[tuple[Any, ...], list[Record]]:
    """Records grouped by what stays the same along a line."""
    grouped: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        grouped.setdefault(tuple(record[key] for key in keys), []).append(record)
    return grouped


def draw(records: list[Record], path: Path) -> None:
    """One panel of steps and one of frames for every held-out group of systems."""
    from matplotlib.figure import Figure

    groups = list(records[0]["errors"]["float"])
    figure = Figure(figsize=(4 * len(groups), 6.4), layout="constrained")
    axes = figure.subplots(2, len(groups), sharey="col")
    for column, group in enumerate(groups):
        whole = lines_by([r for r in records if r["share"] == 1], "network", "rcut")
        _panel(axes[0][column], whole, "steps", group)
        parts = {key: line for key, line in lines_by(records, "network", "rcut", "steps").items() if len(line) > 1}
        _panel(axes[1][column], {k: v for k, v in parts.items() if any(r["share"] < 1 for r in v)}, "share", group)
        axes[0][column].set_title(group)
        axes[0][column].set_xlabel("steps")
        axes[1][column].set_xlabel("share of the frames trained on")
    for row in axes:
        row[0].set_ylabel("force RMSE, meV/Å")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _panel(axes: Any, lines: dict[tuple[Any, ...], list[Record]], along: str, group: str) -> None:
    for number, (key, unordered) in enumerate(sorted(lines.items())):
        line = sorted(unordered, key=lambda r: (r[along], r["energy_weight"]))
        name = f"{key[0]}, {key[1]:g} Å, {line[0]['products']:,} products" + (f", {key[2]:,} steps" if key[2:] else "")
        values = [r["errors"]["float"][group]["force"] for r in line]
        axes.plot([r[along] for r in line], values, MARKERS[number % len(MARKERS)] + "-", label=name)
    axes.set_xscale("log")
    measured = sorted({r[along] for line in lines.values() for r in line})
    axes.set_xticks(measured, [f"{100 * x:g} %" if along == "share" else f"{x:,}" for x in measured], rotation=20)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    if lines:
        axes.legend(fontsize="x-small")


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    options = parser.parse_args()
    records = json.loads((RESULTS / "accuracy.json").read_text())["records"]
    draw([r for r in records if r["energy_weight"] <= MOST_ENERGY], options.output)
    print(options.output)


if __name__ == "__main__":
    main()
