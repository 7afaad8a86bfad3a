"""`nvnmd probe` on small random models."""

import json
from pathlib import Path

import pytest

from nvnmd.cli.probe import probe
from nvnmd.training.errors import NvnmdError
from nvnmd.training.guard import Guard
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.model_file import save_model

ROOT = Path(__file__).parents[3]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    shape = ModelShape(("Ge", "Te"), rcut=4.0, rcut_smth=2.0, sel=(20, 20), neuron=(4, 8), fitting_neuron=(8,))
    save_model(DeepPot(shape, Guard.for_elements(shape.type_map), seed=1), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_dimers_of_every_pair_and_pictures(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probe(model, output=tmp_path / "out", crystals=False, shortest=0.8)
    assert "Ge-Te" in capsys.readouterr().out
    result = json.loads((tmp_path / "out/probe.json").read_text())
    assert [d["pair"] for d in result["dimers"]] == ["Ge-Ge", "Ge-Te", "Te-Te"]
    assert all(d["wall_eV"] > 100 for d in result["dimers"])
    assert (tmp_path / "out/probe.png").read_bytes().startswith(b"\x89PNG")


def test_an_integer_model_refuses_distances_below_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    probe(ROOT / "tests/data/model_v1.nvnmd", crystals=False, shortest=0.8, as_json=True)
    dimers = json.loads(capsys.readouterr().out)["dimers"]
    for d in dimers:
        refused = [r for r, e in zip(d["distances_A"], d["energies_eV"], strict=True) if e is None]
        assert refused
        assert d["refused_below_A"] > max(refused)


def test_crystals_that_cannot_be_used_are_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(NvnmdError, match="holds Sb"):
        probe(model, crystal=["Sb:a7"], shortest=3.0)
    with pytest.raises(NvnmdError, match="neither MATERIAL:FORM nor a file"):
        probe(model, crystal=[str(tmp_path / "none.cif")], shortest=3.0)
