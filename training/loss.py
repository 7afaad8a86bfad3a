"""The loss of DeePMD-kit and its prefactors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nvnmd.training.batch import Batch
from nvnmd.training.model import Prediction
from nvnmd.training.settings import LossSettings


@dataclass(frozen=True)
class Prefactors:
    """Weights of the energy, force and virial terms at one step."""

    energy: float
    force: float
    virial: float

    @classmethod
    def at(cls, settings: LossSettings, progress: float) -> Prefactors:
        """limit + (start - limit) * progress, where progress is the learning rate over its start value."""
        s = settings
        return cls(
            s.limit_pref_e + (s.start_pref_e - s.limit_pref_e) * progress,
            s.limit_pref_f + (s.start_pref_f - s.limit_pref_f) * progress,
            s.limit_pref_v + (s.start_pref_v - s.limit_pref_v) * progress,
        )


@dataclass(frozen=True)
class LossTerms:
    """The loss and the mean squared errors it is made of.

    Attributes:
        total: scalar to differentiate.
        energy: (eV/atom)^2; force: (eV/angstrom)^2; virial: (eV/atom)^2, NaN without virial labels.
    """

    total: Tensor
    energy: Tensor
    force: Tensor
    virial: Tensor


@dataclass(frozen=True)
class Counts:
    """What the means of a loss are taken over.

    Attributes:
        frames, atoms: of the batch; virials: frames with virial labels.
    """

    frames: int
    atoms: int
    virials: int

    @classmethod
    def of(cls, batch: Batch) -> Counts:
        """Of a labeled batch."""
        assert batch.labels is not None
        return cls(len(batch.atoms), sum(batch.atoms), int(batch.labels.has_virial.sum()))


def loss(prediction: Prediction, batch: Batch, prefactors: Prefactors, counts: Counts | None = None) -> LossTerms:
    """DeePMD-kit's loss: p_e mean(dE^2 / n) + p_f mean(dF^2) + p_v mean(dW^2 / n), n the atoms of each frame.

    Mean over frames for energies, over components for forces and virials; frames without virial labels do not count.

    Args:
        counts: of the whole batch where this is a part of it; the terms of all parts then add up to the whole's.
    """
    values = prediction.energies, prediction.forces, prediction.virials
    return LossTerms(*_Loss.apply(*values, batch, prefactors, counts))


Gradients = tuple[Tensor, Tensor, Tensor | None]
"""Of a loss by energies [n_frames], forces [3, n_atoms] and virials [n_frames, 3, 3]; None where they do not count."""


def loss_and_gradients(
    energies: Tensor,
    forces: Tensor,
    virials: Tensor | None,
    batch: Batch,
    prefactors: Prefactors,
    counts: Counts | None,
) -> tuple[LossTerms, Gradients]:
    """`loss` of a prediction's tensors with its gradients written out, since building a graph of them takes longer."""
    labels = batch.labels
    assert labels is not None
    counts = Counts.of(batch) if counts is None else counts
    atoms = torch.tensor(batch.atoms, dtype=energies.dtype, device=energies.device)
    by_frame, by_component = (energies - labels.energies.to(energies.dtype)) / atoms, forces - labels.forces
    force = by_component.square().sum() / (3 * counts.atoms)
    energy = by_frame.square().sum() / counts.frames
    total = prefactors.energy / counts.frames * (by_frame.square() * atoms).sum() + prefactors.force * force
    virial, by_virial = torch.full_like(force, torch.nan), None
    if virials is not None and counts.virials:
        share = labels.has_virial.to(atoms.dtype) / counts.virials
        difference = virials - labels.virials
        squares = difference.square().mean((1, 2))
        total = total + prefactors.virial * (squares / atoms * share).sum()
        virial = (squares / atoms.square() * share).sum()
        by_virial = difference * (2.0 / 9 * prefactors.virial * share / atoms)[:, None, None]
    by_energy = by_frame * (2.0 * prefactors.energy / counts.frames)
    by_force = by_component * (2.0 * prefactors.force / (3 * counts.atoms))
    return LossTerms(total, energy, force, virial), (by_energy, by_force, by_virial)


class _Loss(torch.autograd.Function):
    """`loss_and_gradients` for autograd; only the total is differentiable."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        energies: Tensor,
        forces: Tensor,
        virials: Tensor | None,
        batch: Batch,
        prefactors: Prefactors,
        counts: Counts | None,
    ) -> tuple[Tensor, ...]:
        terms, ctx.gradients = loss_and_gradients(energies, forces, virials, batch, prefactors, counts)
        rest = terms.energy, terms.force, terms.virial
        ctx.mark_non_differentiable(*rest)
        return terms.total, *rest

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        return *(None if value is None else value * grad for value in ctx.gradients), None, None, None
