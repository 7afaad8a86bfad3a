"""The float model's file and its ASE calculator."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.fd import calculate_numerical_stress
from safetensors.numpy import load_file, save_file
from small_models import evaluate, prepare, random_frame, random_model

from nvnmd.training.ase_calculator import DeepPotCalculator
from nvnmd.training.data import DataError
from nvnmd.training.model import DeepPot, ModelError
from nvnmd.training.model_file import ModelFileError, load_model, read_provenance, save_model


@pytest.mark.parametrize("form", ["se_e2_a", "se_atten"])
def test_a_saved_model_comes_back_exactly(tmp_path, form):
    model = random_model(form, ("Ge", "Sb", "Te"))
    model.energy_shifts = np.array([-1.5, 2.25, 1e4 / 3])
    save_model(model, tmp_path / "model.safetensors", {"steps": 3})
    again = load_model(tmp_path / "model.safetensors")
    assert again.shape == model.shape
    for name, value in model.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], value)
    frame = random_frame(6, n_types=3)
    assert evaluate(again, *frame)[0] == evaluate(model, *frame)[0]
    assert read_provenance(tmp_path / "model.safetensors") == {"steps": 3}


def test_single_precision_is_kept_and_fixed_numbers_stay_double(tmp_path):
    model = random_model().float()
    model.energy_shifts = np.array([-164.123456789, 1.0])
    save_model(model, tmp_path / "m")
    arrays = load_model(tmp_path / "m").arrays()
    assert arrays["fitting.weights.0"].dtype == np.float32
    assert arrays["energy_shifts"][0] == -164.123456789


def test_damaged_files_are_named(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(random_model(), path)
    whole = path.read_bytes()
    for content in (b"", whole[:40], whole[:-10], b"x" * 200):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=r"model\.safetensors"):
            load_model(path)
    with pytest.raises(ModelFileError, match="no model at"):
        load_model(tmp_path / "other")


def test_files_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(ModelFileError, match="not a float model"):
        load_model(path)
    save_model(random_model(), path)
    save_file(load_file(path), path, {"format": "nvnmd-float", "version": "99"})
    with pytest.raises(ModelFileError, match="version 99"):
        load_model(path)


def test_arrays_that_do_not_fit_are_named():
    model = random_model()
    arrays = model.arrays()
    for wrong in (
        {k: v for k, v in arrays.items() if k != "fitting.weights.1"},
        arrays | {"fitting.weights.1": np.zeros(3)},
    ):
        with pytest.raises(ModelError, match=r"'fitting\.weights\.1'"):
            DeepPot.from_arrays(model.shape, model.guard, wrong)


def test_embedding_value_is_what_the_model_uses():
    """The plain evaluation for tables against the values and derivatives of the training step."""
    model = random_model()
    pairs = prepare(model, *random_frame(6)).padded
    value, derivative = (table.flatten(0, 1)[pairs.places] for table in model.embedding(pairs, model.shape.nets))
    ends = np.cumsum(pairs.counts)
    for net, (first, last) in enumerate(zip(ends - pairs.counts, ends, strict=True)):
        s = pairs.inputs[first:last]
        torch.testing.assert_close(value[first:last], model.embedding.value(s, net))
        step = 1e-6
        slope = (model.embedding.value(s + step, net) - model.embedding.value(s - step, net)) / (2 * step)
        torch.testing.assert_close(derivative[first:last], slope, atol=1e-7, rtol=1e-6)


def test_calculator_gives_energy_forces_and_stress(tmp_path):
    model = random_model()
    model.energy_shifts = np.array([-3.0, -5.0])
    save_model(model, tmp_path / "m")
    positions, cell, types = random_frame(7, seed=8)
    atoms = Atoms(np.array(["Ge", "Te"])[types], positions, cell=cell, pbc=True)
    atoms.calc = DeepPotCalculator(tmp_path / "m")
    energy, forces, _ = evaluate(model, positions, cell, types)
    assert atoms.get_potential_energy() == pytest.approx(energy + model.energy_shifts[types].sum(), abs=1e-12)
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy(), abs=1e-12)
    np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-12)
    np.testing.assert_allclose(atoms.get_stress(), calculate_numerical_stress(atoms, eps=1e-5), atol=1e-7)


def test_calculator_refuses_what_the_model_cannot_do():
    atoms = Atoms("GeO", [[0, 0, 0], [0, 0, 2]], calculator=DeepPotCalculator(random_model()))
    with pytest.raises(DataError, match="element O"):
        atoms.get_potential_energy()
    atoms = Atoms("GeTe", [[0, 0, 0], [0, 0, 2.5]], cell=[9, 9, 9], pbc=[1, 1, 0])
    atoms.calc = DeepPotCalculator(random_model())
    with pytest.raises(DataError, match="pbc"):
        atoms.get_potential_energy()
