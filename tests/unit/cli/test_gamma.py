"""`nvnmd gamma` on a small random model and frames that ship with the project."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nvnmd.cli.gamma import GammaError, gamma
from nvnmd.host import ActiveSet, Error, Potential
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model
from nvnmd.training.frames import load_systems

DATA = Path(__file__).parents[3] / "data/gete-cp2k"
CHOSEN, OTHER = [str(DATA / "glass")], [str(DATA / "glass")]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.nvnmd"
    save_model(random_model(5, neuron=(16, 16)), path)
    return path


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return dict(json.loads(capsys.readouterr().out))


def test_it_writes_the_active_set_and_grades_frames(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gamma(model, data=CHOSEN, as_json=True, threads=1)
    result, active_set = printed(capsys), ActiveSet.load(model.with_suffix(".gamma"))
    assert result["rows"] == active_set.active
    assert result["of"] == 17
    assert [row["part"] for row in result["systems"]] == ["chosen"]
    assert result["parts"]["chosen"]["largest"] <= 1.01 + 1e-9
    assert result["parts"]["chosen"]["extrapolating_atoms"] == 0
    system = load_systems(CHOSEN, ("Ge", "Te"))[0]
    expected = Potential(model).compute(system.positions[0], system.cells[0], system.types, gamma=True).gamma
    assert expected is not None
    assert expected.max() <= 1.01 + 1e-9
    assert active_set.provenance["systems"] == [{"name": system.name, "frames": system.n_frames}]


def test_only_frames_that_the_model_was_trained_on_are_chosen_from(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from nvnmd.quantize.model_file import load_model
    from nvnmd.training.evaluation import frame_hashes

    system = load_systems(CHOSEN, ("Ge", "Te"))[0]
    hashes = frame_hashes(system)
    provenance = {"training_data": [{"frame_hashes": hashes[:2]}], "validation_data": [{"frame_hashes": hashes[2:]}]}
    save_model(replace(load_model(model), provenance=provenance), model)
    gamma(model, data=CHOSEN, as_json=True, threads=1)
    parts = printed(capsys)["parts"]
    assert parts["train"]["frames"] == 2
    assert parts["held out"]["frames"] == system.n_frames - 2
    assert parts["train"]["largest"] <= 1.01 + 1e-9


def test_frames_are_graded_with_the_set_that_is_there(model: Path, tmp_path: Path) -> None:
    from ase import Atoms
    from ase.io import write

    system = load_systems(CHOSEN, ("Ge", "Te"))[0]
    squeezed = Atoms(system.symbols, 0.9 * system.positions[0], cell=0.9 * system.cells[0], pbc=True)
    write(tmp_path / "squeezed.extxyz", squeezed)
    path = tmp_path / "elsewhere.gamma"
    gamma(model, data=CHOSEN, output=path, threads=1)
    before = path.read_bytes()
    gamma(model, trajectory=[tmp_path / "squeezed.extxyz"], output=path, threads=1)
    assert path.read_bytes() == before


def test_extending_adds_rows_and_remembers_systems(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gamma(model, data=CHOSEN, as_json=True, threads=1)
    first = printed(capsys)
    gamma(model, data=[str(DATA)], extend=True, as_json=True, threads=1)
    second = printed(capsys)
    assert all(second["rows"][name] >= first["rows"][name] for name in ("Ge", "Te"))
    assert second["parts"]["chosen"]["largest"] <= 1.01 + 1e-9
    names = [s["name"] for s in ActiveSet.load(model.with_suffix(".gamma")).provenance["systems"]]
    assert names[0] == first["systems"][0]["name"]
    assert len(names) > 1


def test_the_table_has_every_system(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gamma(model, data=CHOSEN, threads=1)
    text = capsys.readouterr().out
    assert "glass" in text
    assert "m.gamma: of 17 rows, atoms have taken" in text


def test_what_cannot_be_graded_is_one_sentence(model: Path) -> None:
    with pytest.raises(GammaError, match="say what to look at: --data to choose"):
        gamma(model)
    with pytest.raises(Error, match="no such active set"):
        gamma(model, test=OTHER)
    active_set = model.with_suffix(".gamma")
    gamma(model, data=CHOSEN, threads=1)
    save_model(random_model(6, neuron=(16, 16)), model)
    with pytest.raises(Error, match="belongs to another model"):
        gamma(model, data=CHOSEN, extend=True, threads=1)
    with pytest.raises(GammaError, match="belongs to another model"):
        gamma(model, test=OTHER, threads=1)
    assert active_set.exists()
    assert np.isfinite(ActiveSet.load(active_set).inverse[0]).all()
