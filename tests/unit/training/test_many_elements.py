"""Eight elements, few of which meet in any one frame: electrodes, dielectrics, and what is between."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import labeled_system, random_frame, random_model, small_settings

from nvnmd.training.build import build_model, center_energies
from nvnmd.training.collate import collate
from nvnmd.training.extend import take_over
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot
from nvnmd.training.prepare import prepare_frame
from nvnmd.training.settings import SettingsError, parse_settings
from nvnmd.training.setup import build_trainer, prepare_data
from nvnmd.training.soap import Soap

EIGHT = ("Ge", "Sb", "Te", "Ti", "N", "Si", "O", "W")
FORMS = [("se_atten", False), ("se_e2_a", False), ("se_e2_a", True)]


def some_of(types, kinds):
    return np.array(kinds)[types % len(kinds)]


def mixed_batch(model: DeepPot):
    """Two frames of unlike elements: Ge, Te and N, then Ti, Si, O; Sb and W are in none."""
    frames = []
    for seed, kinds in ((1, (0, 2, 4)), (2, (3, 5, 6))):
        positions, cell, types = random_frame(9, 8, closest=1.9, seed=seed)
        frames.append(prepare_frame(positions, cell, some_of(types, kinds), model.cutoffs(), dtype=torch.float32))
    return collate(frames)


@pytest.mark.parametrize(("form", "one_side"), FORMS)
def test_the_compiled_step_knows_elements_that_a_batch_lacks(form, one_side):
    model = random_model(form, EIGHT, type_one_side=one_side, neuron=(8, 16), fitting_neuron=(16, 16)).float()
    batch, outcomes = mixed_batch(model), []
    for path in (model._compiled, model._plain):
        model.zero_grad()
        energy, forces, virials = path(batch, True)
        (energy.square().sum() + forces.square().sum() + 0.1 * virials.square().sum()).backward()
        grads = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        outcomes.append({"energy": energy.detach(), "forces": forces.detach()} | grads)
    compiled, plain = outcomes
    for name, value in plain.items():
        atol = 2e-5 * float(value.abs().max()) + 1e-7
        torch.testing.assert_close(compiled[name], value, rtol=0, atol=atol, msg=lambda m, n=name: f"{n}: {m}")
    fitting = compiled["fitting.weights.0"].abs().sum((1, 2))
    assert (fitting[[1, 7]] == 0).all()
    assert (fitting[[0, 2, 3, 4, 5, 6]] > 0).all()
    if form == "se_atten":
        gate = compiled["gate"].abs().sum(1).view(8, 8)
        assert (gate[0, [2, 4]] > 0).all()
        assert (gate[0, [1, 3, 5, 6, 7]] == 0).all()


def eight_settings(steps: int, form: str, **descriptor):
    """`small_settings` for the eight elements."""
    data = small_settings(steps, form).model_dump(mode="json", exclude_none=True)
    data["model"]["type_map"] = list(EIGHT)
    data["model"]["descriptor"] |= descriptor
    return parse_settings(data)[0]


def unlike_systems():
    """Systems of two and three elements, and one of all eight, labeled by one random model."""
    teacher, systems = random_model("se_atten", EIGHT, seed=11), []
    for number, kinds in enumerate([(0, 2), (3, 4), (5, 6), (7, 1, 2), range(8)]):
        system = labeled_system(teacher, 1, 8, f"set-{number}", seed=number)
        types = some_of(np.arange(8), list(kinds))
        system = replace(system, types=types)
        found = predict(teacher, system)
        systems.append(replace(system, energies=found.energies, forces=found.forces, virials=found.virials))
    return systems


@pytest.mark.parametrize(("form", "sel"), [("se_atten", "auto"), ("se_atten", 60), ("se_e2_a", [6] * 8)])
def test_one_training_learns_them_all(tmp_path, form, sel):
    systems = unlike_systems()
    data = prepare_data(systems)
    settings = eight_settings(150, form, sel=sel)
    model = build_model(settings, data.train, data.model_shifts)
    trainer = build_trainer(model, settings, data, tmp_path)
    center_energies(model, trainer.frames)

    def error():
        return np.sqrt(np.mean([((predict(model, s).forces - s.forces) ** 2).mean() for s in systems]))

    before = error()
    assert trainer.run()
    assert error() < 0.6 * before


def test_sel_needs_a_number_for_each_of_them():
    with pytest.raises(SettingsError, match="2 numbers for 8 types"):
        eight_settings(1, "se_e2_a", sel=[8, 8])


@pytest.mark.parametrize("form", ["se_atten", "se_e2_a"])
def test_a_model_of_two_grows_to_eight(form):
    small, large = random_model(form, ("Ge", "Te")), random_model(form, EIGHT, seed=8, sel=(90,))
    assert take_over(small, large) == ("Ge", "Te")
    system = labeled_system(small, 1, 8)
    grown = replace(system, type_map=EIGHT, types=some_of(system.types, (0, 2)))
    assert np.abs(predict(large, grown).forces - system.forces).max() < 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_element_that_few_frames_hold_makes_no_long_steps(dtype):
    """Along no axis is a step longer than the learning rate, however rare and however unlike the gradients are."""
    generator, rate = torch.Generator().manual_seed(1), 1e-3
    weight = torch.nn.Parameter(torch.randn(2, 32, 24, generator=generator).to(dtype))
    optimizer, longest = Soap([weight], lr=rate), 0.0
    for step in range(600):
        grad = torch.randn(2, 32, 24, generator=generator)
        few = torch.randn(32, 2, generator=generator) @ torch.randn(2, 24, generator=generator)
        grad[1] = few * 10.0 ** torch.randn((), generator=generator) if step % 7 == 3 else 0.0
        weight.grad, before = grad.to(dtype), weight.detach().clone()
        optimizer.step()
        if step > 60:  # by then the corrections for the first steps are 1
            longest = max(longest, float((weight.detach() - before)[1].norm()))
    assert longest < 1.05 * rate * (32 * 24) ** 0.5
