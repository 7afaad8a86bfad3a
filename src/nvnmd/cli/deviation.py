"""`nvnmd deviation`: how far the models of a committee differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nvnmd.training.system import System


def deviation(
    models: Annotated[list[Path], typer.Argument(help="Two or more models, integer (*.nvnmd) or float.")],
    data: Annotated[
        list[str] | None, typer.Option("--data", help="Labeled frames as in nvnmd evaluate; repeatable.")
    ] = None,
    trajectory: Annotated[
        list[Path] | None,
        typer.Option("--trajectory", "-t", help="Frames without labels: any file that ASE reads; repeatable."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("model_devi.out"),
    every: Annotated[int, typer.Option(help="Steps between the frames of a trajectory.", min=1)] = 1,
    relative: Annotated[
        float | None, typer.Option(help="Relative force deviation with this level, eV/A.", min=1e-6)
    ] = None,
    atomic: Annotated[bool, typer.Option("--atomic", help="Add the force deviation of each atom.")] = False,
    low: Annotated[float, typer.Option(help="Lower trust level of the largest force deviation, eV/A.")] = 0.15,
    high: Annotated[float, typer.Option(help="Upper trust level, eV/A.")] = 0.35,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 takes OMP_NUM_THREADS or all cores.", min=0)] = 0,
) -> None:
    """Write the model deviation of a committee, frame by frame, in the form of DeePMD-kit's model_devi.out.

    A committee is several models that learned the same data from other seeds, or the models of nvnmd crossval. Where
    they differ, the data say little. Definitions are DeePMD-kit's: the force deviation of an atom is the spread of its
    force vector over the models; of all atoms the largest, smallest and mean are written.

    Printed as JSON: how many frames lie below the lower trust level (accurate), between the two (candidates for
    labeling) and above (failed).

    Examples:

        nvnmd deviation cv/fold-*/model.safetensors --data data/new

        nvnmd deviation a.nvnmd b.nvnmd c.nvnmd -t dump.lammpstrj --every 100 --atomic
    """
    from rich.console import Console
    from rich.progress import track

    from nvnmd.cli.evaluate import load_runner
    from nvnmd.training.deviation import DeviationError, deviation_text, trust_levels
    from nvnmd.training.deviation import deviation as spread
    from nvnmd.training.model_file import write_atomically

    if bool(data) == bool(trajectory):
        raise DeviationError("say what to look at: either --data or --trajectory")
    if len(models) < 2:
        raise DeviationError("the deviation of a committee needs at least two models")
    runners = [load_runner(path, threads) for path in models]
    for path, runner in zip(models, runners, strict=True):
        if set(runner.type_map) != set(runners[0].type_map):
            raise DeviationError(f"{path} knows {' '.join(runner.type_map)}, {models[0]} other elements")
    systems = _systems(data, trajectory, runners[0].type_map)
    found, text = [], ""
    for system in track(systems, "evaluating", console=Console(stderr=True), transient=True):
        found.append(spread([r.predict(system.with_type_map(r.type_map)) for r in runners], relative))
        text += deviation_text(system.name, found[-1], every, atomic)
    counts = trust_levels(found, low, high)
    write_atomically(output, text.encode())
    largest = max(float(d.force.max()) for d in found)
    typer.echo(
        json.dumps({"frames": sum(counts.values()), **counts, "largest": float(f"{largest:.6g}"), "file": str(output)})
    )


def _systems(data: list[str] | None, trajectory: list[Path] | None, type_map: tuple[str, ...]) -> list[System]:
    from nvnmd.training.frames import load_systems
    from nvnmd.training.trajectory import read_trajectory

    if trajectory:
        return [system for path in trajectory for system in read_trajectory(path, type_map)]
    return load_systems(data or [], type_map)
