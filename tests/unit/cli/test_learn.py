"""`nvnmd label`, `nvnmd explore`, and `nvnmd learn --dry-run`, as users call them."""

import json
from pathlib import Path

import pytest
import yaml
from ase.build import bulk
from ase.io import read, write

from nvnmd.cli import app
from nvnmd.learn.errors import LearnError
from nvnmd.training.frames import load_systems

ROOT = Path(__file__).parents[3]


def nvnmd(*arguments: object) -> None:
    assert app([str(a) for a in arguments], prog_name="nvnmd", standalone_mode=False) in (0, None)


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    path = tmp_path / "copper.extxyz"
    made = []
    for k in range(3):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.05, seed=k)
        made.append(atoms)
    made[1].positions[2, 0] = float("nan")
    write(path, made)
    return path


def test_label_writes_marked_sets_and_goes_on(frames: Path, tmp_path: Path, capsys) -> None:
    nvnmd("label", frames, "--with", "ase.calculators.emt:EMT", "--name", "emt", "-o", tmp_path / "out")
    shown = capsys.readouterr()
    assert "2 labeled, 0 failed, none left" in shown.out
    assert "frame 1: positions or cell are not numbers" in shown.err
    (system,) = load_systems(tmp_path / "out/data")
    assert (system.n_frames, system.label) == (2, "teacher:emt")
    (folder,) = (tmp_path / "out/data").iterdir()
    entries = json.loads((folder / "provenance.json").read_text())["frames"]
    assert [entry["frame_in_file"] for entry in entries] == [0, 2]
    nvnmd("label", "-o", tmp_path / "out")
    assert "2 labeled, 0 failed, none left" in capsys.readouterr().out


def test_label_refuses_what_it_cannot_use(frames: Path, tmp_path: Path) -> None:
    with pytest.raises(LearnError, match="no queue of labels here"):
        nvnmd("label", frames, "-o", tmp_path / "out")
    with pytest.raises(LearnError, match="did you mean 'max_minutes'"):
        nvnmd("label", frames, "--with", "ase.calculators.emt:EMT", "--set", "max_minute=3", "-o", tmp_path / "out")
    with pytest.raises(LearnError, match="ASE cannot read it"):
        nvnmd("label", tmp_path / "none.xyz", "--with", "ase.calculators.emt:EMT", "-o", tmp_path / "out")


def test_explore_lists_builders_and_recipes(capsys) -> None:
    nvnmd("explore")
    shown = capsys.readouterr().out
    for text in ("melt-quench: Melt", "    min_distance_A = None", "--recipe gst-gap-22", "iter-5"):
        assert text in shown


def test_explore_writes_the_same_structures_for_the_same_seed(tmp_path: Path) -> None:
    call = ("explore", "random", "-c", 3, "--set", "composition=GeTe", "--set", "atoms=[4, 8]")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        nvnmd(*call, "--seed", seed, "-o", tmp_path / f"{name}.extxyz")
    first, again, other = ((tmp_path / f"{name}.extxyz").read_text() for name in "abc")
    assert first == again != other
    assert len(read(tmp_path / "a.extxyz", index=":")) == 3


def test_explore_builds_an_iteration_of_a_recipe(tmp_path: Path, capsys) -> None:
    recipe = tmp_path / "mine.yaml"
    item = {"build": "rocksalt", "composition": ["GeTe", "Sb2Te3"], "count": 4}
    recipe.write_text(yaml.safe_dump({"iterations": {"iter-0": [item]}}))
    nvnmd("explore", "--recipe", recipe, "--element", "Ge", "--element", "Te", "--scale", 0.5, "-o", tmp_path / "out")
    found = read(tmp_path / "out/rocksalt.extxyz", index=":")
    assert [atoms.get_chemical_formula() for atoms in found] == ["Ge32Te32"] * 2
    assert "2 structures" in capsys.readouterr().out
    with pytest.raises(LearnError, match="has no iteration 'iter-9'"):
        nvnmd("explore", "--recipe", recipe, "--iteration", "iter-9", "-o", tmp_path / "out")


def test_explore_finds_the_elements_of_both_materials_of_an_interface(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    above = {"build": "random", "composition": "SiO2", "atoms": 6, "base_A": [6, 6], "volume_A3": [18, 22]}
    below = {"build": "rocksalt", "composition": "GeTe", "repeats": [1, 1, 1]}
    item = {"build": "interface", "below": below, "above": above, "gap_A": 2.4}
    recipe.write_text(yaml.safe_dump({"iterations": {"iter-0": [item]}}))
    nvnmd("explore", "--recipe", recipe, "-o", tmp_path / "out")
    assert {"Ge", "Te", "Si", "O"} == set(read(tmp_path / "out/interface.extxyz").get_chemical_symbols())


def test_what_needs_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(LearnError, match="give an integer model with --model"):
        nvnmd("explore", "rss", "--set", "composition=GeTe", "-o", tmp_path / "out")


@pytest.mark.parametrize("name", ["gete-learn/settings.yaml", "gete-learn/cp2k.yaml", "gst-learn/settings.yaml"])
def test_the_settings_of_the_example_are_valid(name: str, capsys) -> None:
    nvnmd("learn", ROOT / "examples" / name, "--dry-run")
    shown = capsys.readouterr().out
    assert "round 1: " in shown
    assert "x melt-quench" in shown
