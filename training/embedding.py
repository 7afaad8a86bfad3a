"""Embedding networks: value and derivative of many small nets of one variable, with a hand-written gradient.

The nets of all type pairs are stacked, and the pairs of atoms are sorted by net, so that elementwise work is one call
for all pairs and only the small matrix products run net by net. The derivative with respect to the scalar input is
carried along with the value (forward mode), so that training needs one backward pass and no second derivative.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

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


class _DualLayer(torch.autograd.Function):
    """One layer y = tanh(x W + b) + skip(x) on (value, derivative) planes: x is [2, n, n_in], y is [2, n, n_out]."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx, x: Tensor, weight: Tensor, bias: Tensor, slices: Slices, with_skip: bool
    ) -> Tensor:
        pre = x.new_empty(2, x.shape[1], weight.shape[2])
        for net, first, last in slices:
            torch.addmm(bias[net], x[0, first:last], weight[net], out=pre[0, first:last])
            torch.mm(x[1, first:last], weight[net], out=pre[1, first:last])
        t = torch.tanh(pre[0])
        slope = 1.0 - t * t
        ctx.save_for_backward(x, weight, t, slope, pre[1])
        ctx.slices, ctx.with_skip = slices, with_skip
        y = torch.stack([t, slope * pre[1]])
        for part in _skipped(y, x.shape[2]) if with_skip else ():
            part += x
        return y

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override, no-untyped-def]
        x, weight, t, slope, tangent = ctx.saved_tensors
        back = torch.empty_like(grad)  # gradients of the pre-activation and of its derivative
        torch.mul(slope, grad[1], out=back[1])
        # d(slope * tangent)/d(pre) = -2 t slope tangent, and slope * grad[1] is already in back[1].
        torch.mul(t, tangent, out=back[0])
        back[0].mul_(grad[1]).mul_(-2.0).add_(grad[0]).mul_(slope)
        grad_weight, grad_bias = torch.zeros_like(weight), weight.new_zeros(weight.shape[0], weight.shape[2])
        needs_x = ctx.needs_input_grad[0]
        grad_x = torch.empty_like(x) if needs_x else None
        for net, first, last in ctx.slices:
            for plane in (0, 1):
                rows = back[plane, first:last]
                grad_weight[net].addmm_(x[plane, first:last].t(), rows)
                if grad_x is not None:
                    torch.mm(rows, weight[net].t(), out=grad_x[plane, first:last])
            grad_bias[net] += back[0, first:last].sum(0)
        if grad_x is not None and ctx.with_skip:
            for part in _skipped(grad, x.shape[2]):
                grad_x += part
        return grad_x, grad_weight, grad_bias, None, None


def _skipped(y: Tensor, n_in: int) -> Iterator[Tensor]:
    """The parts of a layer's output that its input is added to."""
    n_out = y.shape[-1]
    if n_out in (n_in, 2 * n_in):
        yield from y.split(n_in, dim=-1)
