"""One vector for a structure: the descriptor of its atoms, averaged by element."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nvnmd.training.data import model_types
from nvnmd.training.descriptor import descriptor
from nvnmd.training.model import DeepPot
from nvnmd.training.model_file import load_model
from nvnmd.training.prepare import prepare_frame
from nvnmd.training.system import System

Floats = NDArray[np.float64]


class StructureVectors:
    """Mean descriptor D of the atoms of each element, times the root of the element's share, by a float model.

    Args:
        model: file of the float model whose descriptor is taken.
    """

    def __init__(self, model: Path) -> None:
        self._model: DeepPot = load_model(model)

    def __call__(self, system: System) -> Floats:
        """[n_frames, n_types * M1 * M2] of a system; elements that it has not give zeros."""
        model, types = self._model, model_types(system, self._model.shape.type_map)
        dtype, counts = next(model.parameters()).dtype, np.bincount(types, minlength=model.shape.n_types)
        rows = []
        for k in range(system.n_frames):
            batch = prepare_frame(
                system.positions[k], system.cells[k], types, model.cutoffs(), system.periodic, dtype=dtype
            )
            with torch.no_grad():
                value, _ = model.embedding(batch.padded, model.shape.nets, model.gate)
                x = torch.bmm(batch.padded.rows, value) / model.shape.n_neighbors
                rows.append(descriptor(x, model.shape.axis_neuron).double().numpy())
        return np.array([_by_element(row, counts) for row in rows])


def _by_element(rows: Floats, counts: NDArray[np.int64]) -> Floats:
    """A prepared frame has its atoms sorted by type."""
    ends = np.cumsum(counts)
    means = [
        rows[end - n : end].mean(axis=0) * np.sqrt(n / len(rows)) if n else np.zeros(rows.shape[1])
        for n, end in zip(counts, ends, strict=True)
    ]
    return np.concatenate(means)
