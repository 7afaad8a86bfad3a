"""`nvnmd train` as a user runs it: a deepmd/npy folder and a settings file."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer

from nvnmd.cli.train import train
from nvnmd.training.checkpoint import load_checkpoint
from nvnmd.training.errors import NvnmdError
from nvnmd.training.model_file import load_model, read_provenance


@pytest.fixture
def folder(tmp_path: Path, spring_frames: Callable[[Path, int], None]) -> Path:
    """Frames of two atoms with a spring between them, and settings."""
    spring_frames(tmp_path / "data", 10)
    settings = {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {"type": "se_e2_a", "rcut": 5.0, "neuron": [4, 8], "axis_neuron": 2, "resnet_dt": True},
            "fitting_net": {"neuron": [8, 8]},
        },
        "training": {"training_data": {"systems": ["data"]}, "numb_steps": 20, "seed": 1, "disp_freq": 5},
        "nvnmd": {"validation_fraction": 0.2},
    }
    (tmp_path / "input.json").write_text(json.dumps(settings))
    return tmp_path


def change(folder: Path, section: str, **values: object) -> Path:
    settings = json.loads((folder / "input.json").read_text())
    settings[section] |= values
    (folder / "input.json").write_text(json.dumps(settings))
    return folder / "input.json"


def test_a_run_leaves_model_curve_and_checkpoint(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "nvnmd"):
        train(folder / "input.json", output=folder / "run")
    assert "resnet_dt" in caplog.text
    assert "8 frames to train on, 2 held out" in caplog.text
    assert {p.name for p in (folder / "run").iterdir()} == {"model.safetensors", "model.ckpt.pt", "lcurve.out"}
    origin = read_provenance(folder / "run" / "model.safetensors")
    assert origin["steps"] == 20
    assert [data["frames"] for data in origin["training_data"]] == [8]


def test_restart_after_a_stop_is_the_whole_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nvnmd.training.trainer import Trainer

    train(folder / "input.json", output=folder / "whole")
    advance = Trainer._advance

    def stop_at_seven(self: Trainer, curve: object) -> None:
        advance(self, curve)  # type: ignore[arg-type]
        if self.step == 7:
            self.request_stop()

    monkeypatch.setattr(Trainer, "_advance", stop_at_seven)
    with pytest.raises(typer.Exit) as stopped:
        train(folder / "input.json", output=folder / "halves")
    assert stopped.value.exit_code == 130
    assert load_checkpoint(folder / "halves" / "model.ckpt.pt").step == 7
    train(folder / "input.json", output=folder / "halves", restart=True)
    whole, halves = (load_model(folder / name / "model.safetensors").arrays() for name in ("whole", "halves"))
    for name, value in whole.items():
        np.testing.assert_array_equal(value, halves[name])


def test_init_model_starts_from_its_parameters(folder: Path) -> None:
    train(folder / "input.json", output=folder / "first")
    settings = change(folder, "training", numb_steps=1, seed=2)
    train(settings, output=folder / "second", init_model=folder / "first" / "model.safetensors")
    first, second = (load_model(folder / name / "model.safetensors").arrays() for name in ("first", "second"))
    moved = np.abs(second["fitting.weights.0"] - first["fitting.weights.0"]).max()
    assert 0 < moved <= 1.01e-3  # one step of Adam at the first learning rate


def test_init_model_of_another_shape_is_refused(folder: Path) -> None:
    train(folder / "input.json", output=folder / "first")
    settings = change(folder, "model", fitting_net={"neuron": [8, 9]}, type_map=["Te", "Ge"])
    with pytest.raises(NvnmdError, match=r"fitting_neuron \(8, 8\) \(settings: \(8, 9\)\)"):
        train(settings, output=folder / "second", init_model=folder / "first" / "model.safetensors")


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("training", {"numb_stepss": 3}, "did you mean 'numb_steps'"),
        ("training", {"training_data": {"systems": ["nowhere"]}}, "nowhere"),
        ("model", {"type_map": ["Ge", "Sb"]}, "Te"),
    ],
)
def test_mistakes_end_in_one_error_and_leave_no_model(
    folder: Path, section: str, values: dict[str, object], message: str
) -> None:
    with pytest.raises(NvnmdError, match=message):
        train(change(folder, section, **values), output=folder / "run")
    assert not (folder / "run" / "model.safetensors").exists()


def test_restart_without_a_run_says_so(folder: Path) -> None:
    with pytest.raises(NvnmdError, match=r"nothing to continue in .*run.*without --restart"):
        train(folder / "input.json", output=folder / "run", restart=True)


def test_an_unknown_device_is_named(folder: Path) -> None:
    with pytest.raises(NvnmdError, match="--device quantum"):
        train(folder / "input.json", output=folder / "run", device="quantum")


def test_an_unwritable_folder_is_named(folder: Path) -> None:
    (folder / "run").write_text("a file, not a folder")
    with pytest.raises(NvnmdError, match=r"cannot write to .*run"):
        train(folder / "input.json", output=folder / "run")


def test_training_goes_on_from_a_model_with_fewer_elements(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    train(folder / "input.json", output=folder / "first")
    settings = json.loads((folder / "input.json").read_text())
    settings["model"]["type_map"] = ["Sb", "Ge", "Te"]
    settings["nvnmd"]["precision"] = "float64"
    settings["training"]["numb_steps"] = 1
    (folder / "tune.json").write_text(json.dumps(settings))
    with caplog.at_level(logging.INFO, "nvnmd"):
        train(folder / "tune.json", output=folder / "second", init_model=folder / "first" / "model.safetensors")
    assert "networks of Ge Te are taken over; new: Sb" in caplog.text
    model = load_model(folder / "second" / "model.safetensors")
    assert model.shape.type_map == ("Sb", "Ge", "Te")
    assert next(model.parameters()).dtype.itemsize == 8
    first = load_model(folder / "first" / "model.safetensors").arrays()["embedding.weights.1"]
    assert np.abs(model.arrays()["embedding.weights.1"][[4, 5, 7, 8]] - first).max() < 0.01
    assert "settings" in read_provenance(folder / "second" / "model.safetensors")["init_model"]
