"""`nvnmd convert`, and what is done with its result."""

import json
from pathlib import Path

import pytest

from nvnmd.cli.convert import convert
from nvnmd.cli.evaluate import EvaluateError, evaluate
from nvnmd.training.deepmd.source import DeepmdError
from nvnmd.training.model_file import load_model, read_provenance

ROOT = Path(__file__).parents[3]
FROZEN = ROOT / "tests/data/deepmd_files/pairs.pb"
DATA = [str(ROOT / "data/gete-cp2k/glass"), str(ROOT / "data/gete-cp2k/expanded")]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    convert(FROZEN, output=tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_the_file_is_a_float_model_that_names_its_origin(model: Path) -> None:
    assert load_model(model).shape.fitting_neuron == (24, 24)
    origin = read_provenance(model)["converted_from"]
    assert origin["file"] == "pairs.pb"
    assert len(origin["sha256"]) == 64


def test_it_is_evaluated_by_the_measures_of_dp_test(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(model, DATA, dp_test=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("# testing system : ")
    assert "# number of systems : 2" in lines
    assert sum(line.startswith("Force RMSE") for line in lines) == 3
    with pytest.raises(EvaluateError, match="choose one"):
        evaluate(model, DATA, dp_test=True, as_json=True)


def test_phases_and_groups_are_in_the_result(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    evaluate(model, DATA, as_json=True, group=["stretched=*expanded"])
    phases = json.loads(capsys.readouterr().out)["phases"]
    assert {phase: parts["new"]["n_frames"] for phase, parts in phases.items()} == {"amorphous": 6, "stretched": 4}


def test_a_file_of_another_kind_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(b"\x0a\x05hello")
    with pytest.raises(DeepmdError, match="model"):
        convert(tmp_path / "model.pb", output=tmp_path / "model.safetensors")
    assert not (tmp_path / "model.safetensors").exists()
