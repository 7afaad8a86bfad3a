"""`nvnmd gamma`: the active set of an integer model, and extrapolation grades of frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvnmd.training.errors import NvnmdError

if TYPE_CHECKING:
    from nvnmd.host import ActiveSet
    from nvnmd.training.system import System

QUANTILES = {"median": 0.5, "q90": 0.9, "q99": 0.99, "largest": 1.0}

Part = tuple["System", str]


class GammaError(NvnmdError, ValueError):
    """Frames or files from which no grades can be had."""


def gamma(
    model: Annotated[Path, typer.Argument(help="Integer model (*.nvnmd).")],
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="Frames to choose the active set from, as in nvnmd info; repeatable."),
    ] = None,
    test: Annotated[list[str] | None, typer.Option("--test", help="More labeled frames to grade; repeatable.")] = None,
    trajectory: Annotated[
        list[Path] | None,
        typer.Option("--trajectory", "-t", help="Frames without labels to grade: any file that ASE reads; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: the model's name with .gamma.")
    ] = None,
    extend: Annotated[
        bool, typer.Option("--extend", help="Begin with the active set that is there, and add what is new.")
    ] = False,
    threshold: Annotated[float, typer.Option(help="Grade from which an atom counts as extrapolating.")] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    threads: Annotated[int, typer.Option(help="Frames at the same time; 0 takes all cores.", min=0)] = 0,
) -> None:
    """Choose the active set of an integer model, and grade how far atoms lie outside it.

    The grade of an atom is at most 1 where the model interpolates between atoms it was trained on, in the space of its
    last hidden layer; from 2 on or so it extrapolates. With the file beside the model, nvnmd.host and pair_style nvnmd
    give the grade of every atom of a run (docs/uncertainty.md).

    Of --data, the frames that the model was trained on are used (part "train"), as the hashes in the model file tell;
    if it knows none, all are (part "chosen"). Without --data the active set that is there is read, and the frames of
    --test or --trajectory are graded.

    Examples:

        nvnmd gamma model.nvnmd --data data/gete-cp2k

        nvnmd gamma model.nvnmd --test "data/*/glass" -t run/dump.lammpstrj

        nvnmd gamma model.nvnmd --data data/new --extend
    """
    from nvnmd.host import ActiveSet, active_set_path, model_info

    path = output or active_set_path(model)
    info = model_info(model)
    type_map = tuple(info["type_map"])
    parts = _named(_parts(data, type_map, info.get("provenance", {})))
    more = [*_parts(test, type_map, {}), *_trajectories(trajectory, type_map)]
    if not parts and not more:
        raise GammaError("say what to look at: --data to choose an active set, --test or --trajectory to grade frames")
    if parts:
        active_set = _build(model, parts, ActiveSet.load(path) if extend else None, threads)
        active_set.save(path)
    else:
        active_set = ActiveSet.load(path)
    rows = [
        _row(system, part, _grades(model, system, path, threads), threshold) for system, part in _tracked(parts + more)
    ]
    result = {"model": model.name, "active_set": str(path), "rows": active_set.active, "of": _size(active_set)}
    result |= {"threshold": threshold, "systems": rows, "parts": _by_part(rows)}
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    else:
        _show(result)


def _parts(data: list[str] | None, type_map: tuple[str, ...], provenance: Any) -> list[Part]:
    from nvnmd.training.evaluation import by_part
    from nvnmd.training.frames import load_systems

    return [part for system in load_systems(data, type_map) for part in by_part(system, provenance)] if data else []


def _named(parts: list[Part]) -> list[Part]:
    """Where the model knows none of the frames, all are the ones to choose from."""
    return parts if any(part == "train" for _, part in parts) else [(system, "chosen") for system, _ in parts]


def _trajectories(paths: list[Path] | None, type_map: tuple[str, ...]) -> list[Part]:
    from nvnmd.training.trajectory import read_trajectory

    return [(system, "new") for path in paths or [] for system in read_trajectory(path, type_map)]


def _build(model: Path, parts: list[Part], start: ActiveSet | None, threads: int) -> ActiveSet:
    """The active set, with progress on the screen and the systems in its provenance."""
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from nvnmd.host import build_active_set

    chosen = [system for system, part in parts if part in ("train", "chosen")]
    total = sum(system.n_frames for system in chosen)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, count: int) -> None:
            if what not in tasks:
                frames = what == "frames"
                tasks[what] = bar.add_task(
                    "frames" if frames else f"active set of {what}", total=total if frames else None
                )
            bar.update(tasks[what], completed=count)

        frames = (frame for system in chosen for frame in _frames(system))
        found = build_active_set(model, frames, start, threads=threads or None, progress=report)
    systems = [{"name": system.name, "frames": system.n_frames} for system in chosen]
    before = start.provenance.get("systems", []) if start is not None else []
    return replace(found, provenance={"model": model.name, "systems": [*before, *systems]})


def _frames(system: System) -> Iterator[tuple[Any, ...]]:
    return ((system.positions[k], system.cells[k], system.types, system.periodic) for k in range(system.n_frames))


def _tracked(parts: list[Part]) -> Any:
    from rich.console import Console
    from rich.progress import track

    return track(parts, "grading", console=Console(stderr=True), transient=True)


def _grades(model: Path, system: System, active_set: Path, threads: int) -> Any:
    """Grades [n_frames, n_atoms]."""
    import numpy as np

    from nvnmd.host import Error, evaluate_many

    try:
        results = evaluate_many(
            model, _frames(system), threads or None, active_set=active_set, virial=False, gamma=True
        )
        return np.array([result.gamma for result in results])
    except Error as error:
        raise GammaError(f"{system.name}, {error}") from None


def _row(system: System, part: str, grades: Any, threshold: float) -> dict[str, Any]:
    import numpy as np

    row: dict[str, Any] = {"name": system.name, "part": part, "frames": system.n_frames, "atoms": int(grades.size)}
    row |= {name: float(np.quantile(grades, q)) for name, q in QUANTILES.items()}
    row["extrapolating_atoms"] = int((grades >= threshold).sum())
    row["extrapolating_frames"] = int((grades.max(axis=1) >= threshold).sum())
    row["grades"] = grades
    return row


def _by_part(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows of all systems of a part together; takes the grades out of the rows."""
    import numpy as np

    counts = ("frames", "atoms", "extrapolating_atoms", "extrapolating_frames")
    found = {}
    for part in dict.fromkeys(row["part"] for row in rows):
        members = [row for row in rows if row["part"] == part]
        grades = np.concatenate([row["grades"].ravel() for row in members])
        found[part] = {name: sum(row[name] for row in members) for name in counts}
        found[part] |= {name: float(np.quantile(grades, q)) for name, q in QUANTILES.items()}
    for row in rows:
        del row["grades"]
    return found


def _size(active_set: ActiveSet) -> int:
    return len(active_set.rows[0])


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"extrapolation grades, {result['model']}")
    table.add_column("system")
    table.add_column("part")
    for column in ("frames", "atoms", *QUANTILES, "extrapolating\natoms", "\nframes"):
        table.add_column(column, justify="right")
    for row in result["systems"]:
        table.add_row(row["name"], row["part"], *_numbers(row))
    table.add_section()
    for part, row in result["parts"].items():
        table.add_row("all", part, *_numbers(row), style="bold")
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    active = ", ".join(f"{count} for {symbol}" for symbol, count in result["rows"].items())
    console.print(f"{result['active_set']}: of {result['of']} rows, atoms have taken {active}")


def _numbers(row: dict[str, Any]) -> list[str]:
    first = [str(row["frames"]), str(row["atoms"]), *(f"{row[name]:.2f}" for name in QUANTILES)]
    return [*first, str(row["extrapolating_atoms"]), str(row["extrapolating_frames"])]
