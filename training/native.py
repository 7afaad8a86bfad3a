"""The compiled form of the model, FP32 on a CPU; `descriptor`, `embedding` and `fitting` are its torch form.

Nets, contractions and forces of one center stay in the processor's first cache, where the torch form moves every
intermediate value through memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.training import _native
from nvnmd.training._native import FittingStage, Known, PairStage, PairTable
from nvnmd.training.pairs import Pairs

if TYPE_CHECKING:
    from nvnmd.training.batch import Batch, Labels
    from nvnmd.training.model import DeepPot


_threads: int | None = None


def threads() -> int:
    """Threads that a call may use."""
    return torch.get_num_threads() if _threads is None else _threads


@contextmanager
def own_threads() -> Iterator[None]:
    """Leave torch one thread and keep the others: its idle ones spin on the cores that the compiled step wants.

    Memory that a step frees stays with the process from here on, for the next one: asking the system for it again took
    a twentieth of a step.
    """
    global _threads
    _native.keep_freed_memory()
    before, _threads = _threads, threads()
    of_torch = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(of_torch)
        _threads = before


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


def parameters(model: DeepPot) -> list[Tensor]:
    """What the compiled form trains, in the order of its gradients."""
    gate = [] if model.gate is None else [model.gate]
    return [*gate, *itertools.chain(*model.embedding.stacks, *model.fitting.stacks)]


class Pass:
    """A forward pass and what the backward pass after it needs; the parameters must stay as they are between them."""

    def __init__(self, model: DeepPot, batch: Batch, virial: bool) -> None:
        weights, biases = model.embedding.stacks
        self._pairs = pair_stage(model.shape.nets, weights, biases, model.gate)
        self._fit = fitting_stage(model)
        self._table, self._batch, self._virial, self._width = batch.table, batch, virial, model.shape.neuron[-1]
        self._sizes = [parameter.shape for parameter in parameters(model)]
        self._layers, self._gated = (
            (len(model.embedding.stacks[0]), len(model.fitting.stacks[0])),
            model.gate is not None,
        )

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Energies [n_atoms] in eV, forces [n_atoms, 3] in eV/angstrom, virials [n_frames, 9] in eV, or zeros."""
        batch, table, n_atoms = self._batch, self._table, self._batch.n_atoms
        g, derivative = torch.empty(2, table.n_pairs, self._pairs.stride).numpy()
        x, by_x = torch.empty(2, n_atoms, 4, self._width).numpy()
        energy, force, virials = torch.empty(n_atoms), torch.zeros(n_atoms, 3), torch.zeros(batch.n_frames, 9)
        self._pairs.channels(table, g, derivative, x)
        order = None if batch.by_type is None else batch.by_type.numpy()
        self._fit.forward(x, order, list(batch.type_counts), energy.numpy(), by_x)
        self._pairs.forces(table, g, derivative, by_x, force.numpy(), virials.numpy() if self._virial else None)
        self._values = g, derivative, by_x
        return energy, force, virials

    def backward(self, by_energy: Tensor, by_force: Tensor, by_virials: Tensor | None) -> list[Tensor]:
        """Gradients by `parameters`, from those by the three results of `forward`."""
        table, (g, derivative, by_x) = self._table, self._values
        grads = [torch.zeros(size) for size in self._sizes]
        arrays = iter([grad.numpy() for grad in grads])
        gate = next(arrays) if self._gated else None
        (weights, biases), fitting = ([[next(arrays) for _ in range(n)] for _ in range(2)] for n in self._layers)
        forces = by_force.contiguous().numpy()
        virials = by_virials.contiguous().numpy() if self._virial and by_virials is not None else None
        by_inputs, by_gradients = torch.empty(2, *by_x.shape).numpy()
        self._pairs.forces_backward(table, g, derivative, forces, virials, by_gradients)
        self._fit.backward(by_energy.contiguous().numpy(), by_gradients, by_inputs, *fitting)
        self._pairs.channels_backward(table, by_inputs, by_x, forces, virials, weights, biases, gate)
        return grads


def known(batch: Batch, labels: Labels) -> Known:
    """Labels and guard of a batch on the CPU in FP32; the tensors' memory is shared."""
    of_guard = batch.guard_atomic, batch.guard_forces.contiguous(), batch.guard_virials
    of_labels = labels.energies, labels.forces.contiguous(), labels.virials, labels.has_virial
    values = [value.numpy() for value in (*of_guard, *of_labels)]
    return Known(batch.frame_of_atom.numpy(), list(batch.atoms), *values)


def loss(
    energies: Tensor,
    forces: Tensor,
    virials: Tensor | None = None,
    *,
    batch: Batch,
    prefactors: tuple[float, float, float],
    counts: tuple[int, int, int],
) -> tuple[Sequence[float], tuple[Tensor, Tensor, Tensor | None]]:
    """`loss.loss` in compiled form, of what `Pass.forward` found.

    Returns:
        Total, energy, force and virial terms, and the gradients of the total by the three values.
    """
    by_energies, by_forces = torch.empty_like(energies), torch.empty_like(forces)
    by_virials = None if virials is None or not counts[2] else torch.empty_like(virials)
    said = energies.numpy(), forces.numpy(), None if virials is None or by_virials is None else virials.numpy()
    into = by_energies.numpy(), by_forces.numpy(), None if by_virials is None else by_virials.numpy()
    terms = _native.loss(*said, batch.known, prefactors, counts, *into)
    return terms, (by_energies, by_forces, by_virials)


def potential(model: DeepPot, batch: Batch, virial: bool) -> tuple[Tensor, Tensor, Tensor]:
    """`Pass.forward`, differentiable by torch."""
    energy, force, virials = _Potential.apply(Pass(model, batch, virial), *parameters(model))
    return energy, force, virials


class _Potential(torch.autograd.Function):
    """Parameters -> energies, forces, virials, and the vector-Jacobian product of all three."""

    @staticmethod
    def forward(ctx: Any, passed: Pass, *_: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        ctx.passed = passed
        return passed.forward()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:  # type: ignore[override]
        return None, *ctx.passed.backward(*grads)


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
    _native.soap_step(values, grads, *_stacks(state), rates, threads())


def complete(grads: Sequence[Tensor]) -> bool:
    """Whether no row of gradients that have rows begins with zero."""
    return bool(_native.complete([grad.contiguous().numpy() for grad in grads]))


def soap_turn(state: dict[str, Any]) -> None:
    """`Soap._turn` in compiled form; changes the state in place."""
    _native.soap_turn(*_stacks(state), threads())


def _stacks(state: dict[str, Any]) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """What SOAP keeps of matrices of one size, and their axes."""
    kept = [state[name].numpy() for name in ("mean", "square", "left", "right")]
    return kept, [state[f"{side}_axes"].numpy() for side in ("left", "right")]
