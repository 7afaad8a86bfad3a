"""hls4ml's profiling plots of our layers: distribution of words against the range of their types.

``hls4ml.model.profiling.numerical`` converts the original network once more to compare before and after optimization; a
graph that was made from a layer list has none, so its parts are called here.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.fpga.hls.traced import TracedProject
from nvnmd.quantize.reference import AtomInput


def save_profiles(project: TracedProject, atoms: Sequence[AtomInput], folder: Path) -> list[Path]:
    """Write ``weights.png`` and ``activations.png`` and return their paths. Needs pandas and seaborn."""
    import matplotlib as mpl

    mpl.use("Agg")
    from hls4ml.model import profiling

    folder.mkdir(parents=True, exist_ok=True)
    graph = project.graph
    with contextlib.redirect_stdout(io.StringIO()):
        weights = profiling.weights_hlsmodel(graph, fmt="summary", plot="boxplot")
        activations = profiling.activations_hlsmodel(graph, np.ascontiguousarray(project.inputs(atoms)), fmt="summary")
    weights = [one for one in weights if one["layer"] != "packet_in"]
    activations = [one for one in activations if not one["weight"].startswith("packet_")]
    return [
        _plot(profiling, weights, profiling.types_hlsmodel(graph), "weights and tables", folder / "weights.png"),
        _plot(profiling, activations, profiling.activation_types_hlsmodel(graph), "words", folder / "activations.png"),
    ]


def _plot(profiling: Any, data: list[dict[str, Any]], types: Any, title: str, path: Path) -> Path:
    import matplotlib.pyplot as plt

    figure = profiling.boxplot(data, fmt="summary")
    profiling.types_boxplot(types, fmt="summary")
    figure.set_size_inches(8, 0.25 * len(data) + 1.5)
    plt.title(f"Distribution of nonzero {title}; gray: range of the type")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
