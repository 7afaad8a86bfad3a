"""`nvnmd demo`: run a recipe's stages, skipping those that are finished."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nvnmd.recipe import Recipe, Record


def demo(
    folder: Annotated[
        Path, typer.Argument(help="Folder with the recipe (stages.yaml), its settings and later its results.")
    ] = Path("examples/gete-demo"),
    until: Annotated[str | None, typer.Option(help="Stop after this stage.", metavar="STAGE")] = None,
    again: Annotated[
        str | None, typer.Option(help="Run this stage and all after it again, finished or not.", metavar="STAGE")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Only list the stages and what each of them runs.")] = False,
) -> None:
    """From DFT frames to quantized molecular dynamics: train, quantize, evaluate, md, report.

    Every stage is one `nvnmd` command that you can run yourself; --show prints them. A stage whose inputs have not
    changed since it finished is skipped, and a stopped one goes on from its last checkpoint: after Ctrl-C give the same
    command again.

    Examples:

        nvnmd demo                     all stages, on the project's GeTe frames
        nvnmd demo --until quantize    only up to the integer model file
        nvnmd demo --again md          a new melt-quench and report, same model
    """
    from nvnmd.recipe import RecipeError, Record, read_recipe

    recipe = read_recipe(folder / "stages.yaml")
    for option, name in (("--until", until), ("--again", again)):
        if name is not None and name not in recipe.stages:
            raise RecipeError(f"{option} {name}: no such stage; the stages are {', '.join(recipe.stages)}")
    if show:
        _show(folder, recipe)
        return
    (folder / recipe.output).mkdir(parents=True, exist_ok=True)
    record = Record(folder, recipe)
    names = list(recipe.stages)
    if again is not None:
        for name in names[names.index(again) :]:
            record.forget(name)
    _run_stages(folder, recipe, record, until)


def _show(folder: Path, recipe: "Recipe") -> None:
    typer.echo(f"cd {folder}")
    for stage in recipe.stages.values():
        typer.echo("nvnmd " + " ".join(stage.run))


def _run_stages(folder: Path, recipe: "Recipe", record: "Record", until: str | None) -> None:
    for number, (name, stage) in enumerate(recipe.stages.items(), start=1):
        title = f"[{number}/{len(recipe.stages)}] {name}"
        if record.is_finished(name, stage):
            typer.echo(f"{title}: finished before, skipped")
        else:
            arguments = record.start(name, stage)
            typer.echo(f"{title}: nvnmd {' '.join(arguments)}")
            started = time.monotonic()
            _run(folder, name, arguments)
            record.finish(name, stage)
            typer.echo(f"{title}: done in {time.monotonic() - started:.0f} s")
        if name == until:
            break
    for written in stage.writes:
        typer.echo(f"result: {folder / written}")


def _run(folder: Path, name: str, arguments: tuple[str, ...]) -> None:
    """Run a stage as a process of its own; its failure or interruption ends the demo with the same exit code."""
    process = subprocess.Popen([sys.executable, "-m", "nvnmd", *arguments], cwd=folder)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # The terminal sent Ctrl-C to the stage too: let it save and leave.
        process.wait()
        code = 130
    if code == 130:
        typer.echo(f"stopped in stage {name}; the same command goes on from here", err=True)
        raise typer.Exit(130)
    if code != 0:
        typer.echo(f"nvnmd: stage {name} failed (exit code {code}); the same command tries it again", err=True)
        raise typer.Exit(code if 0 < code < 128 else 1)
