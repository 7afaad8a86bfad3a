"""Checkpoints (*.pt) and frozen models (*.pth) of DeePMD-kit's PyTorch backend."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nvnmd.training.deepmd.source import Array, DeepmdError, DeepmdModel, Layer, Net, check_form, pair_order


def read_torch(path: Path) -> DeepmdModel:
    """Read a checkpoint or a frozen model; of a checkpoint nothing is executed.

    Raises:
        DeepmdError: not such a file, or another model.
    """
    state, settings = _frozen(path) if path.suffix.lower() == ".pth" else _checkpoint(path)
    if "model_dict" in settings:
        raise DeepmdError("it holds several models (model_dict); freeze one of them with dp freeze --head")
    check_form(settings)
    arrays = {name.split("atomic_model.", 1)[1]: value for name, value in state.items() if "atomic_model." in name}
    one_side = settings["descriptor"].get("type_one_side", False)
    n_types = len(settings["type_map"])
    try:
        return DeepmdModel(
            settings=settings,
            skip_in_first=True,
            embedding=[
                _net(arrays, f"descriptor.sea.filter_layers.networks.{k}") for k in pair_order(n_types, one_side)
            ],
            fitting=[_net(arrays, f"fitting_net.filter_layers.networks.{k}") for k in range(n_types)],
            mean=arrays["descriptor.sea.mean"],
            deviation=arrays["descriptor.sea.stddev"],
            energies=np.ravel(arrays["fitting_net.bias_atom_e"]).astype(np.float64) + np.ravel(arrays["out_bias"]),
        )
    except KeyError as error:
        raise DeepmdError(f"it has no array {error.args[0]}; only se_e2_a with one net per type can be read") from None


def _checkpoint(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        state = content.get("model", content)
        settings = state["_extra_state"]["model_params"]
    except Exception as error:  # torch raises several kinds for damaged files
        raise DeepmdError(f"it is not a checkpoint of DeePMD-kit's PyTorch backend: {error!r}") from None
    return {name: value.numpy() for name, value in state.items() if torch.is_tensor(value)}, dict(settings)


def _frozen(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    try:
        model = torch.jit.load(path, map_location="cpu")
        settings = json.loads(model.get_model_def_script())
    except Exception as error:
        raise DeepmdError(
            f"this PyTorch cannot open it ({str(error).strip().splitlines()[0]}); give the checkpoint (*.pt), or "
            "dp convert-backend frozen.pth model.dp"
        ) from None
    return {name: value.numpy() for name, value in model.state_dict().items()}, settings


def _net(arrays: dict[str, Array], room: str) -> Net:
    names = itertools.takewhile(
        lambda name: f"{name}.matrix" in arrays, (f"{room}.layers.{k}" for k in itertools.count())
    )
    net = tuple(Layer(arrays[f"{n}.matrix"], arrays[f"{n}.bias"], arrays.get(f"{n}.idt")) for n in names)
    if not net:
        raise KeyError(f"{room}.layers.0.matrix")
    return net
