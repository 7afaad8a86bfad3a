"""The compiled optimizer step against the torch form, to the rounding of float32."""

import pytest
import torch

from nvnmd.training import native
from nvnmd.training.soap import Soap


@pytest.mark.parametrize("sizes", [[(16, 32)], [(128, 128), (128, 128)], [(21, 37)], [(48, 24), (48, 24)], [(16, 100)]])
def test_compiled_steps_are_the_torch_form(sizes, monkeypatch):
    def run(compiled):
        monkeypatch.setattr(native, "runs_here", lambda value: compiled)
        generator = torch.Generator().manual_seed(1)
        weights = [torch.nn.Parameter(torch.randn(2, *size, generator=generator)) for size in sizes]
        optimizer = Soap(weights, lr=0.01)
        for _ in range(9):  # the axes stay, so that rounding is not amplified by turning them
            for weight in weights:
                weight.grad = torch.randn(weight.shape, generator=generator) * torch.logspace(0, -2, weight.shape[2])
            optimizer.step()
        kept = optimizer.state[weights[0]]
        return [weight.detach() for weight in weights] + [kept[name] for name in ("mean", "square", "left", "right")]

    for found, expected in zip(run(True), run(False), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-6 * float(expected.abs().max()))


def state_of(sizes, spread, generator):
    """A state as after many steps: axes near those of means whose eigenvalues go over `spread` decades."""
    state = {"square": torch.rand(2, *sizes, generator=generator), "mean": torch.randn(2, *sizes, generator=generator)}
    for side, n in zip(("left", "right"), sizes, strict=True):
        axes = torch.linalg.qr(torch.randn(2, n, n, generator=generator, dtype=torch.float64))[0]
        state[side] = (axes * torch.logspace(0, -spread, n) @ axes.mT).float()
        near = axes + 1e-3 * torch.randn(axes.shape, generator=generator)
        state[f"{side}_axes"] = torch.linalg.qr(near)[0].float().contiguous()
    return state


@pytest.mark.parametrize("sizes", [(16, 32), (128, 128), (21, 37), (48, 24), (100, 16)])
def test_a_compiled_turn_is_the_torch_form(sizes, monkeypatch):
    """Axes may point the other way, and the mean with them."""
    before = state_of(sizes, 3, torch.Generator().manual_seed(1))
    turned = []
    for compiled in (True, False):
        monkeypatch.setattr(native, "runs_here", lambda value, compiled=compiled: compiled)
        turned.append({name: value.clone() for name, value in before.items()})
        Soap._turn(turned[-1])
    for name in ("left_axes", "right_axes", "mean"):
        found, expected = (state[name].abs() for state in turned)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert not torch.equal(turned[0]["left_axes"], before["left_axes"])
    for name in ("left", "right", "square"):
        assert torch.equal(turned[0][name], before[name])


@pytest.mark.parametrize("spread", [0, 6, 12, 30])
def test_axes_stay_orthonormal_whatever_the_scales_of_the_gradients(spread):
    state = state_of((48, 100), spread, torch.Generator().manual_seed(2))
    for _ in range(3):
        native.soap_turn(state)
    for axes in (state["left_axes"], state["right_axes"]):
        one = torch.eye(axes.shape[-1]).expand_as(axes)
        torch.testing.assert_close(axes.mT @ axes, one, rtol=0, atol=1e-5)


def test_axes_without_a_gradient_stay():
    state = state_of((16, 32), 2, torch.Generator().manual_seed(3))
    state["left"][0], state["right"][0] = 0, 0
    before = {name: value.clone() for name, value in state.items()}
    native.soap_turn(state)
    for name in ("left_axes", "right_axes"):
        torch.testing.assert_close(state[name][0], before[name][0], rtol=0, atol=1e-6)
        assert not torch.equal(state[name][1], before[name][1])


@pytest.mark.parametrize("zero", [None, 0, 2])
def test_rows_of_zeros_are_noticed(zero):
    grads = [torch.rand(3, 4, 5) + 1, torch.rand(3, 7) + 1]
    if zero is not None:
        grads[1][zero] = 0
    assert native.complete(grads) == (zero is None)


def test_state_of_other_layout_is_refused():
    weight = torch.nn.Parameter(torch.randn(2, 16, 32))
    optimizer = Soap([weight])
    for _ in range(2):
        weight.grad = torch.randn(2, 16, 32)
        optimizer.step()
    optimizer.state[weight]["mean"] = torch.zeros(2, 32, 16).mT
    with pytest.raises(TypeError):
        optimizer.step()
