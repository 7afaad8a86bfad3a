"""What the README says can be typed: its commands exist, its files exist, its Python runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL))


@pytest.mark.parametrize("line", BLOCKS["console"].splitlines())
def test_every_command_and_option_exists(line):
    program, command, *words = line.split()
    assert program == "nvnmd"
    run = subprocess.run(
        [sys.executable, "-m", "nvnmd", command, "--help"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(^|\s){option}\b", run.stdout), f"nvnmd {command} has no {option}"


def test_every_link_leads_to_a_file():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert links
    assert not missing


def test_make_has_the_two_commands_that_stand_first():
    wanted = re.findall(r"^    make (\w+)", README, flags=re.MULTILINE)
    assert wanted == ["demo", "test"]
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(wanted) <= set(targets)


def test_the_python_example_runs(lammps_in, frame, monkeypatch, capsys):
    from ase import Atoms
    from ase.io import write

    folder = lammps_in(frame).folder
    symbols = [("Ge", "Te")[t] for t in frame.types]
    write(folder / "frames.extxyz", Atoms(symbols, frame.positions, cell=frame.cell, pbc=True))
    monkeypatch.chdir(folder)
    exec(compile(BLOCKS["python"], "README.md", "exec"), {})
    assert float(capsys.readouterr().out.split()[0]) < 0


def test_the_lammps_example_runs(lammps_in, frame):
    (block,) = re.findall(r"```\n(units .*?)```", README, flags=re.DOTALL)
    done = lammps_in(frame).run(block.replace("pair_style", "read_data start.data\npair_style", 1) + "run 0\n")
    assert done.returncode == 0, done.stdout
    assert "ERROR" not in done.stdout


def test_the_demo_settings_are_valid():
    from nvnmd.pcm.settings import read_settings
    from nvnmd.training.settings import load_settings

    demo = ROOT / "examples" / "gete-demo"
    settings, notes = load_settings(demo / "input.json")
    assert not notes
    for system in json.loads((demo / "input.json").read_text())["training"]["training_data"]["systems"]:
        assert (demo / system / "type.raw").exists()
    assert settings.model.type_map == ["Ge", "Te"]
    assert read_settings(demo / "md.yaml").atoms >= 512
