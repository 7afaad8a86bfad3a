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


def test_state_of_other_layout_is_refused():
    weight = torch.nn.Parameter(torch.randn(2, 16, 32))
    optimizer = Soap([weight])
    for _ in range(2):
        weight.grad = torch.randn(2, 16, 32)
        optimizer.step()
    optimizer.state[weight]["mean"] = torch.zeros(2, 32, 16).mT
    with pytest.raises(TypeError):
        optimizer.step()
