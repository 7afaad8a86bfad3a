"""The frames that the model was trained and tested on."""

from __future__ import annotations

from typing import Any

import numpy as np

from nvnmd.report.blocks import Missing, Section, Table
from nvnmd.report.run import Evaluation, Run
from nvnmd.report.text import NONE, short_hash

_PARTS = {"training_data": "train", "validation_data": "held out"}


def data(run: Run) -> Section:
    """Systems with their sizes, hashes and the range of their labels."""
    section = Section("data", "Data")
    evaluation = run.evaluations.get("integer") or run.evaluations.get("float")
    if run.float_provenance is None:
        section.blocks.append(Missing("names, sizes and hashes of the training frames", "train/model.safetensors"))
    else:
        section.blocks.append(_provenance(run.float_provenance))
    if evaluation is None:
        section.blocks.append(Missing("the range of energies and forces", "evaluate/*/predictions.npz"))
    else:
        section.blocks.append(_ranges(evaluation))
    return section


def _provenance(provenance: dict[str, Any]) -> Table:
    rows = [
        [entry["name"], part, str(entry["frames"]), entry.get("label", NONE), short_hash(entry.get("sha256"))]
        for key, part in _PARTS.items()
        for entry in provenance.get(key, [])
    ]
    columns = ["System", "Part", "Frames", "Labels", "SHA-256 of the numbers"]
    return Table(columns, rows, "Frames as the trainer split them", text_columns=(0, 1, 3, 4))


def _ranges(evaluation: Evaluation) -> Table:
    rows = []
    for system in evaluation.errors["systems"]:
        name, atoms = system["name"], system["atoms"]
        energy = evaluation.arrays[f"{name}/energy_dft"] / atoms
        force = np.linalg.norm(evaluation.arrays[f"{name}/force_dft"].reshape(-1, 3), axis=1)
        virial = "yes" if f"{name}/virial_dft" in evaluation.arrays else "no"
        size = [str(system["n_frames"]), str(atoms)]
        spread = [f"{energy.mean():.4f}", f"{energy.max() - energy.min():.4f}"]
        strength = [f"{np.sqrt(np.mean(force**2) / 3):.3f}", f"{force.max():.2f}"]
        rows.append([name, system["part"], *size, *spread, *strength, virial])
    columns = ["System", "Part", "Frames", "Atoms", "Mean energy|eV/atom", "Energy range|eV/atom"]
    columns += ["Force RMS|eV/Å", "Largest force|eV/Å", "Virial"]
    return Table(columns, rows, "Range of the DFT labels", text_columns=(0, 1))
