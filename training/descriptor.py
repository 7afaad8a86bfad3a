"""Contractions between pairs and atoms: from pair channels to the descriptor, and from its gradient to forces."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nvnmd.training.padded import Padded


def descriptor(x: Tensor, axis_neuron: int) -> Tensor:
    """D[k * M2 + m] = sum_c X[c, k] X[c, m]: [n, 4, M1] to [n, M1 * M2]."""
    return torch.bmm(x.transpose(1, 2), x[:, :, :axis_neuron]).flatten(1)


def descriptor_gradient(x: Tensor, grad: Tensor, axis_neuron: int) -> Tensor:
    """dE/dX [n, 4, M1] from dE/dD [n, M1 * M2]."""
    table = grad.view(x.shape[0], x.shape[2], axis_neuron)
    left = torch.bmm(x[:, :, :axis_neuron], table.transpose(1, 2))
    right = torch.bmm(x, table)
    return left + torch.nn.functional.pad(right, (0, x.shape[2] - axis_neuron))


def pair_gradients(a: Tensor, b: Tensor, batch: Padded) -> Tensor:
    """f_ij = dE_i/dx_ij: [3, n_atoms, width], eV/angstrom.

    With a_c = dE_i/dR_c and b_c = sum_k dE_i/dX_ck G'_k for each pair (R_c the scaled row, G' the derivative with
    respect to the embedding's input s / radial_scale), the chain rule gives, u being the unit vector,

        f = [ds/dr / radial_scale * (a_0 + sum_c R_c b_c) + (ds/dr - s/r) / angular_scale * (a . u)] u
            + s/r / angular_scale * a.

    Args:
        a, b: each [n_atoms, 4, width].
    """
    return _PairGradients.apply(a, b, batch)  # type: ignore[no-any-return]


class _PairGradients(torch.autograd.Function):
    """Linear in its arguments, so that its backward is the transposed product."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, batch: Padded) -> Tensor:  # type: ignore[override]
        ctx.batch = batch
        vector = a[:, 1:].permute(1, 0, 2)
        radial = (batch.rows * b).sum(1).add_(a[:, 0])
        along = (vector * batch.unit).sum(0)
        scale = batch.slopes[0] * radial + batch.slopes[1] * along
        return torch.addcmul(scale * batch.unit, batch.slopes[2], vector)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        batch = ctx.batch
        along = (grad * batch.unit).sum(0)
        radial = batch.slopes[0] * along
        grad_a = torch.empty_like(batch.rows)
        grad_a[:, 0] = radial
        vector = (batch.slopes[2] * grad).addcmul_(batch.slopes[1] * along, batch.unit)
        grad_a[:, 1:] = vector.permute(1, 0, 2)
        return grad_a, batch.rows * radial.unsqueeze(1), None


def atomic_forces(pair: Tensor, batch: Padded) -> Tensor:
    """F_i = sum_j (f_ij - f_ji), [3, n_atoms], from f [3, n_atoms, width]."""
    return _AtomicForces.apply(pair, batch)


class _AtomicForces(torch.autograd.Function):
    """The full list holds each pair from both ends, so the reaction is gathered, not scattered."""

    @staticmethod
    def forward(ctx: Any, pair: Tensor, batch: Padded) -> Tensor:  # type: ignore[override]
        ctx.batch = batch
        reaction = pair.reshape(3, -1).index_select(1, batch.reverse)
        return (pair - reaction.view_as(pair)).sum(2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        batch = ctx.batch
        at_neighbor = grad.index_select(1, batch.neighbors).view(3, batch.n_atoms, batch.width)
        return grad.unsqueeze(2) - at_neighbor, None


def virials(pair: Tensor, batch: Padded, frame_of_atom: Tensor, n_frames: int) -> Tensor:
    """W = -sum x_ij (outer) f_ij = -dE/d(strain) per frame: [n_frames, 3, 3], eV."""
    vectors = (batch.unit * batch.distances).permute(1, 0, 2)
    per_atom = torch.bmm(vectors, pair.permute(1, 2, 0)).flatten(1)
    total = per_atom.new_zeros(n_frames, 9)
    return -total.index_add(0, frame_of_atom, per_atom).view(-1, 3, 3)
