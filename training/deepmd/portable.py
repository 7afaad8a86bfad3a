"""DeePMD-kit's own portable form (*.dp, *.yaml), which `dp convert-backend` makes of any of its models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.training.deepmd.source import Array, DeepmdError, DeepmdModel, Layer, Net, check_form, pair_order


def read_portable(path: Path) -> DeepmdModel:
    """Read a portable model.

    Raises:
        DeepmdError: not such a file, another model, or a *.dp without h5py to read it.
    """
    content = _read_yaml(path) if path.suffix.lower() in (".yaml", ".yml") else _read_hdf5(path)
    try:
        return _model(content)
    except (KeyError, TypeError, IndexError) as error:
        raise DeepmdError(f"it is not laid out as DeePMD-kit 3 does: {error!r}") from None


def _model(content: dict[str, Any]) -> DeepmdModel:
    model, settings = content["model"], dict(content.get("model_def_script") or {})
    parts = {"descriptor": model.get("descriptor", {}), "fitting_net": model.get("fitting", {})}
    for name, part in parts.items():
        plain = {key: value for key, value in part.items() if not isinstance(value, dict) and not key.startswith("@")}
        settings[name] = {**settings.get(name, {}), **plain}
    settings |= {key: model[key] for key in ("type", "pair_exclude_types", "atom_exclude_types") if key in model}
    check_form(settings)
    settings["type_map"] = list(model["type_map"])
    descriptor, fitting = parts["descriptor"], parts["fitting_net"]
    n_types = len(settings["type_map"])
    nets = descriptor["embeddings"]["networks"]
    return DeepmdModel(
        settings=settings,
        skip_in_first=content.get("backend") != "TensorFlow",
        embedding=[_net(nets[k]) for k in pair_order(n_types, descriptor["type_one_side"])],
        fitting=[_net(net) for net in fitting["nets"]["networks"]],
        mean=descriptor["@variables"]["davg"],
        deviation=descriptor["@variables"]["dstd"],
        energies=np.ravel(fitting["@variables"]["bias_atom_e"]) + np.ravel(model["@variables"]["out_bias"]),
    )


def _net(net: dict[str, Any]) -> Net:
    layers = [layer["@variables"] for layer in net["layers"]]
    return tuple(Layer(layer["w"], layer["b"], layer.get("idt")) for layer in layers)


def _read_hdf5(path: Path) -> dict[str, Any]:
    try:
        import h5py
    except ImportError:
        raise DeepmdError(
            "reading *.dp needs h5py (pip install h5py); dp convert-backend can write *.yaml instead"
        ) from None
    try:
        with h5py.File(path, "r") as file:
            return dict(_replace(json.loads(file.attrs["json"]), lambda name: np.asarray(file[name])))
    except (OSError, KeyError, ValueError) as error:
        raise DeepmdError(f"it is not a portable model of DeePMD-kit: {error}") from None


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeepmdError(f"it is not a YAML file: {error}") from None
    if not isinstance(content, dict):
        raise DeepmdError("it holds no model")
    return dict(_replace(content, lambda text: np.array(text)))


def _replace(value: Any, load: Callable[[str], Array], variable: bool = False) -> Any:
    """Arrays in place of what stands for them: a name under "@variables", or a mapping with the values."""
    if isinstance(value, dict):
        if value.get("@is_variable"):
            return np.array(value["value"], dtype=value["dtype"])
        return {key: _replace(inner, load, variable or key == "@variables") for key, inner in value.items()}
    if isinstance(value, list):
        return [_replace(inner, load, variable) for inner in value]
    return load(value) if variable and isinstance(value, str) else value
