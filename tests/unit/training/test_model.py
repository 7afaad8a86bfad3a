"""The float model: forces and virial against finite differences, symmetries, edge cases."""

import numpy as np
import pytest
import torch
from small_models import TRICLINIC, evaluate, prepare, random_frame, random_model

from nvnmd.training.collate import collate

FORMS = ["se_e2_a", "se_atten"]
SMALL = TRICLINIC * 0.5  # narrower than the cutoff: every atom sees several images, itself included


def numerical_forces(model, positions, cell, types, step=1e-4):
    forces = np.zeros_like(positions)
    for index in np.ndindex(*positions.shape):
        ends = []
        for sign in (1, -1):
            moved = positions.copy()
            moved[index] += sign * step
            ends.append(evaluate(model, moved, cell, types)[0])
        forces[index] = -(ends[0] - ends[1]) / (2 * step)
    return forces


def numerical_virial(model, positions, cell, types, step=1e-4):
    virial = np.zeros((3, 3))
    for a, b in np.ndindex(3, 3):
        ends = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * step
            ends.append(evaluate(model, positions @ strain, cell @ strain, types)[0])
        virial[a, b] = -(ends[0] - ends[1]) / (2 * step)
    return virial


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("cell", "n_atoms"), [(TRICLINIC, 8), (SMALL, 2)])
def test_forces_and_virial_are_derivatives_of_the_energy(form, cell, n_atoms):
    model = random_model(form)
    frame = random_frame(n_atoms, cell=cell, closest=1.5)
    _energy, forces, virial = evaluate(model, *frame)
    assert np.abs(forces).max() > 1e-2
    assert np.abs(virial).max() > 1e-2
    np.testing.assert_allclose(forces, numerical_forces(model, *frame), atol=2e-6)
    np.testing.assert_allclose(virial, numerical_virial(model, *frame), atol=5e-6)


def test_guard_acts_between_close_atoms_and_its_forces_are_derivatives():
    model = random_model()
    frame = np.array([[0.0, 0.0, 0.0], [1.7, 0.3, 0.2]]), np.eye(3) * 20, np.array([0, 1])
    bare = random_model(guard=False)
    assert evaluate(model, *frame)[0] > evaluate(bare, *frame)[0] + 0.1
    np.testing.assert_allclose(evaluate(model, *frame)[1], numerical_forces(model, *frame), atol=1e-5)
    np.testing.assert_allclose(evaluate(model, *frame)[2], numerical_virial(model, *frame), atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_rotation_translation_permutation(form):
    model = random_model(form, ("Ge", "Sb", "Te"))
    positions, cell, types = random_frame(9, n_types=3, seed=4)
    energy, forces, virial = evaluate(model, positions, cell, types)
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    rotated = evaluate(model, positions @ rotation, cell @ rotation, types)
    assert rotated[0] == pytest.approx(energy, abs=1e-10)
    np.testing.assert_allclose(rotated[1], forces @ rotation, atol=1e-10)
    np.testing.assert_allclose(rotated[2], rotation.T @ virial @ rotation, atol=1e-10)
    moved = evaluate(model, positions + np.array([3.0, -11.0, 0.7]), cell, types)
    np.testing.assert_allclose(moved[1], forces, atol=1e-10)
    shuffle = np.random.default_rng(2).permutation(9)
    np.testing.assert_allclose(
        evaluate(model, positions[shuffle], cell, types[shuffle])[1], forces[shuffle], atol=1e-10
    )


def test_forces_sum_to_zero():
    forces = evaluate(random_model(), *random_frame(10))[1]
    np.testing.assert_allclose(forces.sum(0), 0.0, atol=1e-12)


def test_supercell_has_the_same_energy_per_atom_and_forces():
    model = random_model()
    positions, cell, types = random_frame(2, cell=SMALL, closest=1.5)
    energy, forces, virial = evaluate(model, positions, cell, types)
    shifts = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]) @ cell
    large = np.concatenate([positions + shift for shift in shifts])
    repeated = evaluate(model, large, 2 * cell, np.tile(types, 8))
    assert repeated[0] == pytest.approx(8 * energy, rel=1e-12)
    np.testing.assert_allclose(repeated[1], np.tile(forces, (8, 1)), atol=1e-10)
    np.testing.assert_allclose(repeated[2], 8 * virial, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_atoms", [1, 2])
def test_atoms_without_neighbors_have_a_constant_energy(form, n_atoms):
    model = random_model(form)
    positions = np.arange(n_atoms)[:, None] * np.array([[6.0, 0.0, 0.0]])
    types = np.arange(n_atoms)
    energy, forces, virial = evaluate(model, positions, np.eye(3) * 30, types)
    alone = [evaluate(model, positions[:1], np.eye(3) * 50, types[k : k + 1])[0] for k in range(n_atoms)]
    assert energy == pytest.approx(sum(alone), abs=1e-12)
    assert not forces.any()
    assert not virial.any()


def test_a_pair_without_periodicity_is_the_same_pair_in_a_large_cell():
    model = random_model()
    positions, types = np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0]]), np.array([0, 1])
    free = evaluate(model, positions, np.zeros((3, 3)), types, periodic=False)
    boxed = evaluate(model, positions, np.eye(3) * 40, types)
    assert free[0] == pytest.approx(boxed[0], abs=1e-12)
    np.testing.assert_allclose(free[1], boxed[1], atol=1e-12)


def test_energy_and_forces_vanish_smoothly_at_the_cutoff():
    model = random_model(guard=False)
    types = np.array([0, 1])

    def pair(r):
        return evaluate(model, np.array([[0.0, 0, 0], [r, 0, 0]]), np.zeros((3, 3)), types, periodic=False)

    apart = pair(5.5)
    near = pair(5.0 - 1e-3)
    assert near[0] == pytest.approx(apart[0], abs=1e-7)
    assert np.abs(near[1]).max() < 1e-4


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_of_different_frames_gives_what_each_gives_alone(form):
    model = random_model(form, ("Ge", "Sb", "Te"))
    frames = [random_frame(n, n_types=3, seed=n) for n in (5, 9, 1)]
    frames.append((np.array([[1.0, 2.0, 3.0]]), np.eye(3) * 30, np.array([2])))
    prepared = [prepare(model, *frame) for frame in frames]
    together, first = model(collate(prepared)), 0
    for k, batch in enumerate(prepared):
        alone = model(batch)
        torch.testing.assert_close(together.energies[k : k + 1], alone.energies)
        torch.testing.assert_close(together.forces[:, first : first + batch.n_atoms], alone.forces)
        torch.testing.assert_close(together.virials[k : k + 1], alone.virials)
        first += batch.n_atoms


@pytest.mark.parametrize("form", FORMS)
def test_gradients_of_a_loss_on_energy_forces_and_virial(form):
    """The hand-written backward passes against numerical derivatives with respect to every parameter."""
    model = random_model(form, neuron=(2, 4), fitting_neuron=(3, 3), axis_neuron=2)
    batch = prepare(model, *random_frame(5, seed=5))
    names = [name for name, _ in model.named_parameters()]

    def outputs(*values):
        out = torch.func.functional_call(model, dict(zip(names, values, strict=True)), (batch,))
        return out.energies, out.forces, out.virials

    values = [p.detach().clone().requires_grad_() for p in model.parameters()]
    assert torch.autograd.gradcheck(outputs, values, atol=1e-6, rtol=1e-4)
