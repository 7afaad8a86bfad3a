"""Embedding networks: value and derivative of many small nets of one variable, with a hand-written gradient.

The nets of all type pairs are stacked, and the pairs of atoms are sorted by net. The derivative with respect to the
scalar input is carried along with the value (forward mode), so that training needs one backward pass and no second
derivative. Pairs go through all layers in blocks that stay in the processor's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from nvnmd.training.padded import Padded

_BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Block:
    """Consecutive packed pairs that share a net.

    Attributes:
        net: which net; first, last: rows, `last` excluded.
        gates: (gate, first, last) of the pairs of one kind in the block, rows counted from the block's first.
    """

    net: int
    first: int
    last: int
    gates: tuple[tuple[int, int, int], ...]


@lru_cache(maxsize=1024)
def blocks(pair_counts: tuple[int, ...], nets: tuple[int, ...]) -> tuple[Block, ...]:
    """Cut packed pairs into blocks.

    Args:
        pair_counts: pairs of each kind (ordered pair of types), in packed order.
        nets: net of each kind.
    """
    starts = [0, *itertools.accumulate(pair_counts)]
    found = []
    for net, group in itertools.groupby(range(len(nets)), key=nets.__getitem__):
        kinds = list(group)
        for first in range(starts[kinds[0]], starts[kinds[-1] + 1], _BLOCK_ROWS):
            last = min(first + _BLOCK_ROWS, starts[kinds[-1] + 1])
            overlaps = [(k, max(starts[k], first) - first, min(starts[k + 1], last) - first) for k in kinds]
            found.append(Block(net, first, last, tuple(o for o in overlaps if o[1] < o[2])))
    return tuple(found)


class EmbeddingNets(nn.Module):
    """`n_nets` tanh networks 1 -> neuron[0] -> ... -> neuron[-1] with DeePMD-kit's skip connections.

    A layer's input is added to its tanh at equal width, and twice over at double width; the first layer has no skip.

    Attributes:
        weights: per layer [n_nets, n_in, n_out].
        biases: per layer [n_nets, n_out].
    """

    def __init__(self, n_nets: int, neuron: Sequence[int], generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for n_in, n_out in itertools.pairwise([1, *neuron]):
            scale = (n_in + n_out) ** -0.5
            self.weights.append(nn.Parameter(torch.randn(n_nets, n_in, n_out, generator=generator) * scale))
            self.biases.append(nn.Parameter(torch.randn(n_nets, n_out, generator=generator)))

    @cached_property
    def stacks(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Weights and biases as plain lists, which a step walks through in a tenth of the time."""
        return list(self.weights), list(self.biases)

    def forward(self, batch: Padded, nets: tuple[int, ...], gate: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """G of every pair and its derivative with respect to the net's input.

        Args:
            batch: its `inputs` go through the nets.
            nets: net of each ordered pair of types.
            gate: [n_types^2, M1]; G is multiplied by 1 + gate of its pair of types. None: no gate.

        Returns:
            G, dG/d(input): each [n_atoms, width, M1]; padding places hold the numbers of some real pair.
        """
        value, derivative = _DualNets.apply(batch, nets, gate, *self.weights, *self.biases)
        return value, derivative

    def value(self, inputs: Tensor, net: int) -> Tensor:
        """G of one net before any gate, [n, M1], by plain operations; for tables and tests. `inputs`: [n]."""
        x = inputs.unsqueeze(1)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out = torch.tanh(x @ weight[net] + bias[net])
            copies = len(_skipped(x.shape[1], out.shape[1])) if layer else 0
            x = out + torch.cat([x] * copies, dim=1) if copies else out
        return x


def tanh_(x: Tensor) -> Tensor:
    """tanh in place; on a CPU the vectorized logistic function is several times faster than torch.tanh."""
    return x.mul_(2.0).sigmoid_().mul_(2.0).sub_(1.0)


class _DualNets(torch.autograd.Function):
    """(weights, biases, gate) -> (G, dG/d(input)), padded; and the vector-Jacobian product of both."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, batch: Padded, nets: tuple[int, ...], gate: Tensor | None, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        n = len(parameters) // 2
        packed = parameters[0].new_empty(2, batch.inputs.numel(), parameters[n - 1].shape[2])
        saved: list[Tensor] = []
        ctx.blocks = blocks(batch.counts, nets)
        for block in ctx.blocks:
            z = batch.inputs[block.first : block.last]
            x = torch.stack([z, torch.ones_like(z)]).unsqueeze(2)
            for layer in range(n):
                saved.append(x)
                weight, bias = parameters[layer][block.net], parameters[n + layer][block.net]
                x, *rest = _layer(x, weight, bias, layer > 0)
                saved.extend(rest)
            saved.append(x)
            _gated(x, gate, block, out=packed[:, block.first : block.last])
        ctx.batch, ctx.n, ctx.has_gate = batch, n, gate is not None
        ctx.save_for_backward(*parameters, *([gate] if gate is not None else []), *saved)
        shape = batch.n_atoms, batch.width, packed.shape[2]
        value, derivative = (plane.index_select(0, batch.padded_rows).view(shape) for plane in packed)
        return value, derivative

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        n, saved = ctx.n, iter(ctx.saved_tensors)
        parameters = list(itertools.islice(saved, 2 * n))
        gate = next(saved) if ctx.has_gate else None
        grad_parameters = [torch.zeros_like(p) for p in parameters]
        grad_gate = torch.zeros_like(gate) if gate is not None else None
        rows = [grad.reshape(-1, grad.shape[2]) for grad in grads]
        for block in ctx.blocks:
            layers = [tuple(itertools.islice(saved, 4)) for _ in range(n)]
            channels = next(saved)
            places = ctx.batch.places[block.first : block.last]
            grad = torch.stack([plane.index_select(0, places) for plane in rows])
            if gate is not None and grad_gate is not None:
                _gate_backward(grad, channels, gate, grad_gate, block)
            for layer in range(n - 1, -1, -1):
                weight = parameters[layer][block.net] if layer else None
                into = grad_parameters[layer][block.net], grad_parameters[n + layer][block.net]
                grad = _layer_backward(grad, layers[layer], weight, into)
        return None, None, grad_gate, *grad_parameters


def _layer(x: Tensor, weight: Tensor, bias: Tensor, with_skip: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One layer y = tanh(x W + b) + skip(x) on two planes, value and derivative: [2, n, n_in] to y [2, n, n_out].

    Returns:
        y, then what the backward pass needs: t = tanh(x W + b), 1 - t^2, and the derivative of t; each [n, n_out].
    """
    y = (x.view(-1, x.shape[2]) @ weight).view(2, x.shape[1], weight.shape[1])
    t, rise = y
    tanh_(t.add_(bias))
    slope = torch.addcmul(t.new_ones(()), t, t, value=-1.0)
    rise.mul_(slope)
    parts = _skipped(x.shape[2], y.shape[2]) if with_skip else ()
    if not parts:
        return y, t, slope, rise
    with_input = torch.empty_like(y)
    for part in parts:
        torch.add(y[:, :, part], x, out=with_input[:, :, part])
    return with_input, t, slope, rise


def _layer_backward(
    grad: Tensor, saved: tuple[Tensor, ...], weight: Tensor | None, into: tuple[Tensor, Tensor]
) -> Tensor:
    """Gradient of a layer's input from that of its output; adds those of weight and bias to `into`.

    Args:
        grad: [2, n, n_out].
        saved: x, t, slope, rise of `_layer`.
        weight: [n_in, n_out]; None for the first layer, whose input needs no gradient.
    """
    x, t, slope, rise = saved
    # Gradients of the pre-activation and of its derivative; the slope 1 - t^2 itself depends on the former.
    back = slope * grad
    back[0].addcmul_(t * rise, grad[1], value=-2.0)
    flat = back.view(-1, back.shape[2])
    into[0].addmm_(x.view(-1, x.shape[2]).t(), flat)
    into[1].add_(back[0].sum(0))
    if weight is None:
        return grad
    grad_x = (flat @ weight.t()).view(x.shape)
    for part in _skipped(x.shape[2], grad.shape[2]):
        grad_x += grad[:, :, part]
    return grad_x


def _gated(channels: Tensor, gate: Tensor | None, block: Block, out: Tensor) -> None:
    """Write channels (1 + gate) to `out`, both [2, n, M1]."""
    if gate is None:
        out.copy_(channels)
        return
    for kind, first, last in block.gates:
        torch.mul(channels[:, first:last], 1.0 + gate[kind], out=out[:, first:last])


def _gate_backward(grad: Tensor, channels: Tensor, gate: Tensor, into: Tensor, block: Block) -> None:
    """Turn the gradient of the gated channels into that of the channels, in place, adding the gate's to `into`."""
    for kind, first, last in block.gates:
        rows = grad[:, first:last]
        into[kind] += (rows * channels[:, first:last]).sum((0, 1))
        rows.mul_(1.0 + gate[kind])


def _skipped(n_in: int, n_out: int) -> tuple[slice, ...]:
    """The columns of a layer's output that its input is added to."""
    if n_out == n_in:
        return (slice(0, n_in),)
    return (slice(0, n_in), slice(n_in, n_out)) if n_out == 2 * n_in else ()
