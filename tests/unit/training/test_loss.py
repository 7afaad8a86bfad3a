"""The loss and its prefactors against their formulas."""

import dataclasses

import numpy as np
import pytest
import torch
from small_models import labeled_system, prepare, random_model

from nvnmd.training.collate import collate
from nvnmd.training.loss import Prefactors, loss
from nvnmd.training.model import Prediction
from nvnmd.training.prepare import with_labels
from nvnmd.training.settings import LossSettings


def test_prefactors_go_from_start_to_limit():
    settings = LossSettings(start_pref_e=0.02, limit_pref_e=2, start_pref_f=1000, limit_pref_f=1, start_pref_v=0.5)
    expected = {1.0: (0.02, 1000, 0.5), 0.0: (2, 1, 0), 0.25: (0.02 + 1.98 * 0.75, 1 + 999 / 4, 0.125)}
    for progress, values in expected.items():
        assert dataclasses.astuple(Prefactors.at(settings, progress)) == pytest.approx(values)


def two_labeled_frames(model):
    """Batches of eight and five atoms, the first with a virial."""
    batches = []
    for n in (8, 5):
        system = labeled_system(random_model(seed=9), 1, n, seed=n, virials=n == 8)
        batch = prepare(model, system.positions[0], system.cells[0], system.types)
        virial = None if system.virials is None else system.virials[0]
        batches.append(with_labels(batch, system.energies[0], system.forces[0], virial))
    return batches


def test_loss_is_the_formula_over_frames_of_different_sizes():
    model = random_model()
    batches = two_labeled_frames(model)
    outs = [model(batch) for batch in batches]
    energy = [(out.energies - batch.labels.energies).item() for out, batch in zip(outs, batches, strict=True)]
    force = np.concatenate(
        [(o.forces - b.labels.forces).detach().numpy().ravel() for o, b in zip(outs, batches, strict=True)]
    )
    virial = (outs[0].virials - batches[0].labels.virials).detach().numpy()
    expected = (
        2.0 * np.mean([energy[0] ** 2 / 8, energy[1] ** 2 / 5]) + 3.0 * np.mean(force**2) + 4.0 * np.mean(virial**2) / 8
    )
    joint = collate(batches)
    terms = loss(model(joint), joint, Prefactors(2.0, 3.0, 4.0))
    assert terms.total.item() == pytest.approx(expected, rel=1e-12)
    assert terms.energy.item() == pytest.approx(np.mean([(energy[0] / 8) ** 2, (energy[1] / 5) ** 2]), rel=1e-12)
    assert terms.virial.item() == pytest.approx(np.mean(virial**2) / 64, rel=1e-12)


def test_without_virial_labels_the_virial_error_is_unknown():
    model, system = random_model(), labeled_system(random_model(seed=9), 1, virials=False)
    batch = prepare(model, system.positions[0], system.cells[0], system.types)
    batch = with_labels(batch, system.energies[0], system.forces[0], None)
    terms = loss(model(batch), batch, Prefactors(1.0, 1.0, 1.0))
    assert torch.isnan(terms.virial)
    assert torch.isfinite(terms.total)


def test_gradients_are_those_of_the_formula():
    model = random_model()
    joint = collate(two_labeled_frames(model))
    found = model(joint)
    values = [value.detach().requires_grad_() for value in (found.energies, found.forces, found.virials)]

    def total(energies, forces, virials):
        return loss(Prediction(energies, forces, virials, found.atomic), joint, Prefactors(2.0, 3.0, 4.0)).total

    assert torch.autograd.gradcheck(total, values)
