"""Shipped models: found by material, with a card that fits; a tiny model stands in for a real one."""

import json
import tomllib
from pathlib import Path, PurePath

import numpy as np
import pytest
import yaml

from nvnmd.host import Potential
from nvnmd.pcm import models
from nvnmd.pcm.errors import PcmError
from nvnmd.quantize.model_file import load_model, save_model
from nvnmd.quantize.testing import random_model
from nvnmd.training.frames import load_systems

CARD = {
    "materials": ["GeTe"],
    "summary": "a stand-in",
    "data": "no frames",
    "good_for": ["tests"],
    "not_for": ["physics"],
}


def put(folder: Path, **changes: object) -> Path:
    save_model(random_model(neuron=(8, 8)), folder / "tiny.nvnmd")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(CARD | changes))
    return folder


def test_a_material_finds_its_model_and_its_card(tmp_path):
    found = models.model_for("GeTe", put(tmp_path))
    assert (found.name, found.path) == ("tiny", tmp_path / "tiny.nvnmd")
    assert found.type_map == tuple(load_model(found.path).type_map)
    assert found.card.good_for == ("tests",)
    assert found.errors == ()


def test_errors_come_from_the_model_file(tmp_path, monkeypatch):
    put(tmp_path)
    part = {"n_frames": 13, "energy_rmse": 0.006, "force_rmse": 0.19}
    header = models._header(tmp_path / "tiny.nvnmd")
    header["provenance"] = {"errors": {"integer": {"parts": {"held out": part, "train": part | {"n_frames": 137}}}}}
    monkeypatch.setattr(models, "_header", lambda path: json.loads(json.dumps(header)))
    errors = models.model_for("GeTe", tmp_path).errors
    assert [(e.part, e.frames, e.force_rmse) for e in errors] == [("held out", 13, 0.19), ("train", 137, 0.19)]


@pytest.mark.parametrize(
    ("material", "message"),
    [
        ("Sb2Te3", "no model for Sb2Te3 is shipped .there is one for GeTe.; train one on frames of Sb2Te3"),
        ("GeTf", "known materials: .*GeTe"),
    ],
)
def test_a_material_without_a_model_is_one_sentence(tmp_path, material, message):
    with pytest.raises(PcmError, match=message):
        models.model_for(material, put(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"materials": ["Sb2Te3"]}, "Sb2Te3 is not a material of Ge Te"),
        ({"materials": ["Unknown"]}, "Unknown is not a material"),
        ({"good_for": []}, "card cannot be read"),
        ({"more": 1}, "card cannot be read"),
    ],
)
def test_cards_that_contradict_the_model_are_refused(tmp_path, changes, message):
    with pytest.raises(PcmError, match=message):
        models.shipped(put(tmp_path, **changes))


def test_a_folder_of_ones_own_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("NVNMD_MODELS", str(put(tmp_path, materials=["GeTe"])))
    assert models.model_for("GeTe").path == tmp_path / "tiny.nvnmd"


def test_broken_files_are_named(tmp_path):
    put(tmp_path)
    (tmp_path / "tiny.yaml").unlink()
    with pytest.raises(PcmError, match=r"tiny\.yaml: the model's card cannot be read"):
        models.shipped(tmp_path)
    (tmp_path / "tiny.nvnmd").write_bytes(b"nothing")
    with pytest.raises(PcmError, match="is no model file"):
        models.shipped(tmp_path)


def test_a_wheel_takes_models_and_cards_along():
    root = Path(__file__).parents[3]
    build = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["scikit-build"]
    assert build["wheel"]["packages"]["nvnmd/pcm"] == "pcm"
    for name in ("pcm/models/tiny.nvnmd", "pcm/models/tiny.yaml", "nvnmd/pcm/models/tiny.nvnmd"):
        left_out = [*build["wheel"]["exclude"], *build["sdist"]["exclude"]]
        assert not any(PurePath(name).match(pattern) for pattern in left_out)


def test_every_known_material_has_a_model(monkeypatch):
    monkeypatch.delenv("NVNMD_MODELS", raising=False)
    found = {name: models.model_for(name).name for name in ("Sb", "GeTe", "Sb2Te3", "GeSb2Te4", "Ge2Sb2Te5")}
    assert found == {"Sb": "gst", "GeTe": "gete", "Sb2Te3": "gst", "GeSb2Te4": "gst", "Ge2Sb2Te5": "gst"}


@pytest.mark.parametrize("folder", ["sb-cp2k", "gst-cp2k"])
def test_the_model_of_three_elements_is_as_near_to_dft_as_its_page_says(folder):
    root = Path(__file__).parents[3]
    potential = Potential(models.FOLDER / "gst.nvnmd", threads=1)
    errors = [
        potential.compute(system.positions[k], system.cells[k], system.types).forces - system.forces[k]
        for system in load_systems(root / "data" / folder / "validation", potential.type_map)
        for k in range(system.n_frames)
    ]
    assert 0.19 < np.sqrt(np.mean(np.concatenate(errors) ** 2)) < 0.25


def test_the_models_of_the_package_load_and_fit_their_cards(monkeypatch):
    monkeypatch.delenv("NVNMD_MODELS", raising=False)
    for model in models.shipped():
        assert set(load_model(model.path).type_map) == set(model.type_map)
        assert all(models.model_for(name).path == model.path for name in model.card.materials)
