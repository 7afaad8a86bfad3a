"""The compiled form of the model, FP32 on a CPU; `descriptor`, `embedding` and `fitting` are its torch form.

Nets, contractions and forces of one center stay in the processor's first cache, where the torch form moves every
intermediate value through memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nvnmd.training import _native
from nvnmd.training._native import FittingStage, PairStage, PairTable
from nvnmd.training.pairs import Pairs

if TYPE_CHECKING:
    from nvnmd.training.batch import Batch
    from nvnmd.training.model import DeepPot


_threads: int | None = None


def threads() -> int:
    """Threads that a call may use."""
    return torch.get_num_threads() if _threads is None else _threads


@contextmanager
def own_threads() -> Iterator[None]:
    """Leave torch one thread and keep the others: its idle ones spin on the cores that the compiled step wants."""
    global _threads
    before, _threads = _threads, threads()
    of_torch = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(of_torch)
        _threads = before


def side_by_side(work: Callable[[Tensor], Tensor], values: Sequence[Tensor]) -> list[Tensor]:
    """A function of each value, in as many threads as there are."""
    if threads() == 1:
        return [work(value) for value in values]
    with ThreadPoolExecutor(min(threads(), len(values))) as pool:
        return list(pool.map(work, values))


def runs_here(value: Tensor) -> bool:
    """Whether there is a compiled form for a tensor like this."""
    return value.dtype == torch.float32 and value.device.type == "cpu"


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
    return PairStage(round(len(nets) ** 0.5), list(nets), w, b, frozen, threads())


def fitting_stage(model: DeepPot) -> FittingStage:
    """Descriptor and fitting nets with the parameters as they are now."""
    shape, nets = model.shape, model.fitting
    w, b = ([value.detach().numpy() for value in values] for values in nets.stacks)
    sizes = shape.neuron[-1], shape.axis_neuron, shape.n_neighbors
    return FittingStage(*sizes, list(nets.skips), w, b, threads())


def potential(model: DeepPot, batch: Batch, virial: bool) -> tuple[Tensor, Tensor, Tensor]:
    """What the model says of a batch; its parameters must stay as they are until the backward pass.

    Returns:
        energies [n_atoms] in eV, forces [n_atoms, 3] in eV/angstrom, virials [n_frames, 9] in eV (zeros unless wanted).
    """
    lists = (*model.embedding.stacks, *model.fitting.stacks)
    energy, force, virials = _Potential.apply(model, batch, virial, model.gate, *itertools.chain(*lists))
    return energy, force, virials


class _Potential(torch.autograd.Function):
    """Parameters -> energies, forces, virials, and the vector-Jacobian product of all three."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, model: DeepPot, batch: Batch, virial: bool, gate: Tensor | None, *parameters: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        table, n_atoms, width = batch.table, batch.n_atoms, model.shape.neuron[-1]
        pairs = pair_stage(model.shape.nets, *model.embedding.stacks, gate)
        fit = fitting_stage(model)
        g, derivative = torch.empty(2, table.n_pairs, pairs.stride).numpy()
        x, by_x = torch.empty(2, n_atoms, 4, width).numpy()
        energy, force, virials = torch.empty(n_atoms), torch.zeros(n_atoms, 3), torch.zeros(batch.n_frames, 9)
        pairs.channels(table, g, derivative, x)
        order = None if batch.by_type is None else batch.by_type.numpy()
        fit.forward(x, order, list(batch.type_counts), energy.numpy(), by_x)
        pairs.forces(table, g, derivative, by_x, force.numpy(), virials.numpy() if virial else None)
        ctx.stages, ctx.table, ctx.virial = (pairs, fit), table, virial
        ctx.values, ctx.gate, ctx.parameters = (g, derivative, by_x), gate, parameters
        ctx.layers = len(model.embedding.stacks[0]), len(model.fitting.stacks[0])
        return energy, force, virials

    @staticmethod
    def backward(ctx: Any, grad_energy: Tensor, grad_force: Tensor, grad_virials: Tensor) -> Any:  # type: ignore[override]
        (pairs, fit), table, (g, derivative, by_x) = ctx.stages, ctx.table, ctx.values
        grads = [torch.zeros_like(parameter, requires_grad=False) for parameter in ctx.parameters]
        gate = None if ctx.gate is None else torch.zeros_like(ctx.gate, requires_grad=False)
        arrays = iter([grad.numpy() for grad in grads])
        n_embedding, n_fitting = ctx.layers
        embedding = [[next(arrays) for _ in range(n_embedding)] for _ in range(2)]
        fitting = [[next(arrays) for _ in range(n_fitting)] for _ in range(2)]
        by_force = grad_force.contiguous().numpy()
        by_virial = grad_virials.contiguous().numpy() if ctx.virial else None
        grad_x, grad_by_x = torch.empty(2, *by_x.shape).numpy()
        pairs.forces_backward(table, g, derivative, by_force, by_virial, grad_by_x)
        fit.backward(grad_energy.contiguous().numpy(), grad_by_x, grad_x, *fitting)
        into = None if gate is None else gate.numpy()
        pairs.channels_backward(table, grad_x, by_x, by_force, by_virial, *embedding, into)
        return None, None, None, gate, *grads


def soap_step(
    parameters: Sequence[Tensor], state: dict[str, Any], count: int, share: float, group: dict[str, Any]
) -> None:
    """Move stacked matrices of one size and their state, `Soap._move` in compiled form.

    Args:
        parameters: each [copies, n_in, n_out] with a gradient.
        state: of the optimizer, stacked over parameters and copies; changed in place.
        count: steps with this one.
        share: weight of this gradient in the preconditioner's means; 0 leaves them as they are.
        group: `lr`, `betas`, `eps`.
    """
    first, second, _ = group["betas"]
    rates = [group["lr"] / (1 - first**count), 1 - first, 1 - second, share, 1 / (1 - second**count), group["eps"]]
    values = [parameter.detach().numpy() for parameter in parameters]
    grads = [p.grad.contiguous().numpy() for p in parameters if p.grad is not None]
    kept = [state[name].numpy() for name in ("mean", "square", "left", "right")]
    turned = [state[f"{side}_axes"].numpy() for side in ("left", "right")]
    _native.soap_step(values, grads, kept, turned, rates, threads())
