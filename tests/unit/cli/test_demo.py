"""`nvnmd demo`: stages run once, again when their inputs change, and go on after a stop.

The stages of these recipes are `nvnmd demo` itself, on an inner recipe, because that needs no model.
"""

from pathlib import Path

import pytest
import typer

from nvnmd.cli.demo import demo
from nvnmd.recipe import RecipeError, Record, fingerprint, read_recipe

RECIPE = """\
stages:
  first:
    run: [demo, --show, inner]
    reads: [inner]
    writes: [run/out]
  second:
    run: [demo, --show, inner]
    reads: [run/out]
    writes: [run/out]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "stages.yaml").write_text("stages: {only: {run: [info], writes: [x]}}")
    (tmp_path / "stages.yaml").write_text(RECIPE)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "out").write_text("1")
    return tmp_path


def test_finished_stages_are_skipped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo(folder)
    assert "skipped" not in capsys.readouterr().out
    demo(folder)
    assert capsys.readouterr().out.count("finished before, skipped") == 2


def test_a_changed_input_runs_its_stage_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo(folder)
    (folder / "run" / "out").write_text("2")
    capsys.readouterr()
    demo(folder)
    out = capsys.readouterr().out
    assert "[1/2] first: finished before" in out
    assert "[2/2] second: done" in out


def test_again_repeats_a_stage_and_those_after_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo(folder)
    capsys.readouterr()
    demo(folder, again="second")
    out = capsys.readouterr().out
    assert "[1/2] first: finished before" in out
    assert "[2/2] second: done" in out


def test_until_stops_after_the_stage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo(folder, until="first")
    assert "second" not in capsys.readouterr().out


def test_a_failed_stage_ends_the_demo_and_is_not_finished(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "inner" / "stages.yaml").write_text("stages: {}")
    with pytest.raises(typer.Exit) as leaving:
        demo(folder)
    assert leaving.value.exit_code == 2
    assert "stage first failed" in capsys.readouterr().err
    recipe = read_recipe(folder / "stages.yaml")
    assert not Record(folder, recipe).is_finished("first", recipe.stages["first"])


def test_a_stopped_stage_resumes_only_on_the_same_inputs(folder: Path) -> None:
    (folder / "stages.yaml").write_text(
        "stages: {a: {run: [info], reads: [inner], writes: [run/x], resume_from: run/out,"
        " resume_with: [--restart], afresh_with: [--overwrite]}}"
    )
    recipe = read_recipe(folder / "stages.yaml")
    stage = recipe.stages["a"]
    assert Record(folder, recipe).start("a", stage) == ("info", "--overwrite")
    assert Record(folder, recipe).start("a", stage) == ("info", "--restart")
    (folder / "inner" / "stages.yaml").write_text("other")
    assert Record(folder, recipe).start("a", stage) == ("info", "--overwrite")
    (folder / "run" / "out").unlink()
    assert Record(folder, recipe).start("a", stage) == ("info", "--overwrite")


def test_a_stage_that_breaks_its_promise_is_an_error(folder: Path) -> None:
    (folder / "run" / "out").unlink()
    with pytest.raises(RecipeError, match="did not write run/out"):
        demo(folder)


def test_an_unknown_stage_is_refused(folder: Path) -> None:
    with pytest.raises(RecipeError, match="--until third: no such stage; the stages are first, second"):
        demo(folder, until="third")


def test_an_unknown_key_is_named(folder: Path) -> None:
    (folder / "stages.yaml").write_text("stages: {a: {run: [info], writes: [x], read: [y]}}")
    with pytest.raises(RecipeError, match=r"stages\.a\.read"):
        read_recipe(folder / "stages.yaml")


def test_a_missing_input_is_named(folder: Path) -> None:
    stage = read_recipe(folder / "stages.yaml").stages["second"]
    (folder / "run" / "out").unlink()
    with pytest.raises(RecipeError, match=r"out does not exist, but `nvnmd demo --show inner` reads it"):
        fingerprint(folder, stage)


def test_a_damaged_record_is_an_error(folder: Path) -> None:
    (folder / "run" / "stages.json").write_text("{")
    with pytest.raises(RecipeError, match=r"stages\.json is damaged"):
        demo(folder)


def test_the_shipped_recipe_is_valid() -> None:
    recipe = read_recipe(Path(__file__).parents[3] / "examples" / "gete-demo" / "stages.yaml")
    assert list(recipe.stages) == [
        "train",
        "quantize",
        "evaluate-float",
        "evaluate-integer",
        "md",
        "report",
    ]
