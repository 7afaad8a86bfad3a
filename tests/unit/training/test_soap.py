"""SOAP on problems whose answer is known."""

import numpy as np
import pytest
import torch

from nvnmd.training.soap import Soap


def stretched_problem(sides=(24, 16), copies=2, seed=0):
    """Weights to find from products with inputs and outputs of very different scales along hidden axes."""
    generator = torch.Generator().manual_seed(seed)
    turns = [torch.linalg.qr(torch.randn(copies, n, n, generator=generator))[0] for n in sides]
    left, right = (t * torch.logspace(0, -2, t.shape[-1]) for t in turns)
    target = torch.randn(copies, *sides, generator=generator)

    def loss(weight):
        return (left.mT @ (weight - target) @ right).square().sum()

    return loss, torch.nn.Parameter(torch.zeros(copies, *sides))


def regression(make, rate, steps=400):
    """Mean square left after learning a linear map from batches of inputs that are long along hidden axes only."""
    generator = torch.Generator().manual_seed(0)
    axes = torch.linalg.qr(torch.randn(2, 24, 24, generator=generator))[0] * torch.logspace(0, -2, 24)
    target = torch.randn(2, 24, 16, generator=generator)
    weight = torch.nn.Parameter(torch.zeros_like(target))
    optimizer = make([weight])

    def loss(batch):
        return (torch.randn(2, batch, 24, generator=generator) @ axes.mT @ (weight - target)).square().mean()

    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / steps)
        optimizer.zero_grad()
        loss(32).backward()
        optimizer.step()
    return float(loss(4000).detach())


def test_it_finds_the_axes_that_adam_cannot():
    adam = min(regression(torch.optim.Adam, rate) for rate in (0.03, 0.1, 0.3))
    assert regression(Soap, 0.1) < 0.05 * adam


def test_other_parameters_are_adams():
    """Vectors and narrow matrices take Adam's steps to the bit; betas as given."""
    torch.manual_seed(0)
    starts = [torch.randn(2, 7), torch.randn(3, 4, 40), torch.randn(2, 5, 1)]
    ours, theirs = ([torch.nn.Parameter(s.clone()) for s in starts] for _ in range(2))
    soap, adam = Soap(ours, lr=0.01), torch.optim.Adam(theirs, lr=0.01, betas=(0.95, 0.95), fused=True)
    for _ in range(5):
        for a, b in zip(ours, theirs, strict=True):
            b.grad = torch.randn_like(b)
            a.grad = b.grad.clone()
        soap.step()
        adam.step()
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a, b)


def test_matrices_of_one_size_do_not_mix():
    """Two parameters side by side move as each does alone."""

    def run(which):
        problems = [stretched_problem(seed=seed) for seed in which]
        optimizer = Soap([weight for _, weight in problems], lr=0.05)
        for _ in range(25):
            optimizer.zero_grad()
            sum(loss(weight) for loss, weight in problems).backward()
            optimizer.step()
        return [weight.detach() for _, weight in problems]

    together = run([1, 2])
    for alone, weight in zip((run([1])[0], run([2])[0]), together, strict=True):
        torch.testing.assert_close(weight, alone, rtol=1e-4, atol=1e-5)


def test_it_continues_from_its_state():
    def steps(optimizer, loss, weight, count):
        for _ in range(count):
            optimizer.zero_grad()
            loss(weight).backward()
            optimizer.step()

    loss, straight = stretched_problem()
    steps(Soap([straight], lr=0.05), loss, straight, 24)
    _, first = stretched_problem()
    begun = Soap([first], lr=0.05)
    steps(begun, loss, first, 11)
    second = torch.nn.Parameter(first.detach().clone())
    resumed = Soap([second], lr=0.05)
    resumed.load_state_dict(begun.state_dict())
    steps(resumed, loss, second, 13)
    assert torch.equal(second, straight)


def test_a_state_without_the_choice_gathers_each_time():
    """Runs that were begun before `gather` existed go on as they were."""
    loss, weight = stretched_problem()
    optimizer = Soap([weight], lr=0.05, gather=1)
    loss(weight).backward()
    optimizer.step()
    saved = optimizer.state_dict()
    for group in saved["param_groups"]:
        del group["gather"]
    resumed = Soap([weight], lr=0.05)
    resumed.load_state_dict(saved)
    assert [group["gather"] for group in resumed.param_groups] == [1]


@pytest.mark.parametrize("copies", [1, 3])
def test_gradients_of_zero_change_nothing(copies):
    weight = torch.nn.Parameter(torch.ones(copies, 16, 16))
    optimizer = Soap([weight])
    for _ in range(12):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
    assert np.array_equal(weight.detach().numpy(), np.ones((copies, 16, 16)))


def test_what_the_batch_has_nothing_of_stays_as_it_is():
    generator = torch.Generator().manual_seed(0)
    parameters = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((3, 32, 32), (3, 32))]
    optimizer = Soap(parameters)
    for step in range(60):
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
            parameter.grad[1] *= step % 3 == 0
        before = [parameter.detach().clone() for parameter in parameters]
        squares = [optimizer.state[p]["square"].clone() for p in parameters if step]
        optimizer.step()
        for k, parameter in enumerate(parameters):
            moved = [bool((parameter[row] != before[k][row]).any()) for row in range(3)]
            assert moved == [step > 0 or k == 1, step % 3 == 0 and (step > 0 or k == 1), step > 0 or k == 1]
            if step % 3:
                assert torch.equal(optimizer.state[parameter]["square"][1], squares[k][1])


def test_the_mean_gradient_of_an_absent_element_stays_when_axes_turn():
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn((2, 16, 24), generator=generator))
    optimizer = Soap([weight], every=4, gather=1)
    for _ in range(4):  # the first call finds the axes
        weight.grad = torch.randn(weight.shape, generator=generator)
        optimizer.step()
    state = optimizer.state[weight]

    def mean():
        return (state["left_axes"] @ state["mean"] @ state["right_axes"].mT)[1].flatten()

    before, axes = mean(), state["left_axes"].clone()
    weight.grad[1] = 0
    optimizer.step()
    assert not torch.equal(state["left_axes"][1], axes[1])
    assert 0.97 < mean() @ before / (before @ before) < 1.001  # a step with a gradient of zero would leave 0.95 of it


def test_decay_takes_a_share_of_matrices_only():
    """Whatever the gradients ask for, matrices whose row of the batch is there lose rate times decay of themselves."""
    torch.manual_seed(0)
    starts = [torch.randn(2, 24, 16), torch.randn(2, 4, 40), torch.randn(2, 16)]
    plain, decayed = ([torch.nn.Parameter(s.clone()) for s in starts] for _ in range(2))
    optimizers = Soap(plain, lr=0.01), Soap(decayed, lr=0.01, weight_decay=2.0)
    for present in (True, False):
        grads = [torch.randn_like(s) for s in starts]
        for grad in grads:
            grad[1] *= present
        before = [p.detach().clone() for p in decayed]
        moved = []
        for parameters, optimizer in zip((plain, decayed), optimizers, strict=True):
            old = [p.detach().clone() for p in parameters]
            for parameter, grad in zip(parameters, grads, strict=True):
                parameter.grad = grad.clone()
            optimizer.step()
            moved.append([p.detach() - o for p, o in zip(parameters, old, strict=True)])
        for p, start, free, bound in zip(decayed, before, *moved, strict=True):
            expected = -0.02 * start if p.ndim > 2 else torch.zeros_like(start)
            expected[1] *= present
            torch.testing.assert_close(bound - free, expected, rtol=1e-4, atol=1e-5)
