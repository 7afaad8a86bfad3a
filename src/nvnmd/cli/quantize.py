"""`nvnmd quantize`: from a float model to the integer model file."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nvnmd.quantize.integer_model import IntegerModel
    from nvnmd.quantize.qat.tuning import Tuner, TuningOptions
    from nvnmd.training.model import DeepPot
    from nvnmd.training.settings import Settings
    from nvnmd.training.setup import TrainingData

log = logging.getLogger("nvnmd.quantize")

FLOAT_FILE, MODEL, STAGES_FILE = "model.safetensors", "model.nvnmd", "stages.json"
_STAGE_FRAMES = 12


def quantize(
    model: Annotated[Path, typer.Argument(help="Folder of nvnmd train, or its model.safetensors.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the results; by default quantize beside train.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="Frames to fine-tune on instead of those of training; repeatable."),
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of fine-tuning.", min=1)] = 1000,
    start_lr: Annotated[float, typer.Option(help="Learning rate at the first step; falls to a tenth.")] = 2e-5,
    weight_bits: Annotated[int, typer.Option(help="Bits of the fitting weights.", min=3, max=16)] = 16,
    max_neighbors: Annotated[
        int, typer.Option(help="Most neighbors of an atom; 0 chooses from the data.", min=0, max=1024)
    ] = 0,
    finetune: Annotated[
        bool, typer.Option("--finetune/--no-finetune", help="Without: only quantize after training.")
    ] = True,
    restart: Annotated[bool, typer.Option("--restart", help="Continue from the checkpoint in the folder.")] = False,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 takes OMP_NUM_THREADS or all cores.", min=0)] = 0,
) -> None:
    """Fine-tune a trained potential to fixed point and write the integer model file.

    Number formats are chosen from the ranges on the training frames and rounded once; then the model is fine-tuned at
    a small learning rate while it computes exactly the integers that every backend will compute. The model with the
    smallest loss on held-out frames is kept, among those whose energies and forces are no worse than before
    fine-tuning, on held-out and on training frames.

    Written to the folder: model.nvnmd (the best model so far, at any time), lcurve.out, stages.json (what each stage's
    rounding costs) and model.ckpt.pt.

    Ctrl-C saves and leaves; model.nvnmd is then the best so far, and --restart goes on.

    Examples:

        nvnmd quantize run/train                       writes run/quantize/model.nvnmd

        nvnmd quantize run/train --no-finetune -o ptq  quantize only

        nvnmd quantize run/train --weight-bits 8 --steps 4000 -o run8
    """
    import torch

    from nvnmd.quantize.energy_reference import match_reference
    from nvnmd.quantize.qat.tuning import TuningOptions
    from nvnmd.training.model_file import load_model

    if threads:
        torch.set_num_threads(threads)
    path = find_model(model)
    folder = output or (path.parent.parent if path.parent.name == "train" else path.parent) / "quantize"
    folder.mkdir(parents=True, exist_ok=True)
    float_model = load_model(path)
    settings, frames, record = _load_data(path, data)
    float_model, frames = match_reference(float_model, frames)
    chosen = {"weight_bits": weight_bits} | ({"max_neighbors": max_neighbors} if max_neighbors else {})
    integer = _start(path, float_model, frames, chosen, folder, record, restart)
    finished, step = True, 0
    if finetune:
        options = TuningOptions(steps=steps, start_lr=start_lr, stop_lr=start_lr / 10)
        integer, finished, step = _tune(float_model, integer, frames, settings, options, folder, restart)
    if not finished:
        typer.echo(f"stopped after step {step}; {folder / MODEL} is the best so far, --restart goes on", err=True)
        raise typer.Exit(130)
    _finish(float_model, integer, frames, folder)


def find_model(path: Path) -> Path:
    """The float model that a path means: a file, a folder of nvnmd train, or a run folder.

    Raises:
        NvnmdError: there is none.
    """
    from nvnmd.training.errors import NvnmdError

    if path.is_file():
        return path
    for place in (path / FLOAT_FILE, path / "train" / FLOAT_FILE):
        if place.is_file():
            return place
    raise NvnmdError(f"{path}: no {FLOAT_FILE} there; give the folder that nvnmd train wrote, or the file")


def _load_data(path: Path, data: list[str] | None) -> tuple[Settings, TrainingData, dict[str, Any] | None]:
    """Settings of training, the frames, and the record of the frames if they are others than those of training."""
    from nvnmd.cli.train import load_data
    from nvnmd.training.errors import NvnmdError
    from nvnmd.training.frames import load_systems
    from nvnmd.training.model_file import load_model, read_provenance
    from nvnmd.training.settings import parse_settings
    from nvnmd.training.setup import prepare_data, provenance, settings_for

    record = read_provenance(path)
    if "settings" in record:
        settings, _ = parse_settings(record["settings"])
    elif data:
        settings = settings_for(load_model(path), data)
    else:
        raise NvnmdError(f"{path} does not say what it was trained on; give frames with --data")
    if data:
        systems = load_systems(data, settings.model.type_map)
        frames = prepare_data(systems, None, settings.nvnmd.validation_fraction)
        made = provenance(settings, frames)
        return settings, frames, {key: made[key] for key in ("training_data", "validation_data")}
    frames = load_data(settings, _base(path, settings.training.training_data.systems))
    _check_same(record, settings, frames)
    return settings, frames, None


def _base(path: Path, systems: list[str]) -> Path:
    """The folder that the paths of the training data count from: here, or a folder that holds the model."""
    relative = [system for system in systems if not Path(system).is_absolute()]
    for place in (Path(), *path.resolve().parents):
        if all(any(place.glob(system)) or (place / system).exists() for system in relative):
            return place
    return Path()


def _check_same(record: dict[str, Any], settings: Settings, frames: TrainingData) -> None:
    from nvnmd.training.setup import provenance

    now = [entry["sha256"] for entry in provenance(settings, frames)["training_data"]]
    if now != [entry["sha256"] for entry in record.get("training_data", [])]:
        log.warning("the training frames have changed since the model was trained; going on with those of now")


def _start(
    path: Path,
    model: DeepPot,
    frames: TrainingData,
    chosen: dict[str, Any],
    folder: Path,
    record: dict[str, Any] | None,
    restart: bool,
) -> IntegerModel:
    """The integer model to start from, quantized after training; and what each stage costs."""
    from nvnmd.quantize.model_file import load_model
    from nvnmd.quantize.provenance import provenance
    from nvnmd.quantize.ptq import options_for, quantize_model, spread_frames
    from nvnmd.quantize.stage_errors import stage_errors
    from nvnmd.training.model_file import write_atomically

    if restart:
        return load_model(folder / MODEL)
    options = options_for(model, [*frames.train, *frames.validation], **chosen)
    log.info("choosing number formats; tables start at %.2f A", options.table_start_A)
    integer = quantize_model(model, frames.train, options, provenance(path, options, record))
    systems = spread_frames(list(frames.validation or frames.train), _STAGE_FRAMES)
    records = stage_errors(model, integer, systems)
    write_atomically(folder / STAGES_FILE, (json.dumps(records, indent=1) + "\n").encode())
    worst = max(
        (r for r in records if r["mode"] == "only" and r["stage"] != "all"), key=lambda r: r["force_rmse_meV_A"]
    )
    log.info(
        "rounding moves forces by %.2f meV/A, most of it in stage %s (%.2f)",
        records[0]["force_rmse_meV_A"],
        worst["stage"],
        worst["force_rmse_meV_A"],
    )
    return integer


def _tune(
    model: DeepPot,
    integer: IntegerModel,
    frames: TrainingData,
    settings: Settings,
    options: TuningOptions,
    folder: Path,
    restart: bool,
) -> tuple[IntegerModel, bool, int]:
    """Fine-tune with a progress bar: the best model, whether the last step was reached, and the step."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from nvnmd.quantize.qat.tuning import Tuner

    columns = (TextColumn("fine-tuning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[best]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task("fine-tuning", total=options.steps, best="")
        tuner: Tuner

        def show(_: Any) -> None:
            step, errors = tuner.best.provenance["quantize"]["best"]["step"], tuner.verdict.parts[0]
            bar.update(
                task, best=f"best, step {step}: {1e3 * errors.energy:.1f} meV/atom, {1e3 * errors.force:.0f} meV/A"
            )

        def count(step: int) -> None:
            bar.update(task, completed=step)

        tuner = Tuner(model, integer, frames, settings, options, folder, restart, show, count)
        bar.update(task, completed=tuner.trainer.step)
        finished = tuner.run()
    return tuner.best, finished, tuner.trainer.step


def _finish(model: DeepPot, integer: IntegerModel, frames: TrainingData, folder: Path) -> None:
    """Measure float and integer model on all frames, keep the figures in the model file and show them."""
    import dataclasses

    from nvnmd.quantize.model_file import save_model
    from nvnmd.quantize.provenance import measured_errors

    errors = measured_errors(model, integer, frames)
    integer = dataclasses.replace(integer, provenance=integer.provenance | {"errors": errors})
    save_model(integer, folder / MODEL)
    for part, float_row in errors["float"]["parts"].items():
        row = errors["integer"]["parts"][part]
        for name, key, unit in (("energy", "energy_rmse", "meV/atom"), ("force", "force_rmse", "meV/A")):
            ours, theirs = 1000 * row[key], 1000 * float_row[key]
            ratio = f", ratio {ours / theirs:.3f}" if theirs else ""
            typer.echo(f"{part}: {name} RMSE {ours:.2f} {unit}, float model {theirs:.2f}{ratio}")
    typer.echo(f"model: {folder / MODEL}")
