"""The model card."""

from __future__ import annotations

import json
from typing import Any

from nvnmd.report.blocks import Folded, Missing, Section, Table
from nvnmd.report.run import Run
from nvnmd.report.text import fixed, short_hash
from nvnmd.training.files import file_digest


def model(run: Run) -> Section:
    """What the model is, where it comes from, and how good it is."""
    section = Section("model", "Model card")
    if run.integer_header is None:
        section.blocks.append(Missing("the integer model", "quantize/model.nvnmd"))
    else:
        section.blocks.append(_integer(run, run.integer_header))
        formats = json.dumps(run.integer_header["formats"], indent=1)
        section.blocks.append(Folded("Number formats: width and fraction bits of every word", formats))
        origin = json.dumps(run.integer_header.get("provenance", {}), indent=1)
        section.blocks.append(Folded("Origin of the integer model: settings, data, versions", origin))
    if run.float_provenance is None:
        section.blocks.append(Missing("the float model and its settings", "train/model.safetensors"))
    else:
        section.blocks += [_float(run, run.float_provenance), _settings(run.float_provenance)]
    if run.evaluations:
        section.blocks.append(_errors(run))
    return section


def _integer(run: Run, header: dict[str, Any]) -> Table:
    file = run.path("quantize/model.nvnmd")
    rows = [
        ["File", f"{file.name}, {file.stat().st_size / 1024:.0f} KiB, format version {header['version']}"],
        ["SHA-256", file_digest(file)],
        ["Elements", " ".join(header["type_map"])],
        ["Cutoff", f"{header['rcut_A']:g} Å, at most {header['max_neighbors']} neighbors"],
    ]
    provenance = header.get("provenance") or {}
    rows += [[key, str(value)] for key, value in provenance.items() if isinstance(value, (str, int, float))]
    return Table(["Integer model", ""], rows, text_columns=(0, 1))


def _float(run: Run, provenance: dict[str, Any]) -> Table:
    settings = provenance.get("settings", {})
    descriptor = settings.get("model", {}).get("descriptor", {})
    fitting = settings.get("model", {}).get("fitting_net", {})
    training = settings.get("training", {})
    rows = [
        ["SHA-256", file_digest(run.path("train/model.safetensors"))],
        ["Descriptor", _describe(descriptor, ("type", "rcut_smth", "rcut", "sel", "neuron", "axis_neuron"))],
        ["Fitting network", _describe(fitting, ("neuron", "activation_function", "resnet_dt"))],
        ["Training", _describe(training, ("numb_steps", "seed"))],
        ["Steps done", str(provenance.get("steps", "–"))],
        ["Versions", ", ".join(f"{name} {provenance[name]}" for name in ("nvnmd", "torch") if name in provenance)],
    ]
    return Table(["Float model", ""], rows, text_columns=(0, 1))


def _describe(section: dict[str, Any], keys: tuple[str, ...]) -> str:
    found = [f"{key} {_short(section[key])}" for key in keys if section.get(key) is not None]
    return ", ".join(found) or "–"


def _short(value: Any) -> str:
    return "×".join(map(str, value)) if isinstance(value, list) else str(value)


def _settings(provenance: dict[str, Any]) -> Folded:
    return Folded("All training settings", json.dumps(provenance.get("settings", {}), indent=1))


def _errors(run: Run) -> Table:
    rows = []
    for kind, evaluation in run.evaluations.items():
        for part, errors in evaluation.parts.items():
            digits = [errors[key] for key in ("energy_rmse", "energy_mae", "force_rmse", "force_mae", "virial_rmse")]
            numbers = [fixed(value, 2, 1000) for value in digits]
            rows.append(
                [kind, part, str(errors["n_frames"]), *numbers, short_hash(evaluation.errors["model"]["sha256"])]
            )
    columns = ["Model", "Part", "Frames", "Energy RMSE|meV/atom", "MAE|meV/atom", "Force RMSE|meV/Å", "MAE|meV/Å"]
    columns += ["Virial RMSE|meV/atom", "Model hash"]
    return Table(columns, rows, "Errors against DFT", text_columns=(0, 1))
