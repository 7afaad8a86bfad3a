"""Loss and gradients of the compiled model without autograd, whose bookkeeping took a tenth of a step."""

from __future__ import annotations

import torch

from nvnmd.training import native
from nvnmd.training.batch import Batch
from nvnmd.training.loss import Counts, LossTerms, Prefactors
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
    counts = Counts.of(batch) if counts is None else counts
    weights = prefactors.energy, prefactors.force, prefactors.virial
    values = passed.forward()
    terms, by_values = native.loss(
        *(values if virial else values[:2]),
        batch=batch,
        prefactors=weights,
        counts=(counts.frames, counts.atoms, counts.virials),
    )
    grads = passed.backward(*by_values)
    for parameter, grad in zip(native.parameters(model), grads, strict=True):
        parameter.grad = grad
    return LossTerms(*(torch.tensor(value, dtype=torch.float32) for value in terms))
