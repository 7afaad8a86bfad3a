"""Parts of the search for small networks: costs, the front, rounding of weights, stopping, settings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.search.cost import LETTER, Network, cost, fitting_macs, mean_neighbors
from nvnmd.training.search.front import front, recommended
from nvnmd.training.search.measure import rounded
from nvnmd.training.search.settings import settings_of, settings_text, shortened
from nvnmd.training.search.study import goes_on
from nvnmd.training.settings import parse_settings
from nvnmd.training.system import System

BASE = {
    "model": {"type_map": ["Ge", "Te"], "descriptor": {"sel": [8, 8], "neuron": [32, 32, 32]}},
    "learning_rate": {"decay_steps": 5000},
    "training": {"training_data": {"systems": ["frames"]}, "numb_steps": 100000},
}


def test_the_letters_network_costs_what_the_letter_says() -> None:
    assert fitting_macs(LETTER) == 49280
    price = cost(LETTER, 29)
    assert price.descriptor == 4 * 32 * 4
    assert price.contraction == 29 * (3 + 3 + 4 * 32)
    assert price.tables == 29 * (2 * 32 + 2 + 2)
    assert price.macs == 49280 + 512 + 29 * 202
    assert price.weight_bits == 16 * (49280 + 3 * 128 + 1)


def test_gates_cost_a_product_a_channel() -> None:
    plain, gated = (cost(Network(form, 6.0, 8, 2, (4,)), 10) for form in ("se_e2_a", "se_atten"))
    assert gated.macs - plain.macs == 10 * 8


def test_neighbors_are_counted_in_the_frames() -> None:
    corners = 3.0 * np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    cubic = System(
        name="simple cubic",
        type_map=("Ge",),
        types=np.zeros(8, dtype=np.int64),
        cells=np.eye(3)[None] * 6.0,
        positions=corners[None],
        energies=np.zeros(1),
        forces=np.zeros((1, 8, 3)),
        virials=None,
    )
    assert mean_neighbors([cubic], 3.5) == 6
    assert mean_neighbors([cubic, cubic], 4.5) == 18


def trial(number: int, rmse: float, macs: float, bits: float, state: str = "complete") -> dict[str, Any]:
    return {"number": number, "state": state, "force_rmse": rmse, "macs": macs, "weight_bits": bits}


def test_the_front_holds_what_nothing_beats() -> None:
    trials = [
        trial(0, 0.20, 100, 100),
        trial(1, 0.10, 900, 900),
        trial(2, 0.21, 100, 100),
        trial(3, 0.10, 950, 800),
        trial(4, 0.10, 900, 900),
        trial(5, 0.01, 1, 1, "pruned"),
    ]
    assert [t["number"] for t in front(trials)] == [0, 1, 3]
    assert recommended(trials, {"force_rmse": 0.0975}, 0.03)["number"] == 1  # type: ignore[index]
    assert recommended(trials, {"force_rmse": 0.30}, 0.03)["number"] == 0  # type: ignore[index]
    assert recommended(trials, {"force_rmse": 0.05}, 0.03) is None


def test_only_the_better_part_of_the_peers_goes_on() -> None:
    peers = [1.0, 2.0, 3.0]
    assert goes_on(9.0, peers, factor=2, least=4)
    assert goes_on(1.5, peers, factor=2, least=3)
    assert not goes_on(2.5, peers, factor=2, least=3)
    assert not goes_on(1.5, peers, factor=4, least=3)


def test_rounded_weights_are_few_and_near() -> None:
    model = DeepPot(ModelShape(("Ge", "Te"), neuron=(4, 8), axis_neuron=2, fitting_neuron=(16, 16)), seed=3)
    coarse, fine = rounded(model, 4), rounded(model, 16)
    for m in (model, coarse, fine):
        m.requires_grad_(False)
    for before, few, many in zip(*(m.fitting.weights for m in (model, coarse, fine)), strict=True):
        largest = float(before.abs().max())
        assert len(few.unique()) <= 15
        assert float((few - before).abs().max()) <= largest / 7
        assert float((many - before).abs().max()) <= largest / 32767
        unit = float(few[few != 0].abs().min())
        assert torch.equal(torch.round(few / unit) * unit, few)
    assert torch.equal(coarse.fitting.biases[0], model.fitting.biases[0])


def test_a_trial_differs_from_its_base_in_its_network_only() -> None:
    base, _ = parse_settings(BASE)
    network = Network("se_e2_a", 5.0, 16, 3, (24, 8))
    settings = settings_of(network, base)
    descriptor = settings.model.descriptor
    assert (descriptor.rcut, descriptor.neuron, descriptor.axis_neuron) == (5.0, [32, 32, 16], 3)
    assert (settings.model.fitting_net.neuron, descriptor.sel) == ([24, 8], [8, 8])
    assert (settings.training, settings.loss) == (base.training, base.loss)
    assert settings_of(Network("se_atten", 5.0, 16, 3, (24,)), base).model.descriptor.sel == 16
    short = shortened(settings, 50, seed=7)
    assert (short.training.numb_steps, short.training.seed, short.model.fitting_net.seed) == (50, 7, 7)
    assert short.learning_rate.decay_steps is None


def test_moved_settings_find_their_systems(tmp_path: Path) -> None:
    base, _ = parse_settings(BASE)
    (tmp_path / "frames").mkdir()
    (tmp_path / "run").mkdir()
    assert '"../frames"' in settings_text(base, tmp_path, tmp_path / "run")


@pytest.mark.parametrize("bits", [3, 8])
def test_rounding_zeros_leaves_zeros(bits: int) -> None:
    model = DeepPot(ModelShape(("Ge",), neuron=(4,), axis_neuron=2, fitting_neuron=(4,)), seed=1)
    with torch.no_grad():
        model.fitting.weights[0].zero_()
    assert not rounded(model, bits).fitting.weights[0].any()
