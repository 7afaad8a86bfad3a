"""`nvnmd evaluate`: errors of a float or integer model against labeled frames."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvnmd.training.errors import NvnmdError

if TYPE_CHECKING:
    from nvnmd.training.evaluation import Evaluated, Predicted
    from nvnmd.training.system import System

log = logging.getLogger("nvnmd.evaluate")


class EvaluateError(NvnmdError, ValueError):
    """Something that cannot be evaluated."""


@dataclass
class Runner:
    """A model ready to predict systems.

    Attributes:
        kind: "float" or "integer"; type_map: elements of the model; provenance: as its file says.
        predict: energies, forces and virials of a system.
        clipped: saturated words by stage, counted over all frames so far (integer models).
    """

    kind: str
    type_map: tuple[str, ...]
    provenance: dict[str, Any]
    predict: Callable[[System], Predicted]
    clipped: Counter[str] = field(default_factory=Counter)


def evaluate(
    model: Annotated[Path, typer.Argument(help="Integer model (*.nvnmd) or float model (*.safetensors).")],
    data: Annotated[
        list[str] | None, typer.Argument(help="Files, folders or patterns with labeled frames; see nvnmd info.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option("--settings", "-s", help="Take the data of these training settings.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for evaluation.json and predictions.npz.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    dp_test: Annotated[
        bool, typer.Option("--dp-test", help="Print the lines of DeePMD-kit's dp test instead of a table.")
    ] = False,
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group", help="NAME=PATTERN of system names, a row of its own in the errors by phase; repeatable."
        ),
    ] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 takes OMP_NUM_THREADS or all cores.", min=0)] = 0,
    max_force: Annotated[float, typer.Option(help="Largest force taken for real, eV/A.")] = 100.0,
    check_units: Annotated[
        bool, typer.Option("--check-units/--no-check-units", help="Refuse labels that look like other units.")
    ] = True,
) -> None:
    """Compare a model with labeled frames: RMSE and MAE of energy, force and virial, by system and in all.

    The measures are those of `dp test`: energies and virials per atom, forces by component. Frames that the model was
    trained on, held-out frames and new ones are told apart by the hashes that the model file keeps of its data.

    An energy error that is the same for all frames (column offset) usually means another energy reference; the column
    scatter is the error without it.

    Below stand the errors by phase (crystal, liquid, amorphous), which a word in the system's name tells, or --group.

    --dp-test prints the same figures that `dp test` prints, with its names, units and averages, for comparison.

    Examples:

        nvnmd evaluate run/model.safetensors data/gete-cp2k

        nvnmd evaluate model.nvnmd --settings input.json -o run/evaluate     training and held-out frames

        nvnmd evaluate model.nvnmd "data/*/liquid" --json

        nvnmd evaluate model.nvnmd data/gete-cp2k --dp-test

        nvnmd evaluate model.nvnmd data/gete-aimd-216 --group "liquid=*/melt-1500K"
    """
    if as_json and dp_test:
        raise EvaluateError("--json and --dp-test both say what to print; choose one")
    if bool(data) == (settings is not None):
        raise EvaluateError("say what to evaluate on: either data (files, folders, patterns) or --settings")
    runner = load_runner(model, threads)
    if settings is None:
        from nvnmd.training.frames import load_systems

        systems = load_systems(data or [], runner.type_map, max_force=max_force, check_units=check_units)
    else:
        systems = _systems_of_training(settings, runner.type_map)
    from nvnmd.training.phases import by_phase, parse_groups

    groups = parse_groups(group or [])
    evaluated = _evaluate(runner, systems)
    result = _result(model, runner, evaluated) | {"phases": by_phase(evaluated, groups)}
    if output is not None:
        _write(output, result, evaluated)
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    elif dp_test:
        from nvnmd.training.dp_measures import dp_report

        typer.echo(dp_report(evaluated))
    else:
        _show(result)


def load_runner(path: Path, threads: int = 0) -> Runner:
    """A float or integer model, told apart by the file's ending.

    Raises:
        NvnmdError, nvnmd.host.Error: the file cannot be read.
    """
    return _integer_runner(path, threads) if path.suffix == ".nvnmd" else _float_runner(path, threads)


def _float_runner(path: Path, threads: int) -> Runner:
    import torch

    from nvnmd.training.metrics import predict
    from nvnmd.training.model_file import load_model, read_provenance

    if threads:
        torch.set_num_threads(threads)
    model = load_model(path)
    return Runner("float", model.shape.type_map, read_provenance(path), lambda system: predict(model, system))


def _integer_runner(path: Path, threads: int) -> Runner:
    import numpy as np

    from nvnmd.host import Error, Potential, model_info
    from nvnmd.training.evaluation import Predicted

    potential = Potential(path, threads=threads or None)
    log.info("%s", potential.description)
    runner: Runner

    def predict(system: System) -> Predicted:
        results = []
        for k in range(system.n_frames):
            try:
                results.append(
                    potential.compute(system.positions[k], system.cells[k], system.types, periodic=system.periodic)
                )
            except Error as error:
                raise EvaluateError(f"{system.name}, frame {k}: {error}") from None
            runner.clipped.update(results[-1].clipped)
        return Predicted(
            np.array([r.energy for r in results]),
            np.array([r.forces for r in results]),
            np.array([r.virial for r in results]),
        )

    runner = Runner("integer", potential.type_map, model_info(path).get("provenance", {}), predict)
    return runner


def _systems_of_training(settings: Path, type_map: tuple[str, ...]) -> list[System]:
    """Training and held-out systems of some training settings, in the model's type map."""
    from nvnmd.cli.train import load_data
    from nvnmd.training.settings import load_settings

    parsed, _ = load_settings(settings)
    data = load_data(parsed, settings.parent)
    return [system.with_type_map(type_map) for system in (*data.train, *data.validation)]


def _evaluate(runner: Runner, systems: list[System]) -> list[Evaluated]:
    from rich.console import Console
    from rich.progress import track

    from nvnmd.training.evaluation import Evaluated, by_part

    console = Console(stderr=True)
    parts = [part for system in systems for part in by_part(system, runner.provenance)]
    tracked = track(parts, "evaluating", console=console, transient=True)
    return [Evaluated(system, runner.predict(system), part) for system, part in tracked]


def _result(model: Path, runner: Runner, evaluated: list[Evaluated]) -> dict[str, Any]:
    from nvnmd.training.evaluation import summary
    from nvnmd.training.files import file_digest

    result = {"model": {"file": model.name, "kind": runner.kind, "sha256": file_digest(model)}} | summary(evaluated)
    if runner.kind == "integer":
        result["clipped"] = dict(runner.clipped)
    return result


def _write(folder: Path, result: dict[str, Any], evaluated: list[Evaluated]) -> None:
    import io

    import numpy as np

    from nvnmd.training.evaluation import prediction_arrays
    from nvnmd.training.model_file import write_atomically, write_json

    folder.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.savez_compressed(content, **prediction_arrays(evaluated))  # type: ignore[arg-type]
    write_atomically(folder / "predictions.npz", content.getvalue())
    write_json(folder / "evaluation.json", result)


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{result['model']['file']} ({result['model']['kind']} model)")
    table.add_column("system")
    table.add_column("part")
    for column in (
        "frames",
        "energy\nRMSE",
        "\nMAE",
        "\noffset",
        "\nscatter",
        "force\nRMSE",
        "\nMAE",
        "virial\nRMSE",
        "\nMAE",
    ):
        table.add_column(column, justify="right")
    for row in result["systems"]:
        table.add_row(row["name"], row["part"], *_numbers(row))
    table.add_section()
    for part, row in result["parts"].items():
        table.add_row("all", part, *_numbers(row), style="bold")
    if len(result["parts"]) > 1:
        table.add_row("all", "", *_numbers(result["all"]), style="bold")
    if len(result["phases"]) > 1:
        table.add_section()
        for phase, parts in result["phases"].items():
            for part, row in parts.items():
                table.add_row(phase, part, *_numbers(row))
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    console.print("energy and virial in meV/atom, force in meV/A")
    if clipped := {stage: count for stage, count in result.get("clipped", {}).items() if count}:
        counts = ", ".join(f"{stage} {count}" for stage, count in clipped.items())
        console.print(f"saturated words: {counts}", style="yellow")


def _numbers(row: dict[str, Any]) -> list[str]:
    keys = ("energy_rmse", "energy_mae", "energy_offset", "energy_scatter", "force_rmse", "force_mae")
    virials = ["-" if row[key] is None else f"{1000 * row[key]:.2f}" for key in ("virial_rmse", "virial_mae")]
    return [str(row["n_frames"]), *(f"{1000 * row[key]:.2f}" for key in keys), *virials]
