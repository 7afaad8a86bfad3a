"""The float model on disk: a safetensors file of parameters with JSON metadata.

Format 1. Metadata keys: `format` ("nvnmd-float"), `version`, `shape` (`ModelShape`), `guard` (charges, r_in, r_out) and
`provenance` (whatever the trainer knows of settings and data). Tensors have the names of `DeepPot.arrays()`:

    embedding.weights.L   [n_nets, n_in, n_out]     embedding.biases.L  [n_nets, n_out]
    fitting.weights.L     [n_types, n_in, n_out]    fitting.biases.L    [n_types, n_out]
    gate                  [n_types^2, M1]           only in the se_atten form
    radial_scale, angular_scale, energy_shifts      [n_types] float64
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.errors import NvnmdError
from nvnmd.training.files import write_atomically, write_json
from nvnmd.training.guard import Guard
from nvnmd.training.model import DeepPot, ModelShape

__all__ = ["ModelFileError", "load_model", "read_provenance", "save_model", "write_atomically", "write_json"]

FORMAT, VERSION = "nvnmd-float", 1


class ModelFileError(NvnmdError, ValueError):
    """A model file that cannot be read."""


def save_model(model: DeepPot, path: Path, provenance: dict[str, Any] | None = None) -> None:
    """Write a float model atomically; `provenance` is any JSON value."""
    from safetensors.numpy import save

    guard = {f.name: getattr(model.guard, f.name).tolist() for f in dataclasses.fields(Guard)}
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "shape": json.dumps(dataclasses.asdict(model.shape)),
        "guard": json.dumps(guard),
        "provenance": json.dumps(provenance or {}),
    }
    write_atomically(path, save(model.arrays(), metadata))


def load_model(path: Path) -> DeepPot:
    """Read a float model; parameters keep the dtype they were saved with.

    Raises:
        ModelFileError: missing, truncated, of another kind or version, or with tensors of wrong sizes.
    """
    arrays, metadata = _read(path)
    try:
        sizes: dict[str, Any] = json.loads(metadata["shape"])
        sizes = {key: tuple(value) if isinstance(value, list) else value for key, value in sizes.items()}
        shape = ModelShape(**sizes)
        guard = Guard(
            **{key: np.array(value, dtype=np.float64) for key, value in json.loads(metadata["guard"]).items()}
        )
        return DeepPot.from_arrays(shape, guard, arrays)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{path} is damaged or was not written by nvnmd train: {error}") from None


def read_provenance(path: Path) -> dict[str, Any]:
    """What the trainer wrote about settings and data."""
    return json.loads(_read(path)[1].get("provenance", "{}"))  # type: ignore[no-any-return]


def _read(path: Path) -> tuple[dict[str, NDArray[np.floating]], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ModelFileError(f"no model at {path}") from None
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"cannot read {path} as a float model: {error}") from None
    if metadata.get("format") != FORMAT:
        raise ModelFileError(
            f"{path} is not a float model of nvnmd (format {metadata.get('format')!r}, not {FORMAT!r})"
        )
    if metadata.get("version") != str(VERSION):
        raise ModelFileError(f"{path} has version {metadata.get('version')}; this nvnmd reads version {VERSION}")
    return arrays, metadata
