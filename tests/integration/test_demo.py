"""The demo's own recipe, from frames to report, on a setting so small that its model is good for nothing."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from nvnmd.training.evaluation import data_digest
from nvnmd.training.frames import load_systems
from nvnmd.training.model_file import read_provenance
from nvnmd.training.settings import parse_settings

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "gete-demo"

MD = {
    "material": "GeTe",
    "atoms": 64,
    "timestep_fs": 0.5,
    "max_temperature_K": 50000,
    "max_clipped": 10**9,
    "stages": [
        {"name": "liquid", "temperature_K": 20, "time_ps": 0.02, "sample": "liquid", "dump_every_ps": 0.005},
        {"name": "amorphous", "temperature_K": 10, "time_ps": 0.02, "sample": "amorphous", "dump_every_ps": 0.005},
    ],
    "output": {"thermo_every": 5, "restart_every": 20},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo with tiny networks and few steps, reading the shipped frames."""
    folder = tmp_path_factory.mktemp("demo")
    settings = json.loads((DEMO / "input.json").read_text())
    settings["model"]["descriptor"]["neuron"] = [4, 8]
    settings["model"]["fitting_net"]["neuron"] = [16, 16]
    settings["training"]["numb_steps"] = 20
    settings["training"]["training_data"]["systems"] = [str(ROOT / "data/gete-cp2k" / s) for s in ("crystal", "liquid")]
    settings["training"]["validation_data"]["systems"] = [str(ROOT / "data/gete-cp2k/validation")]
    (folder / "input.json").write_text(json.dumps(settings))
    pretrain(folder, settings)
    (folder / "md.yaml").write_text(yaml.safe_dump(MD))
    recipe = yaml.safe_load((DEMO / "stages.yaml").read_text())
    recipe["stages"]["train"]["reads"] = ["input.json", "pretrained.safetensors"]
    recipe["stages"]["quantize"]["run"] += ["--steps", "2"]
    report = recipe["stages"]["report"]
    report["run"] = [word.replace("../../data", str(ROOT / "data")) for word in report["run"]]
    (folder / "stages.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    return folder


def pretrain(folder: Path, settings: dict[str, Any]) -> None:
    """Put weights of these sizes, trained for a few steps on the teacher's frames, where the recipe begins."""
    settings = settings | {"training": settings["training"] | {"numb_steps": 5}}
    settings["training"]["training_data"] = {"systems": [str(ROOT / "data/gete-teacher/rho-*")]}
    del settings["training"]["validation_data"]
    (folder / "pretrain.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "nvnmd", "train", str(folder / "pretrain.json"), "-o", str(folder / "pretrain")]
    subprocess.run(command, capture_output=True, check=True)
    shutil.copy(folder / "pretrain" / "model.safetensors", folder / "pretrained.safetensors")


def test_the_shipped_weights_are_those_of_the_shipped_settings_and_frames() -> None:
    made_from = read_provenance(DEMO / "pretrained.safetensors")
    settings, _ = parse_settings(json.loads((DEMO / "pretrain.json").read_text()))
    known, _ = parse_settings(made_from["settings"])  # with the defaults of keys that came later
    assert known == settings
    assert made_from["steps"] == settings.training.numb_steps
    assert settings.training.training_data is not None
    systems = load_systems([DEMO / s for s in settings.training.training_data.systems], ("Ge", "Te"))
    assert {e["name"]: e["sha256"] for e in made_from["training_data"]} == {s.name: data_digest([s]) for s in systems}


def test_the_recipe_reads_the_systems_of_its_settings() -> None:
    data = json.loads((DEMO / "input.json").read_text())["training"]
    systems = data["training_data"]["systems"] + data["validation_data"]["systems"]
    stage = yaml.safe_load((DEMO / "stages.yaml").read_text())["stages"]["train"]
    others = ("../../data/gete-cp2k/reference.raw", "pretrained.safetensors")
    assert [name for name in stage["reads"] if name not in others] == ["input.json", *systems]
    shipped = {folder.parent.name for folder in (ROOT / "data/gete-cp2k").glob("*/type.raw")}
    assert {Path(system).name for system in systems} == shipped


def demo(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "nvnmd", "demo", str(folder)], capture_output=True, text=True, check=False
    )


def test_the_demo_goes_from_frames_to_report(folder: Path) -> None:
    done = demo(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/") + page.count("<svg") >= 4
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page), "the page is not self-contained"


def test_the_demo_does_nothing_twice(folder: Path) -> None:
    again = demo(folder)
    assert again.returncode == 0
    assert again.stdout.count("finished before, skipped") == 6
