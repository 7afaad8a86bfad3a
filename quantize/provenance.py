"""What an integer model file says of its own making."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.header import VERSION
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import load_model
from nvnmd.quantize.predict import predict as predict_integer
from nvnmd.training.evaluation import Evaluated, by_part, summary
from nvnmd.training.files import file_digest
from nvnmd.training.metrics import predict as predict_float
from nvnmd.training.model import DeepPot
from nvnmd.training.model_file import read_provenance
from nvnmd.training.setup import TrainingData


def provenance(model_path: Path, options: CompileOptions, data: dict[str, Any] | None = None) -> dict[str, Any]:
    """Where an integer model comes from: the float model's record, its hash, versions and options.

    Args:
        model_path: the float model.
        options: of the compiler.
        data: ``training_data`` and ``validation_data`` of fine-tuning, if they are not those of training.
    """
    packages = ("nvnmd", "brevitas", "torch", "numpy")
    return read_provenance(model_path) | {
        "float_model": {"file": model_path.name, "sha256": file_digest(model_path)},
        "quantize": {
            "versions": {name: version(name) for name in packages},
            "options": {name: getattr(options, name) for name in options.__dataclass_fields__},
        }
        | (data or {}),
    }


def measured_errors(model: DeepPot, integer: IntegerModel, data: TrainingData) -> dict[str, Any]:
    """Errors of float and integer model against the labels, by system and by part (train, held out), as JSON values.

    Units and names as in ``training.evaluation.Errors``; energies count from the reference of the model, to which the
    shifts of the data lead (``energy_reference``).
    """
    shifts = zip([*data.train, *data.validation], [*data.shifts, *data.validation_shifts], strict=True)
    parts = []
    for system, shift in shifts:
        added = (model.energy_shifts - shift)[system.types].sum()
        found = by_part(system, integer.provenance)
        parts += [(replace(piece, energies=piece.energies + added), part) for piece, part in found]
    predictors = {"float": lambda s: predict_float(model, s), "integer": lambda s: predict_integer(integer, s)}
    return {
        kind: summary([Evaluated(system, predict(system), part) for system, part in parts])
        for kind, predict in predictors.items()
    }


def model_card(path: str | Path) -> dict[str, Any]:
    """What is in a model file, as JSON values: sizes, formats, memory, and how it was made.

    Raises:
        ModelFileError: not a valid model file.
    """
    path = Path(path)
    model = load_model(path)
    bits = model.formats
    return {
        "file": path.name,
        "kind": "integer",
        "sha256": file_digest(path),
        "version": VERSION,
        "type_map": list(model.type_map),
        "form": "se_e2_a" if model.gate is None else "se_atten",
        "rcut": model.rcut_A,
        "table_start": (model.u_min / 2**bits.u_frac) ** 0.5,
        "max_neighbors": model.max_neighbors,
        "channels": model.m1,
        "axis_neuron": model.m2,
        "fitting_neuron": [w.shape[1] for w in model.weights],
        "weight_bits": bits.weight_bits,
        "table_rows": model.n_seg - (model.u_min >> 15),
        "feature_tables": len(model.feature_coef),
        "table_bytes": sum(array.nbytes for name, array in model.tensors.items() if name.endswith(".coef")),
        "weight_bytes": sum(array.nbytes for name, array in model.tensors.items() if name.startswith("fit.")),
        "force_lsb": 2.0**-bits.f_frac,
        "formats": bits.to_dict(),
        "fitting_multiplications": sum(w[0].size for w in model.weights) + model.out_weight[0].size,
        "file_bytes": path.stat().st_size,
        "provenance": model.provenance,
    }
