"""Frozen models of DeePMD-kit's TensorFlow backend (*.pb)."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.training.deepmd.graph_def import constants
from nvnmd.training.deepmd.source import Array, DeepmdError, DeepmdModel, Layer, Net, check_form

TYPE_MAP, OUT_BIAS = "model_attr/tmap", "model_attr/t_out_bias"  # the latter under different rooms, or not at all


def read_frozen(path: Path) -> DeepmdModel:
    """Read a frozen graph by the names that DeePMD-kit 2 and 3 give their variables.

    Raises:
        DeepmdError: another kind of graph or model.
    """
    found = constants(path.read_bytes())
    if b"compressed" in bytes(found.get("model_type", b"")):
        raise DeepmdError("the model is compressed: tables stand for its networks; give the model before dp compress")
    script = found.get("train_attr/training_script")
    if not isinstance(script, bytes):
        raise DeepmdError("it has no training script; freeze the model with DeePMD-kit 2.0 or later")
    settings: dict[str, Any] = json.loads(script)["model"]
    check_form(settings)
    if TYPE_MAP in found:
        settings["type_map"] = bytes(found[TYPE_MAP]).decode().split()
    arrays = {name: value for name, value in found.items() if not isinstance(value, bytes)}
    types = range(len(settings.get("type_map", ())))
    if settings["descriptor"].get("type_one_side", False):
        embedding = [_embedding(arrays, "filter_type_all", neighbor) for neighbor in types]
    else:
        embedding = [_embedding(arrays, f"filter_type_{a}", b) for a, b in itertools.product(types, types)]
    out_bias = next((value for name, value in arrays.items() if name.endswith(OUT_BIAS)), 0.0)
    energies = np.array(_get(arrays, "fitting_attr/t_bias_atom_e"), np.float64).ravel()
    return DeepmdModel(
        settings=settings,
        skip_in_first=False,
        embedding=embedding,
        fitting=[_fitting(arrays, kind) for kind in types],
        mean=_get(arrays, "descrpt_attr/t_avg").reshape(len(types), -1, 4),
        deviation=_get(arrays, "descrpt_attr/t_std").reshape(len(types), -1, 4),
        energies=energies + np.ravel(out_bias),
    )


def _embedding(arrays: dict[str, Array], room: str, neighbor: int) -> Net:
    found = itertools.takewhile(lambda k: k == 1 or f"{room}/matrix_{k}_{neighbor}" in arrays, itertools.count(1))
    return tuple(
        Layer(
            _get(arrays, f"{room}/matrix_{k}_{neighbor}"),
            _get(arrays, f"{room}/bias_{k}_{neighbor}"),
            arrays.get(f"{room}/idt_{k}_{neighbor}"),
        )
        for k in found
    )


def _fitting(arrays: dict[str, Array], kind: int) -> Net:
    hidden = itertools.takewhile(lambda k: f"layer_{k}_type_{kind}/matrix" in arrays, itertools.count())
    rooms = [*(f"layer_{k}_type_{kind}" for k in hidden), f"final_layer_type_{kind}"]
    return tuple(
        Layer(_get(arrays, f"{room}/matrix"), _get(arrays, f"{room}/bias"), arrays.get(f"{room}/idt")) for room in rooms
    )


def _get(arrays: dict[str, Array], name: str) -> Array:
    if name not in arrays:
        raise DeepmdError(f"it has no array {name}; only models with one net per type (or pair of types) can be read")
    return arrays[name]
