"""The model file ``*.nvnmd``: a safetensors file with integer tensors and JSON metadata (docs/model_file.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nvnmd.quantize.errors import ModelFileError, QuantizeError
from nvnmd.quantize.header import VERSION, parse_header, write_header
from nvnmd.quantize.integer_model import IntegerModel

_DTYPES = {
    "feature.coef": np.int16,
    "gate": np.int16,
    "fit.out.weight": np.int16,
    "tanh.coef": np.int16,
    "energy_bias": np.int64,
}


def _dtype(name: str) -> type:
    return np.int16 if name.startswith("fit.weight.") else _DTYPES.get(name, np.int32)


def to_bytes(model: IntegerModel) -> bytes:
    """Serialize a model after checking it.

    Raises:
        QuantizeError: the model breaks a guarantee of docs/numerics.md.
    """
    model.validate()
    tensors: dict[str, Any] = {
        name: np.ascontiguousarray(array, dtype=_dtype(name)) for name, array in model.tensors.items()
    }
    for name, array in tensors.items():
        if not np.array_equal(array, model.tensors[name]):
            raise QuantizeError(f"integer model: {name} does not fit {array.dtype}")
    return save(tensors, metadata={"nvnmd": json.dumps(write_header(model), sort_keys=True)})


def save_model(model: IntegerModel, path: str | Path) -> None:
    """Write a model file atomically: the file is either whole or not there.

    Raises:
        QuantizeError: the model breaks a guarantee.
        ModelFileError: the folder cannot be written.
    """
    from nvnmd.training.model_file import write_atomically  # brings torch, which reading does not need

    path, data = Path(path), to_bytes(model)
    try:
        write_atomically(path, data)
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot write the model file ({error.strerror}); check that the folder exists and has space"
        ) from error


def read_header(path: str | Path) -> dict[str, Any]:
    """Return the JSON metadata of a model file without reading its tensors.

    Raises:
        ModelFileError: not a readable model file of a known version.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"{path}: no such model file")
    try:
        with safe_open(path, framework="np") as file:
            raw = (file.metadata() or {}).get("nvnmd")
        header = json.loads(raw) if raw else None
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: not a model file, or truncated ({error}); copy or build it again") from error
    if not isinstance(header, dict) or header.get("format") != "nvnmd":
        raise ModelFileError(f"{path}: a safetensors file, but not an nvnmd model; 'nvnmd quantize' writes one")
    if type(header.get("version")) is not int or header["version"] != VERSION:
        raise ModelFileError(
            f"{path}: model file version {header.get('version')}; this release reads version {VERSION}. Update nvnmd"
        )
    return header


def load_model(path: str | Path) -> IntegerModel:
    """Read and check a model file.

    Raises:
        ModelFileError: missing, truncated, wrong version, missing tensor, or a broken guarantee.
    """
    header = read_header(path)
    try:
        with safe_open(Path(path), framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        model = _build(header, tensors).validate()
        if unknown := sorted(tensors.keys() - model.tensors.keys()):
            raise QuantizeError(f"unknown tensor {unknown[0]}; was the file written by this version?")
        return model
    except KeyError as error:
        raise ModelFileError(f"{path}: {error} is missing; the file is damaged") from error
    except (SafetensorError, OSError, QuantizeError, TypeError, ValueError, IndexError) as error:
        raise ModelFileError(f"{path}: {error}") from error


def _build(header: dict[str, Any], tensors: dict[str, Any]) -> IntegerModel:
    fields = parse_header(header)
    layers = range(1, len(fields["skip"]) + 1)
    for name, array in tensors.items():
        if array.dtype != _dtype(name):
            raise QuantizeError(f"{name} is {array.dtype}, not {np.dtype(_dtype(name))}")
    return IntegerModel(
        feature_coef=tensors["feature.coef"],
        scalar_coef=tensors["scalar.coef"],
        guard_coef=tensors["guard.coef"],
        feature_table=tensors["feature.table"],
        scalar_table=tensors["scalar.table"],
        guard_table=tensors["guard.table"],
        gate=tensors.get("gate"),
        weights=tuple(tensors[f"fit.weight.{layer}"] for layer in layers),
        biases=tuple(tensors[f"fit.bias.{layer}"] for layer in layers),
        out_weight=tensors["fit.out.weight"],
        out_bias=tensors["fit.out.bias"],
        energy_bias=tensors["energy_bias"],
        tanh_coef=tensors["tanh.coef"],
        **fields,
    )
