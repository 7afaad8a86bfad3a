"""Embedding networks: value and derivative of many small nets of one variable, with a hand-written gradient.

The nets of all type pairs are stacked, and the pairs of atoms are sorted by net, so that elementwise work is one call
for all pairs and only the small matrix products run net by net. The derivative with respect to the scalar input is
carried along with the value (forward mode), so that training needs one backward pass and no second derivative.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

Slices = Sequence[tuple[int, int, int]]  # (net, first row, last row + 1)


def skip(x: Tensor, width: int) -> Tensor | None:
    """What DeePMD-kit adds to a layer's tanh: x at equal width, (x, x) at double width, else nothing."""
    if x.shape[-1] == width:
        return x
    if 2 * x.shape[-1] == width:
        return torch.cat([x, x], dim=-1)
    return None


class EmbeddingNets(nn.Module):
    """`n_nets` tanh networks 1 -> neuron[0] -> ... -> neuron[-1] with DeePMD-kit's skip connections.

    Attributes:
        weights: per layer [n_nets, n_in, n_out].
        biases: per layer [n_nets, n_out].
    """

    def __init__(self, n_nets: int, neuron: Sequence[int], generator: torch.Generator | None = None) -> None:
        super().__init__()
        widths = [1, *neuron]
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for n_in, n_out in itertools.pairwise(widths):
            scale = (n_in + n_out) ** -0.5
            self.weights.append(nn.Parameter(torch.randn(n_nets, n_in, n_out, generator=generator) * scale))
            self.biases.append(nn.Parameter(torch.randn(n_nets, n_out, generator=generator)))

    def forward(self, inputs: Tensor, slices: Slices) -> Tensor:
        """Value and derivative of the nets.

        Args:
            inputs: [n_pairs], the scaled s of each pair, sorted by net.
            slices: which rows go through which net.

        Returns:
            [2, n_pairs, M1]: G and dG/d(input).
        """
        x = torch.stack([inputs, torch.ones_like(inputs)]).unsqueeze(2)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = _DualLayer.apply(x, weight, bias, slices, layer > 0)
        return x

    def value(self, inputs: Tensor, net: int) -> Tensor:
        """G of one net, [n, M1], by plain operations; for tables and tests. `inputs`: [n]."""
        x = inputs.unsqueeze(1)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out = torch.tanh(x @ weight[net] + bias[net])
            passed = skip(x, out.shape[-1]) if layer else None
            x = out if passed is None else out + passed
        return x


def tanh_(x: Tensor) -> Tensor:
    """tanh in place; on a CPU the vectorized logistic function is several times faster than torch.tanh."""
    return x.mul_(2.0).sigmoid_().mul_(2.0).sub_(1.0)


class _DualLayer(torch.autograd.Function):
    """One layer y = tanh(x W + b) + skip(x) on (value, derivative) planes: x is [2, n, n_in], y is [2, n, n_out]."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, slices: Slices, with_skip: bool
    ) -> Tensor:
        y = x.new_empty(2, x.shape[1], weight.shape[2])
        t = y.new_empty(y.shape[1:])
        rise = torch.empty_like(t)  # derivative of tanh(x W + b), without the skip
        for net, first, last in slices:
            torch.addmm(bias[net], x[0, first:last], weight[net], out=t[first:last])
            torch.mm(x[1, first:last], weight[net], out=rise[first:last])
        slope = torch.addcmul(t.new_ones(()), tanh_(t), t, value=-1.0)
        rise.mul_(slope)
        parts = _skipped(x.shape[2], y.shape[2]) if with_skip else ()
        for part in parts:
            torch.add(t[:, part], x[0], out=y[0, :, part])
            torch.add(rise[:, part], x[1], out=y[1, :, part])
        if not parts:
            y[0], y[1] = t, rise
        ctx.save_for_backward(x, weight, t, slope, rise)
        ctx.slices, ctx.parts = slices, parts
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, weight, t, slope, rise = ctx.saved_tensors
        # Gradients of the pre-activation and of its derivative; the slope 1 - t^2 itself depends on the former.
        back = torch.empty_like(grad)
        torch.mul(slope, grad[0], out=back[0]).addcmul_(t * rise, grad[1], value=-2.0)
        torch.mul(slope, grad[1], out=back[1])
        grad_weight, grad_bias = torch.zeros_like(weight), weight.new_zeros(weight.shape[0], weight.shape[2])
        grad_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        for net, first, last in ctx.slices:
            transposed = weight[net].t()
            for plane in (0, 1):
                rows = back[plane, first:last]
                grad_weight[net].addmm_(x[plane, first:last].t(), rows)
                if grad_x is not None:
                    torch.mm(rows, transposed, out=grad_x[plane, first:last])
            grad_bias[net] += back[0, first:last].sum(0)
        for part in ctx.parts if grad_x is not None else ():
            grad_x += grad[:, :, part]
        return grad_x, grad_weight, grad_bias, None, None


def _skipped(n_in: int, n_out: int) -> tuple[slice, ...]:
    """The columns of a layer's output that its input is added to."""
    if n_out == n_in:
        return (slice(0, n_in),)
    return (slice(0, n_in), slice(n_in, n_out)) if n_out == 2 * n_in else ()
