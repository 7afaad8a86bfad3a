"""`nvnmd crossval` on springs of different length."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nvnmd.cli.crossval import crossval
from nvnmd.training.checkpoint import CheckpointError, load_checkpoint
from nvnmd.training.evaluation import frame_hashes
from nvnmd.training.frames import load_systems
from nvnmd.training.model_file import read_provenance
from nvnmd.training.splits import SplitError

SYSTEMS = {"crystal-1": 4, "crystal-2": 6, "liquid": 5}


@pytest.fixture
def folder(tmp_path: Path, spring_frames: Callable[..., None]) -> Path:
    for number, (name, count) in enumerate(SYSTEMS.items()):
        spring_frames(tmp_path / name, count, 0.05 * number)
    settings = {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {
                "type": "se_e2_a",
                "rcut": 5.0,
                "sel": [4, 4],
                "neuron": [4, 8],
                "axis_neuron": 2,
                "seed": 1,
            },
            "fitting_net": {"neuron": [8, 8]},
        },
        "training": {"training_data": {"systems": list(SYSTEMS)}, "numb_steps": 10, "seed": 1},
        "nvnmd": {"validation_fraction": 0.2},
    }
    (tmp_path / "input.json").write_text(json.dumps(settings))
    return tmp_path


def hashes_of(folder: Path, name: str) -> set[str]:
    return set(frame_hashes(load_systems(folder / name, ["Ge", "Te"])[0]))


def test_every_system_is_held_out_once_by_a_model_that_did_not_see_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crossval(folder / "input.json", folds=3, output=folder / "cv")
    result = json.loads((folder / "cv/crossval.json").read_text())
    held_out = [name.rsplit("/", 1)[-1] for fold in result["folds"] for name in fold["held_out"]]
    assert sorted(held_out) == sorted(SYSTEMS)
    for number, name in enumerate(held_out, 1):
        record = read_provenance(folder / f"cv/fold-{number}/model.safetensors")
        trained = {h for entry in record["training_data"] for h in entry["frame_hashes"]}
        assert len(trained) == sum(SYSTEMS.values()) - SYSTEMS[name]
        assert not trained & hashes_of(folder, name)
    assert result["all"]["n_frames"] == sum(SYSTEMS.values())
    force = np.array([fold["force_rmse"] for fold in result["folds"]])
    frames = np.array([fold["n_frames"] for fold in result["folds"]])
    assert result["all"]["force_rmse"] == pytest.approx(np.sqrt(np.average(force**2, weights=frames)))
    assert result["over_folds"]["force_rmse"]["std"] == pytest.approx(force.std(ddof=1))
    assert result["phases"]["crystal"]["held out"]["n_frames"] == 10
    assert "fold 3" in capsys.readouterr().out


def test_it_goes_on_where_it_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    from nvnmd.training.trainer import Trainer

    crossval(folder / "input.json", folds=2, output=folder / "whole")
    advance = Trainer._advance

    def stop(self: Trainer, curve: object) -> None:
        advance(self, curve)  # type: ignore[arg-type]
        if "fold-2" in str(self.folder) and self.step == 4:
            self.request_stop()

    monkeypatch.setattr(Trainer, "_advance", stop)
    with pytest.raises(typer.Exit):
        crossval(folder / "input.json", folds=2, output=folder / "halves")
    assert load_checkpoint(folder / "halves/fold-2/model.ckpt.pt").step == 4
    monkeypatch.setattr(Trainer, "_advance", advance)
    crossval(folder / "input.json", folds=2, output=folder / "halves")
    whole, halves = (json.loads((folder / name / "crossval.json").read_text()) for name in ("whole", "halves"))
    assert whole == halves


def test_other_folds_in_the_same_folder_are_refused(folder: Path) -> None:
    crossval(folder / "input.json", folds=2, output=folder / "cv")
    with pytest.raises(CheckpointError, match="training data"):
        crossval(folder / "input.json", folds=3, output=folder / "cv")


def test_more_folds_than_systems_are_refused(folder: Path) -> None:
    with pytest.raises(SplitError, match="3 systems cannot be split by system into 4 folds"):
        crossval(folder / "input.json", folds=4, output=folder / "cv")
