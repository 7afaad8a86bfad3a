"""Fitting networks: atomic energy and its gradient with respect to the descriptor, with a hand-written backward.

One network per element, stacked; atoms are sorted by element. The gradient that forces need is written out as
transposed products (hardware has no autograd), and the derivative of both outputs is written out too, so that a
training step is one forward and one backward pass.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from nvnmd.training.embedding import tanh_

Slices = Sequence[tuple[int, int, int]]  # (type, first row, last row + 1)


class FittingNets(nn.Module):
    """`n_types` networks n_in -> neuron... -> 1: tanh layers, identity skips between equal widths, linear output.

    The first layer has no skip, as in DeePMD-kit.

    Attributes:
        weights: per layer [n_types, n_in, n_out]; the last has n_out = 1.
        biases: per layer [n_types, n_out].
    """

    def __init__(
        self, n_types: int, n_in: int, neuron: Sequence[int], generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        widths = [n_in, *neuron, 1]
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for fan_in, fan_out in itertools.pairwise(widths):
            scale = (fan_in + fan_out) ** -0.5
            self.weights.append(nn.Parameter(torch.randn(n_types, fan_in, fan_out, generator=generator) * scale))
            self.biases.append(nn.Parameter(torch.randn(n_types, fan_out, generator=generator)))
        with torch.no_grad():
            self.biases[-1].zero_()

    @cached_property
    def stacks(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Weights and biases as plain lists, which a step walks through in a tenth of the time."""
        return list(self.weights), list(self.biases)

    @cached_property
    def skips(self) -> tuple[bool, ...]:
        """For each hidden layer, whether its input is added to its output."""
        return tuple(layer > 0 and w.shape[1] == w.shape[2] for layer, w in enumerate(self.weights[:-1]))

    def forward(self, descriptor: Tensor, slices: Slices) -> tuple[Tensor, Tensor]:
        """Energies and gradients.

        Args:
            descriptor: [n_atoms, n_in], sorted by type.
            slices: (type, first row, last row + 1).

        Returns:
            energy [n_atoms], eV, and dE/d(descriptor) [n_atoms, n_in].
        """
        energy, gradient = _EnergyAndGradient.apply(descriptor, slices, self.skips, *self.weights, *self.biases)
        return energy, gradient


class _EnergyAndGradient(torch.autograd.Function):
    """(D, weights, biases) -> (E, dE/dD) and the vector-Jacobian product of both."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, descriptor: Tensor, slices: Slices, skips: tuple[bool, ...], *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        n = len(parameters) // 2
        weights, biases = parameters[:n], parameters[n:]
        inputs, tanhs, slopes = [descriptor], [], []
        for weight, bias, has_skip in zip(weights, biases, skips, strict=False):
            t = tanh_(_linear(inputs[-1], weight, slices, bias))
            tanhs.append(t)
            slopes.append(torch.addcmul(t.new_ones(()), t, t, value=-1.0))
            inputs.append(t + inputs[-1] if has_skip else t)
        energy = _linear(inputs[-1], weights[-1], slices, biases[-1]).squeeze(1)

        gradients = [_rows_of(weights[-1].squeeze(2), inputs[-1], slices)]  # dE/d(layer output), last layer first
        backs = []  # dE/d(pre-activation), last layer first
        for layer in range(n - 2, -1, -1):
            back = gradients[-1] * slopes[layer]
            backs.append(back)
            through = _transposed(back, weights[layer], slices)
            gradients.append(through.add_(gradients[-1]) if skips[layer] else through)
        ctx.save_for_backward(*weights, *inputs, *tanhs, *slopes, *gradients[:-1], *backs)
        ctx.slices, ctx.skips, ctx.n = slices, skips, n
        return energy, gradients[-1]

    @staticmethod
    def backward(ctx: Any, grad_energy: Tensor, grad_gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        n, slices, skips = ctx.n, ctx.slices, ctx.skips
        saved = iter(ctx.saved_tensors)
        weights, inputs = _take(saved, n), _take(saved, n)
        tanhs, slopes = _take(saved, n - 1), _take(saved, n - 1)
        gradients, backs = _take(saved, n - 1)[::-1], _take(saved, n - 1)[::-1]
        grad_weights = [torch.zeros_like(w) for w in weights]
        grad_biases = [w.new_zeros(w.shape[0], w.shape[2]) for w in weights]

        # Back through the transposed products, in the order opposite to theirs: first layer to last.
        tanh_grads = []
        flow = grad_gradient  # of dE/d(layer input)
        for layer in range(n - 1):
            _accumulate(grad_weights[layer], flow, backs[layer], slices)
            into_back = _linear(flow, weights[layer], slices)
            tanh_grads.append((into_back * gradients[layer]).mul_(tanhs[layer]).mul_(-2.0))
            flow = (into_back * slopes[layer]).add_(flow) if skips[layer] else into_back.mul_(slopes[layer])
        # `flow` is now the gradient of the last layer's weights, row by row.
        energy_column = grad_energy.unsqueeze(1)
        for kind, first, last in slices:
            rows = flow[first:last].sum(0)
            grad_weights[-1][kind, :, 0] += rows
        _accumulate(grad_weights[-1], inputs[-1], energy_column, slices, grad_biases[-1])

        # Back through the layers themselves.
        flow = gradients[-1] * energy_column
        for layer in range(n - 2, -1, -1):
            back = tanh_grads[layer].add_(flow).mul_(slopes[layer])
            _accumulate(grad_weights[layer], inputs[layer], back, slices, grad_biases[layer])
            through = _transposed(back, weights[layer], slices)
            flow = through.add_(flow) if skips[layer] else through
        return flow, None, None, *grad_weights, *grad_biases


def _take(tensors: Iterator[Tensor], count: int) -> list[Tensor]:
    return [next(tensors) for _ in range(count)]


def _linear(x: Tensor, weight: Tensor, slices: Slices, bias: Tensor | None = None) -> Tensor:
    """x W (+ b), type by type: [n, n_in] -> [n, n_out]."""
    out = x.new_empty(x.shape[0], weight.shape[2])
    for kind, first, last in slices:
        if bias is None:
            torch.mm(x[first:last], weight[kind], out=out[first:last])
        else:
            torch.addmm(bias[kind], x[first:last], weight[kind], out=out[first:last])
    return out


def _transposed(x: Tensor, weight: Tensor, slices: Slices) -> Tensor:
    """x W^T, type by type: [n, n_out] -> [n, n_in]."""
    out = x.new_empty(x.shape[0], weight.shape[1])
    for kind, first, last in slices:
        torch.mm(x[first:last], weight[kind].t(), out=out[first:last])
    return out


def _rows_of(table: Tensor, like: Tensor, slices: Slices) -> Tensor:
    """Each atom's row of a [n_types, width] table."""
    out = torch.empty_like(like)
    for kind, first, last in slices:
        out[first:last] = table[kind]
    return out


def _accumulate(
    grad_weight: Tensor, left: Tensor, right: Tensor, slices: Slices, grad_bias: Tensor | None = None
) -> None:
    """grad_weight += left^T right, grad_bias += column sums of right; type by type."""
    for kind, first, last in slices:
        grad_weight[kind].addmm_(left[first:last].t(), right[first:last])
        if grad_bias is not None:
            grad_bias[kind] += right[first:last].sum(0)
