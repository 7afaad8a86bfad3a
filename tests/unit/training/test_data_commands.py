"""`nvnmd info` and `nvnmd evaluate` from the command line."""

import json
import sys

import frame_writers as w
import numpy as np
import pytest
from small_models import random_model

from nvnmd import cli
from nvnmd.training.evaluation import frame_hashes
from nvnmd.training.frames import load_systems
from nvnmd.training.metrics import predict
from nvnmd.training.model_file import load_model, save_model


@pytest.fixture
def nvnmd(monkeypatch, capsys):
    """Runs the program; returns exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nvnmd", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        captured = capsys.readouterr()
        return leaving.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def data(tmp_path):
    return w.write_npy(w.small_system(n_frames=4, step=0.02), tmp_path / "data" / "a").parent


@pytest.fixture
def float_model(tmp_path, data):
    """A random model that says it was trained on the first two frames."""
    system = load_systems(data)[0]
    origin = {"training_data": [{"name": "a", "frames": 2, "frame_hashes": frame_hashes(system)[:2]}]}
    path = tmp_path / "model.safetensors"
    save_model(random_model(), path, {**origin, "steps": 7})
    return path


@pytest.fixture
def integer_model(tmp_path):
    from nvnmd.quantize import model_file
    from nvnmd.quantize.testing import random_model as random_integer_model

    path = tmp_path / "model.nvnmd"
    model_file.save_model(random_integer_model(neuron=(16, 16)), path)
    return path


def test_info_of_data(nvnmd, data):
    code, out, _ = nvnmd("info", data, "--rcut", 5)
    assert code == 0
    assert "data/a" in out
    assert "Ge2Te4" in out
    assert "4 frames, 24 atomic environments of Ge, Te; 4 frames with virial" in out
    assert "correlated" in out


def test_info_of_data_as_json(nvnmd, data):
    code, out, _ = nvnmd("info", data, "--json")
    assert code == 0
    assert json.loads(out)["all"]["n_frames"] == 4


def test_info_of_bad_data_is_one_line(nvnmd, data):
    array = data / "a/set.000/force.npy"
    np.save(array, np.full((4, 18), np.nan))
    code, out, err = nvnmd("info", data)
    assert (code, out) == (2, "")
    assert err.strip().splitlines() == ["nvnmd: data/a, frame 0, atom 0: forces is nan; leave this frame out"]


def test_info_takes_huge_forces_when_told(nvnmd, data):
    np.save(data / "a/set.000/force.npy", np.full((4, 18), 90.0))
    assert nvnmd("info", data)[0] == 2
    assert nvnmd("info", data, "--max-force", 200)[0] == 2
    assert nvnmd("info", data, "--max-force", 200, "--no-check-units")[0] == 0


def test_info_of_a_float_model(nvnmd, float_model):
    code, out, _ = nvnmd("info", float_model)
    assert code == 0
    assert "Ge, Te" in out
    assert "2 frames: a" in out
    card = json.loads(nvnmd("info", float_model, "--json")[1])
    parameters = load_model(float_model).parameters()
    assert card["parameters"] == sum(p.numel() for p in parameters)
    assert card["provenance"]["steps"] == 7
    assert card["fitting_multiplications"] == 64 * 12 + 12 * 12 + 12


def test_info_of_an_integer_model(nvnmd, integer_model):
    card = json.loads(nvnmd("info", integer_model, "--json")[1])
    assert card["type_map"] == ["Ge", "Te"]
    assert card["fitting_neuron"] == [16, 16]
    assert card["fitting_multiplications"] == 128 * 16 + 16 * 16 + 16
    assert card["formats"]["f_frac"] > 0
    assert nvnmd("info", integer_model)[0] == 0


@pytest.mark.parametrize("name", ["model.nvnmd", "model.safetensors"])
def test_info_of_a_damaged_model(nvnmd, tmp_path, name):
    (tmp_path / name).write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    code, _, err = nvnmd("info", tmp_path / name)
    assert code == 2
    assert name in err
    assert len(err.strip().splitlines()) == 1


def test_evaluate_a_float_model(nvnmd, tmp_path, data, float_model):
    code, out, _ = nvnmd("evaluate", float_model, data, "-o", tmp_path / "out")
    assert code == 0
    assert "train" in out
    result = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert [(row["part"], row["n_frames"]) for row in result["systems"]] == [("train", 2), ("new", 2)]
    system = load_systems(data, ["Ge", "Te"])[0]
    expected = predict(load_model(float_model), system)
    error = (expected.energies - system.energies) / 6
    assert result["all"]["energy_rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))
    with np.load(tmp_path / "out/predictions.npz") as arrays:
        np.testing.assert_array_equal(arrays["data/a (train)/force_pred"], expected.forces[:2])
        np.testing.assert_array_equal(arrays["data/a (new)/energy_dft"], system.energies[2:])


def test_evaluate_an_integer_model(nvnmd, data, integer_model):
    """The same numbers as the runtime's own, and the clipped words of all frames."""
    host = pytest.importorskip("nvnmd.host")
    code, out, _ = nvnmd("evaluate", integer_model, data, "--json")
    assert code == 0
    result = json.loads(out)
    system = load_systems(data, ["Ge", "Te"])[0]
    potential = host.Potential(integer_model)
    found = [potential.compute(p, c, system.types) for p, c in zip(system.positions, system.cells, strict=True)]
    forces = np.array([r.forces for r in found])
    assert result["all"]["force_rmse"] == pytest.approx(np.sqrt(np.mean((forces - system.forces) ** 2)))
    assert result["model"]["kind"] == "integer"
    assert sum(result["clipped"].values()) == sum(sum(r.clipped.values()) for r in found)


def test_evaluate_names_the_frame_that_cannot_be_computed(nvnmd, tmp_path, integer_model):
    system = w.small_system()
    positions = system.positions.copy()
    positions[2, 1] = positions[2, 0] + [0.6, 0.0, 0.0]
    path = w.write_npy(w.small_system(positions=positions), tmp_path / "close")
    code, _, err = nvnmd("evaluate", integer_model, path)
    assert code == 2
    assert "close, frame 2" in err


def test_evaluate_needs_data_or_settings(nvnmd, float_model):
    code, _, err = nvnmd("evaluate", float_model)
    assert code == 2
    assert "say what to evaluate on" in err


def test_evaluate_with_an_element_that_the_model_lacks(nvnmd, tmp_path, float_model):
    path = w.write_npy(w.small_system(type_map=("Sb", "Te")), tmp_path / "sb")
    code, _, err = nvnmd("evaluate", float_model, path)
    assert code == 2
    assert "has Sb, which the type map Ge Te lacks" in err


def test_evaluate_on_the_data_of_a_training(nvnmd, tmp_path, data):
    """Training settings name the data and the split; the model knows which part is which."""
    settings = {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {"type": "se_e2_a", "rcut": 5.0, "rcut_smth": 1.0, "sel": "auto", "neuron": [2, 4]},
            "fitting_net": {"neuron": [4]},
        },
        "training": {"training_data": {"systems": ["data"]}, "numb_steps": 1, "seed": 1},
        "nvnmd": {"validation_fraction": 0.25},
    }
    path = tmp_path / "input.json"
    path.write_text(json.dumps(settings))
    assert nvnmd("train", path, "-o", tmp_path / "run")[0] == 0
    code, out, _ = nvnmd("evaluate", tmp_path / "run/model.safetensors", "--settings", path, "--json")
    assert code == 0
    rows = json.loads(out)["systems"]
    assert [(row["name"], row["part"]) for row in rows] == [("data/a[0:3]", "train"), ("data/a[3:4]", "held out")]


def test_train_refuses_huge_forces_unless_the_settings_take_them(nvnmd, tmp_path, data):
    np.save(data / "a/set.000/force.npy", np.full((4, 18), 90.0))
    settings = {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {"type": "se_e2_a", "rcut": 5.0, "rcut_smth": 1.0, "sel": "auto", "neuron": [2, 4]},
            "fitting_net": {"neuron": [4]},
        },
        "training": {"training_data": {"systems": ["data"]}, "numb_steps": 1, "seed": 1},
    }
    path = tmp_path / "input.json"
    path.write_text(json.dumps(settings))
    code, _, err = nvnmd("train", path, "-o", tmp_path / "run")
    assert code == 2
    assert "data/a, frame 0, atom 0: a force of 155.9 eV/A" in err
    assert not (tmp_path / "run/model.safetensors").exists()
    path.write_text(json.dumps(settings | {"nvnmd": {"max_force": 200, "check_units": False}}))
    assert nvnmd("train", path, "-o", tmp_path / "run")[0] == 0
