"""From the trained float potential to what the compiler needs to know of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.float_spec import Array, FloatSpec
from nvnmd.training.environment import switch
from nvnmd.training.guard import Guard
from nvnmd.training.model import DeepPot, ModelShape

Function = Callable[[Array], Array]


def float_spec(model: DeepPot) -> FloatSpec:
    """Describe a trained potential in real numbers; its parameters are taken as they are, in double precision.

    Raises:
        QuantizeError: a parameter is not finite.
    """
    arrays = {name: np.asarray(value, np.float64) for name, value in model.arrays().items()}
    for name, value in arrays.items():
        if not np.isfinite(value).all():
            raise QuantizeError(f"the float model's {name} has numbers that are not finite; train it again")
    shape, layers = model.shape, range(len(model.fitting.weights))
    weights = [arrays[f"fitting.weights.{layer}"] for layer in layers]
    biases = [arrays[f"fitting.biases.{layer}"] for layer in layers]
    pairs, feature_table = feature_tables(model)
    scale = channel_scales(model)
    scales, scalar_table = scalar_tables(model)
    return FloatSpec(
        type_map=shape.type_map,
        rcut_A=shape.rcut,
        m2=shape.axis_neuron,
        normalization=float(shape.n_neighbors),
        features=tuple(_feature(model, net, radial, scale) for net, radial in pairs),
        feature_table=feature_table,
        radial=tuple(_radial(shape, radial) for radial, _ in scales),
        angular=tuple(_angular(shape, angular) for _, angular in scales),
        scalar_table=scalar_table,
        guard=_guard(model.guard),
        guard_end_A=float(model.guard.r_out.max()),
        gate=gates(model, arrays["gate"], scale) if "gate" in arrays else None,
        weights=tuple(weight.transpose(0, 2, 1) for weight in weights[:-1]),
        biases=tuple(biases[:-1]),
        out_weight=weights[-1][:, :, 0],
        out_bias=biases[-1][:, 0],
        energy_bias_eV=arrays["energy_shifts"],
        skip=model.fitting.skips,
    )


def feature_tables(model: DeepPot) -> tuple[list[tuple[int, float]], NDArray[np.int64]]:
    """Return the (embedding net, radial scale) of each feature table, and the table of each pair of types [T, T]."""
    shape, scale = model.shape, model.radial_scale
    kinds: dict[tuple[int, float], int] = {}
    table = np.zeros((shape.n_types, shape.n_types), np.int64)
    for a, b in np.ndindex(table.shape):
        table[a, b] = kinds.setdefault((shape.nets[a * shape.n_types + b], float(scale[a])), len(kinds))
    if model.gate is not None and len(kinds) > 1:
        raise QuantizeError("an se_atten model has one radial scale for all types; this file has several")
    return list(kinds), table


def channel_scales(model: DeepPot) -> Array:
    """Factor of each channel, [M1], by which tables are multiplied and gates divided: the largest gate becomes 1.9.

    A gate word is below 2; a channel's largest gate close to that uses the most bits of both words.
    """
    if model.gate is None:
        return np.ones(model.shape.neuron[-1])
    largest = np.abs(1.0 + model.gate.detach().double().cpu().numpy()).max(axis=0)
    return np.maximum(largest, 1e-3) / 1.9


def gates(model: DeepPot, gate: Array, scale: Array) -> Array:
    """``1 + t_ab`` over the channel scales, [T, T, M1]."""
    n = model.shape.n_types
    return ((1.0 + gate) / scale).reshape(n, n, -1)


def scalar_tables(model: DeepPot) -> tuple[list[tuple[float, float]], NDArray[np.int64]]:
    """Return the (radial, angular) scale of each scalar table, and the table of each pair of types [T, T]."""
    kinds: dict[tuple[float, float], int] = {}
    scales = zip(model.radial_scale.tolist(), model.angular_scale.tolist(), strict=True)
    of_center = [kinds.setdefault(pair, len(kinds)) for pair in scales]
    return list(kinds), np.repeat(np.array(of_center)[:, None], model.shape.n_types, axis=1)


def _feature(model: DeepPot, net: int, radial: float, scale: Array) -> Function:
    shape = model.shape
    weights = [value[net : net + 1].detach().double().cpu() for value in model.embedding.weights]
    biases = [value[net : net + 1].detach().double().cpu() for value in model.embedding.biases]

    def features(r: Array) -> Array:
        s = torch.from_numpy(switch(r, shape.rcut_smth, shape.rcut)[0] / radial)
        return scale * embedding_values(s[None], weights, biases)[0].numpy()

    return features


def embedding_values(inputs: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    """G of several embedding nets, by plain operations.

    Args:
        inputs: [nets, n] scaled s.
        weights: per layer [nets, n_in, n_out]; biases: per layer [nets, n_out].

    Returns:
        [nets, n, M1].
    """
    x = inputs.unsqueeze(2)
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        out = torch.tanh(torch.baddbmm(bias.unsqueeze(1), x, weight))
        copies, rest = divmod(out.shape[2], x.shape[2])
        x = out + x.repeat(1, 1, copies) if layer and copies in (1, 2) and not rest else out
    return x


def _radial(shape: ModelShape, scale: float) -> Function:
    return lambda r: switch(r, shape.rcut_smth, shape.rcut)[0] / scale


def _angular(shape: ModelShape, scale: float) -> Function:
    return lambda r: switch(r, shape.rcut_smth, shape.rcut)[0] / (r * scale)


def _guard(guard: Guard) -> Callable[[int, int, Array], Array]:
    def half(a: int, b: int, r: Array) -> Array:
        centers, neighbors = np.full(r.shape, a), np.full(r.shape, b)
        return 0.5 * guard.energy(r, centers, neighbors)[0]

    return half
