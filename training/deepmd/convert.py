"""From a model of DeePMD-kit to ours, where both compute the same numbers; everything else is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.deepmd.checkpoint import read_torch
from nvnmd.training.deepmd.frozen import read_frozen
from nvnmd.training.deepmd.portable import read_portable
from nvnmd.training.deepmd.source import DeepmdError, DeepmdModel, Net
from nvnmd.training.guard import Guard
from nvnmd.training.model import DeepPot, ModelShape

READERS: dict[str, Callable[[Path], DeepmdModel]] = {
    ".pb": read_frozen,
    ".dp": read_portable,
    ".yaml": read_portable,
    ".yml": read_portable,
    ".pt": read_torch,
    ".pth": read_torch,
}

# Keys of descriptor, fitting net and model that add something to the mathematics when they are set.
MUST_BE_OFF = {
    "descriptor": ("exclude_types", "env_protection", "spin"),
    "fitting_net": (
        "numb_fparam", "numb_aparam", "dim_case_embd", "atom_ener", "layer_name", "spin", "tot_ener_zero",
        "exclude_types", "mixed_types",
    ),
    "": ("use_srtab", "pair_exclude_types", "atom_exclude_types", "modifier", "spin", "type_embedding"),
}  # fmt: skip


def convert(path: Path, guard: bool = False) -> DeepPot:
    """A float model that gives the energies, forces and virials of a DeePMD-kit se_e2_a model.

    Parameters keep their precision. DeePMD-kit drops neighbors beyond `sel`, ours uses all of them; the two agree
    wherever no atom has more neighbors of a type than `sel` says.

    Args:
        path: *.pb, *.pt, *.pth, or the portable *.dp and *.yaml.
        guard: add the short-range guard, which DeePMD-kit's model does not have.

    Raises:
        DeepmdError: the file cannot be read, or the model computes something that ours does not.
    """
    if path.suffix.lower() not in READERS:
        raise DeepmdError(
            f"{path}: the ending of a DeePMD-kit model is one of {', '.join(READERS)}; of another backend's file, "
            "dp convert-backend makes a *.dp"
        )
    if not path.is_file():
        raise DeepmdError(f"no file at {path}; a TensorFlow checkpoint is frozen first, with dp freeze")
    try:
        source = READERS[path.suffix.lower()](path)
        return _model(source, guard)
    except DeepmdError as error:
        raise DeepmdError(f"{path}: {error}") from None


def _model(source: DeepmdModel, guard: bool) -> DeepPot:
    _check_settings(source.settings)
    shape = _shape(source.settings)
    _check_nets("embedding", source.embedding, shape.n_nets, [1, *shape.neuron], False, True, True)
    sizes = [shape.neuron[-1] * shape.axis_neuron, *shape.fitting_neuron, 1]
    _check_nets("fitting", source.fitting, shape.n_types, sizes, True, source.skip_in_first, source.skip_in_first)
    radial, angular = _scales(source, shape)
    dtype = np.float64 if source.fitting[0][0].weight.dtype == np.float64 else np.float32
    arrays: dict[str, NDArray[np.floating]] = {}
    for room, nets in (("embedding", source.embedding), ("fitting", source.fitting)):
        for k, layers in enumerate(zip(*nets, strict=True)):
            arrays[f"{room}.weights.{k}"] = np.stack([layer.weight for layer in layers]).astype(dtype)
            arrays[f"{room}.biases.{k}"] = np.stack([layer.bias for layer in layers]).astype(dtype)
    arrays |= {"radial_scale": radial, "angular_scale": angular, "energy_shifts": source.energies}
    return DeepPot.from_arrays(shape, Guard.for_elements(shape.type_map) if guard else None, arrays)


def _check_settings(settings: dict[str, Any]) -> None:
    for section, keys in MUST_BE_OFF.items():
        values = settings[section] if section else settings
        for key in keys:
            if values.get(key) not in (None, False, 0, 0.0, "", [], {}):
                name = f"{section}.{key}" if section else key
                raise DeepmdError(f"model.{name} is {values[key]!r}, which is not part of our potential")
    for section in ("descriptor", "fitting_net"):
        activation = settings[section].get("activation_function", "tanh")
        if activation != "tanh":
            raise DeepmdError(f"model.{section}.activation_function is {activation!r}; ours is tanh alone")
    if not settings.get("type_map"):
        raise DeepmdError("it names no elements; train or freeze it with a type_map")


def _shape(settings: dict[str, Any]) -> ModelShape:
    descriptor = settings["descriptor"]
    sel = descriptor["sel"]
    return ModelShape(
        type_map=tuple(settings["type_map"]),
        rcut=float(descriptor["rcut"]),
        rcut_smth=float(descriptor["rcut_smth"]),
        sel=tuple(int(n) for n in sel),
        neuron=tuple(descriptor["neuron"]),
        axis_neuron=int(descriptor["axis_neuron"]),
        fitting_neuron=tuple(settings["fitting_net"]["neuron"]),
        type_one_side=bool(descriptor.get("type_one_side", False)),
    )


def _check_nets(
    name: str, nets: Sequence[Net], count: int, sizes: list[int], linear_end: bool, skip_in_first: bool, doubled: bool
) -> None:
    """Refuse nets of other sizes, with learned timesteps, or with a skip where ours has none.

    Args:
        name: for messages; nets: to look at, `count` of them expected.
        sizes: widths from input to output.
        linear_end: the last layer is linear, and skips at double width do not exist in ours.
        skip_in_first: theirs has a skip in a first layer of equal width; doubled: and at double width.
    """
    expected = list(itertools.pairwise(sizes))
    for net in nets:
        found = [layer.weight.shape for layer in net]
        if len(nets) != count or found != expected:
            raise DeepmdError(f"its {len(nets)} {name} nets have layers {found}; {count} with {expected} are expected")
        if any(layer.step is not None and np.any(layer.step != 1) for layer in net):
            raise DeepmdError(
                f"the {name} nets have learned timesteps, which ours lack; train with resnet_dt: false in "
                f"model.{'fitting_net' if name == 'fitting' else 'descriptor'}"
            )
    for k, (n_in, n_out) in enumerate(expected[:-1] if linear_end else expected):
        extra_equal = k == 0 and n_in == n_out and skip_in_first
        extra_double = n_out == 2 * n_in and doubled and (k == 0 or linear_end)
        if extra_equal or extra_double:
            raise DeepmdError(
                f"layer {k + 1} of the {name} nets goes from {n_in} to {n_out}, where DeePMD-kit adds a skip and ours "
                "has none; choose another width"
            )


def _scales(source: DeepmdModel, shape: ModelShape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Radial and angular scale, [n_types] each."""
    if np.any(source.mean != 0):
        raise DeepmdError(
            "the environment matrix is shifted by its mean, so absent neighbors contribute and ours do not; train with "
            "set_davg_zero: true in model.descriptor"
        )
    deviation = np.asarray(source.deviation, dtype=np.float64)
    if deviation.shape[0] != shape.n_types or deviation.shape[2] != 4:
        raise DeepmdError(f"scales of the environment matrix have shape {deviation.shape} for {shape.n_types} types")
    if np.any(deviation != deviation[:, :1]) or np.any(deviation[:, :, 1:2] != deviation[:, :, 1:]):
        raise DeepmdError("scales of the environment matrix differ between neighbors or directions; ours do not")
    return deviation[:, 0, 0].copy(), deviation[:, 0, 1].copy()
