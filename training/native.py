"""The compiled stage between pairs and atoms, FP32 on a CPU; `descriptor` and `embedding` are its torch form.

Nets, contractions and forces of one center stay in the processor's first cache, where the torch form moves every
intermediate value through memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nvnmd.training._native import PairStage, PairTable
from nvnmd.training.pairs import Pairs


def pair_table(pairs: Pairs, types: Tensor, frame_of_atom: Tensor, n_types: int) -> PairTable:
    """Neighbor lists as the compiled stage reads them; all tensors on the CPU, the geometry in float32."""
    integers = (pairs.offsets, types.to(torch.int32), pairs.neighbors, frame_of_atom.to(torch.int32))
    offsets, kinds, neighbors, frames = (value.numpy() for value in integers)
    return PairTable(offsets, kinds, neighbors, frames, pairs.geometry.numpy(), n_types)


def pair_stage(
    nets: Sequence[int], weights: Sequence[Tensor], biases: Sequence[Tensor], gate: Tensor | None
) -> PairStage:
    """The stage with the parameters as they are now.

    Args:
        nets: net of each ordered pair of types.
        weights, biases, gate: see `EmbeddingNets`.
    """
    w, b = ([value.detach().numpy() for value in values] for values in (weights, biases))
    frozen = None if gate is None else gate.detach().numpy()
    return PairStage(round(len(nets) ** 0.5), list(nets), w, b, frozen, torch.get_num_threads())


def channels(
    stage: PairStage, table: PairTable, weights: Sequence[Tensor], biases: Sequence[Tensor], gate: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """X = sum_j R_j G_j of every atom [n_atoms, 4, M1], and G and dG/d(input) of every pair [n_pairs, stage.stride]."""
    x, g, derivative = _Channels.apply(stage, table, gate, *weights, *biases)
    return x, g, derivative


def forces(
    stage: PairStage, table: PairTable, x_gradient: Tensor, g: Tensor, derivative: Tensor, n_frames: int, virial: bool
) -> tuple[Tensor, Tensor]:
    """Forces [n_atoms, 3] in eV/angstrom and virials [n_frames, 9] in eV (zeros unless wanted) from dE/dX."""
    f, w = _Forces.apply(stage, table, n_frames, virial, x_gradient, g, derivative)
    return f, w


class _Channels(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, stage: PairStage, table: PairTable, gate: Tensor | None, *parameters: Tensor) -> Any:  # type: ignore[override]
        ctx.stage, ctx.table, ctx.gate, ctx.parameters = stage, table, gate, parameters
        x = torch.empty(table.n_atoms, 4, parameters[len(parameters) // 2 - 1].shape[2])
        g, derivative = torch.empty(2, table.n_pairs, stage.stride).unbind()
        stage.channels(table, g.numpy(), derivative.numpy(), x.numpy())
        return x, g, derivative

    @staticmethod
    def backward(ctx: Any, grad_x: Tensor, grad_g: Tensor, grad_derivative: Tensor) -> Any:  # type: ignore[override]
        grads = [torch.zeros_like(parameter, requires_grad=False) for parameter in ctx.parameters]
        gate = None if ctx.gate is None else torch.zeros_like(ctx.gate, requires_grad=False)
        arrays, half = [grad.numpy() for grad in grads], len(grads) // 2
        incoming = [grad.contiguous().numpy() for grad in (grad_g, grad_derivative, grad_x)]
        frozen = None if gate is None else gate.numpy()
        ctx.stage.channels_backward(ctx.table, *incoming, arrays[:half], arrays[half:], frozen)
        return None, None, gate, *grads


class _Forces(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, stage: PairStage, table: PairTable, n_frames: int, virial: bool, *tensors: Tensor
    ) -> Any:
        ctx.stage, ctx.table, ctx.virial = stage, table, virial
        ctx.save_for_backward(*tensors)
        x_gradient, g, derivative = (value.contiguous().numpy() for value in tensors)
        f, w = torch.zeros(table.n_atoms, 3), torch.zeros(n_frames, 9)
        stage.forces(table, g, derivative, x_gradient, f.numpy(), w.numpy() if virial else None)
        return f, w

    @staticmethod
    def backward(ctx: Any, grad_f: Tensor, grad_w: Tensor) -> Any:  # type: ignore[override]
        x_gradient, g, derivative = ctx.saved_tensors
        grads = [
            torch.empty_like(value, memory_format=torch.contiguous_format) for value in (g, derivative, x_gradient)
        ]
        inputs = [value.contiguous().numpy() for value in (g, derivative, x_gradient, grad_f)]
        into = grad_w.contiguous().numpy() if ctx.virial else None
        ctx.stage.forces_backward(ctx.table, *inputs, into, *(grad.numpy() for grad in grads))
        return None, None, None, None, grads[2], grads[0], grads[1]
