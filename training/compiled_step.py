"""Loss and gradients of the compiled model without autograd, whose bookkeeping took a tenth of a step."""

from __future__ import annotations

import torch

from nvnmd.training import native
from nvnmd.training.batch import Batch
from nvnmd.training.loss import Counts, LossTerms, Prefactors, loss_and_gradients
from nvnmd.training.model import DeepPot


@torch.no_grad()
def set_gradients(
    model: DeepPot, batch: Batch, prefactors: Prefactors, counts: Counts | None, virial: bool
) -> LossTerms:
    """The same as `loss(model(batch, virial), batch, prefactors, counts).total.backward()` on cleared gradients.

    Args:
        model: one that `native.runs_here`.
        batch: with labels.
        counts: of the whole batch where this is a part of it.
        virial: whether virials count.
    """
    passed = native.Pass(model, batch, virial)
    atomic, forces, virials = passed.forward()
    found = model.prediction(atomic, forces.t(), virials.view(-1, 3, 3) if virial else None, batch)
    values = found.energies, found.forces, found.virials
    terms, (by_energy, by_force, by_virial) = loss_and_gradients(*values, batch, prefactors, counts)
    by_atom = by_energy.index_select(0, batch.frame_of_atom)
    grads = passed.backward(by_atom, by_force.t(), None if by_virial is None else by_virial.view(-1, 9))
    for parameter, grad in zip(native.parameters(model), grads, strict=True):
        parameter.grad = grad
    return terms
