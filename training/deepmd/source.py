"""What a model file of DeePMD-kit holds, whatever backend wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.errors import NvnmdError

Array = NDArray[Any]


class DeepmdError(NvnmdError, ValueError):
    """A model of DeePMD-kit that cannot be read, or whose mathematics is not ours."""


@dataclass(frozen=True)
class Layer:
    """One layer: weight [n_in, n_out], bias [n_out], and the learned timestep of its skip [n_out], if it has one."""

    weight: Array
    bias: Array
    step: Array | None


Net = tuple[Layer, ...]


@dataclass(frozen=True)
class DeepmdModel:
    """A se_e2_a model as its file says it.

    Attributes:
        settings: the section `model` of its input file.
        skip_in_first: whether a first layer as wide as its input has a skip; not so in the TensorFlow backend's
            fitting nets, which also have no skip at double width.
        embedding: nets by center * n_types + neighbor, or by neighbor.
        fitting: nets by type.
        mean, deviation: [n_types, n_places, 4] statistics of the environment matrix, 1/angstrom.
        energies: [n_types] eV, everything that is added per atom.
    """

    settings: dict[str, Any]
    skip_in_first: bool
    embedding: Sequence[Net]
    fitting: Sequence[Net]
    mean: Array
    deviation: Array
    energies: NDArray[np.float64]


def pair_order(n_types: int, one_side: bool) -> list[int]:
    """Where our embedding nets stand among those of a network collection, which counts center + n_types * neighbor."""
    if one_side:
        return list(range(n_types))
    return [center + n_types * neighbor for center in range(n_types) for neighbor in range(n_types)]


def check_form(settings: dict[str, Any]) -> None:
    """Refuse other descriptors and fitting nets before their arrays are looked for.

    Raises:
        DeepmdError: not an energy model with the descriptor se_e2_a, or compressed.
    """
    descriptor, fitting = settings.get("descriptor", {}), settings.get("fitting_net", {})
    kind = descriptor.get("type", "se_e2_a")
    if settings.get("type", "standard") != "standard" or kind not in ("se_e2_a", "se_a"):
        raise DeepmdError(
            f"the descriptor is {kind!r} in a model of type {settings.get('type', 'standard')!r}; only a standard "
            "model with se_e2_a can be converted. Train one of ours on the same data, or on labels of this model"
        )
    if fitting.get("type", "ener") != "ener":
        raise DeepmdError(
            f"the fitting net is of type {fitting['type']!r}; only energy models ('ener') can be converted"
        )
    if settings.get("compress"):
        raise DeepmdError("the model is compressed: tables stand for its networks; give the model before dp compress")
