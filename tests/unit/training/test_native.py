"""The compiled model against the torch form: values and gradients, to the rounding of float32."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from small_models import random_frame, random_model

from nvnmd.training import native
from nvnmd.training._native import PairTable
from nvnmd.training.collate import collate
from nvnmd.training.compiled_step import set_gradients
from nvnmd.training.loss import Prefactors, loss
from nvnmd.training.prepare import prepare_frame, with_labels

SIZES = {
    "demo": {},
    "odd widths": {"neuron": (5, 10, 21), "axis_neuron": 3},
    "wide": {"neuron": (8, 24, 48, 96)},
    "one layer": {"neuron": (16,)},
    "three types": {"type_map": ("Ge", "Sb", "Te"), "type_one_side": True},
    "halves": {"neuron": (8, 16, 32, 32)},
    "whole vectors": {"neuron": (16, 32), "fitting_neuron": (32, 32, 48)},
    "one hidden layer": {"fitting_neuron": (20,)},
    "gated": {"form": "se_atten", "neuron": (8, 16, 32)},
    "gated, three types": {"form": "se_atten", "type_map": ("Ge", "Sb", "Te"), "neuron": (6, 12)},
}


def batch_for(model, frames):
    return collate([prepare_frame(*frame, model.cutoffs(), dtype=torch.float32) for frame in frames])


def outcome(model, path, batch):
    """Energies, forces, virials, and the gradients of a loss that uses all of them."""
    model.zero_grad()
    energy, forces, virials = path(batch, True)
    weights = torch.linspace(-1, 1, forces.numel()).view(forces.shape)
    (energy.square().sum() + (forces * weights).sum() + forces.square().sum() + 0.1 * virials.square().sum()).backward()
    grads = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    return {"energy": energy.detach(), "forces": forces.detach(), "virials": virials.detach()} | grads


def assert_same(found, expected):
    for name, value in expected.items():
        scale = float(value.abs().max())
        torch.testing.assert_close(
            found[name], value, rtol=0, atol=2e-5 * scale + 1e-7, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("size", SIZES)
def test_compiled_form_is_the_torch_form(size):
    model = random_model(rcut=8.0, **SIZES[size]).float()
    n_types = model.shape.n_types
    # More than a block of neighbors of one type in the first frame; the second has other sizes.
    frames = [random_frame(12, n_types, seed=1, closest=1.9), random_frame(5, n_types, seed=2)]
    batch = batch_for(model, frames)
    assert torch.diff(batch.pairs.offsets).max() > 32
    assert_same(outcome(model, model._compiled, batch), outcome(model, model._plain, batch))


def test_lonely_atoms_and_frames_without_pairs():
    model = random_model().float()
    alone = (np.array([[0.0, 0, 0], [40.0, 0, 0], [43.0, 0, 0]]), np.eye(3) * 90, np.array([0, 1, 1]))
    empty = (np.zeros((1, 3)), np.eye(3) * 90, np.array([0]))
    batch = batch_for(model, [alone, empty])
    found = outcome(model, model._compiled, batch)
    assert_same(found, outcome(model, model._plain, batch))
    assert (found["forces"][:, 0] == 0).all()


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_threads_share_the_atoms(threads):
    model = random_model(form="se_atten").float()
    batch = batch_for(model, [random_frame(9, seed=4)])
    threads(1)
    one = outcome(model, model._compiled, batch)
    threads(3)
    assert_same(outcome(model, model._compiled, batch), one)


def test_torch_keeps_one_thread_and_gets_the_others_back(threads):
    threads(3)
    with native.own_threads():
        assert (torch.get_num_threads(), native.threads()) == (1, 3)
        with native.own_threads():
            assert native.threads() == 3
    assert (torch.get_num_threads(), native.threads()) == (3, 3)


def test_several_callers_and_a_forked_child_share_the_workers(threads):
    """One caller has the workers, others go on alone; a child has no threads of its parent and starts its own."""
    threads(2)
    model = random_model().float()
    batch = batch_for(model, [random_frame(9, seed=4)])
    expected = model._compiled(batch, True)[1].detach()
    with ThreadPoolExecutor(4) as pool:
        for forces in pool.map(lambda _: model._compiled(batch, True)[1].detach(), range(40)):
            assert torch.equal(forces, expected)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(0 if torch.equal(model._compiled(batch, True)[1], expected) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_more_atoms_than_a_block_of_the_fitting_nets():
    model = random_model(fitting_neuron=(32, 32)).float()
    batch = batch_for(model, [random_frame(10, 2, seed=seed) for seed in range(30)])
    assert min(batch.type_counts) > 128
    assert_same(outcome(model, model._compiled, batch), outcome(model, model._plain, batch))


def test_two_passes_do_not_disturb_each_other():
    """What a forward pass leaves for its backward pass belongs to it alone."""
    model = random_model().float()
    batches = [batch_for(model, [random_frame(n, seed=n)]) for n in (6, 9)]
    alone = [outcome(model, model._compiled, batch)["fitting.weights.0"] for batch in batches]
    model.zero_grad()
    passes = [model._compiled(batch, True) for batch in batches]
    for energy, forces, virials in reversed(passes):
        weights = torch.linspace(-1, 1, forces.numel()).view(forces.shape)
        loss = energy.square().sum() + (forces * weights).sum() + forces.square().sum() + 0.1 * virials.square().sum()
        loss.backward()
    assert_same({"sum": model.fitting.weights[0].grad}, {"sum": alone[0] + alone[1]})


def test_wrong_arrays_are_refused():
    model = random_model().float()
    batch = batch_for(model, [random_frame(6)])
    pairs = batch.pairs
    bad, atoms = (pairs.neighbors + 1).numpy(), batch.types.int().numpy()
    with pytest.raises(ValueError, match="out of range"):
        PairTable(pairs.offsets.numpy(), atoms, bad, np.zeros(6, np.int32), pairs.geometry.numpy(), 2)
    stage = native.pair_stage(model.shape.nets, list(model.embedding.weights), list(model.embedding.biases), None)
    short = np.empty(3, np.float32)
    with pytest.raises(ValueError, match="wrong size"):
        stage.channels(batch.table, short, short, short)
    fit = native.fitting_stage(model)
    with pytest.raises(ValueError, match="backward before forward"):
        fit.backward(short, short, short, [short], [short])
    with pytest.raises(ValueError, match="wrong size"):
        fit.forward(short, None, list(batch.type_counts), short, short)
    x, energy = np.zeros((6, 4, 16), np.float32), np.zeros(6, np.float32)
    with pytest.raises(ValueError, match="out of range"):
        fit.forward(x, np.arange(1, 7), list(batch.type_counts), energy, x.copy())


@pytest.mark.parametrize("form", ["se_e2_a", "se_atten"])
@pytest.mark.parametrize("virial", [False, True])
def test_a_step_without_autograd_has_its_loss_and_gradients(form, virial):
    model = random_model(form=form).float()
    labeled = [
        with_labels(
            batch_for(model, [random_frame(n, seed=n)]), 1.0, np.ones((n, 3)), 2 * np.eye(3) if n == 6 else None
        )
        for n in (6, 9)
    ]
    batch, prefactors = collate(labeled), Prefactors(2.0, 3.0, 4.0)
    expected = loss(model(batch, virial=virial), batch, prefactors)
    expected.total.backward()
    grads = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    found = set_gradients(model, batch, prefactors, None, virial)
    assert_same({name: parameter.grad for name, parameter in model.named_parameters()}, grads)
    for name in ("total", "energy", "force", *(["virial"] if virial else [])):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name).detach())
