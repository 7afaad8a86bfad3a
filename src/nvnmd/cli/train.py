"""`nvnmd train`: FP32 training from a settings file."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nvnmd.training.model import DeepPot
    from nvnmd.training.parallel import Ranks
    from nvnmd.training.settings import Settings
    from nvnmd.training.setup import TrainingData
    from nvnmd.training.system import System
    from nvnmd.training.trainer import Progress, Trainer

log = logging.getLogger("nvnmd.train")

MODEL_FILE = "model.safetensors"


def train(
    settings: Annotated[Path, typer.Argument(help="Settings in DeePMD-kit's input.json form, JSON or YAML.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for everything that is written.")] = Path(),
    restart: Annotated[bool, typer.Option("--restart", help="Continue from the checkpoint in the folder.")] = False,
    init_model: Annotated[
        Path | None,
        typer.Option("--init-model", help="Start from this float model; its elements may differ from type_map."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 takes OMP_NUM_THREADS or all cores.", min=0)] = 0,
) -> None:
    """Train a deep potential in FP32 on DFT frames.

    The settings file has DeePMD-kit's sections model, learning_rate, loss and training, so an input.json of yours
    works; a section nvnmd holds the rest. Paths of systems are relative to the settings file. Unknown keys are refused;
    keys that do not apply here are named.

    Written to the folder: model.safetensors (the float model), model.ckpt.pt (everything needed to continue),
    lcurve.out and, if asked for, TensorBoard logs.

    --init-model starts from any float model of the same form and sizes, a converted one of DeePMD-kit included. Its
    elements may be fewer, more or in another order than type_map says: networks of shared elements are taken over.

    Ctrl-C saves and leaves; --restart then goes on to the same result as a run that was never stopped.

    Examples:

        nvnmd train input.json -o run            a new run
        nvnmd train input.json -o run --restart  continue it
        nvnmd train tune.json -o tuned --init-model run/model.safetensors
        torchrun --nproc-per-node 2 -m nvnmd train input.json -o run    two processes share every batch
    """
    import torch

    from nvnmd.training.parallel import ranks_of_environment
    from nvnmd.training.settings import load_settings

    if threads:
        torch.set_num_threads(threads)
    with ranks_of_environment(device) as (ranks, device):
        if not ranks.writes:
            logging.getLogger("nvnmd").setLevel(logging.ERROR)
        parsed, notes = load_settings(settings)
        for note in notes:
            log.warning("%s: %s", settings, note)
        _check_device(device)
        _check_folder(output, restart)
        data = load_data(parsed, settings.parent)
        trainer = make_trainer(parsed, data, output, restart, init_model, device, ranks)
        log.info("%s", _describe(data, trainer))
        finished = run_trainer(trainer)
    if not finished:
        if ranks.writes:
            typer.echo(f"stopped after step {trainer.step}; --restart continues", err=True)
        raise typer.Exit(130)
    if ranks.writes:
        typer.echo(f"model: {output / MODEL_FILE}")


def _check_folder(output: Path, restart: bool) -> None:
    """Find out before training whether the folder can be written to and, for a restart, continued in."""
    from nvnmd.training.errors import NvnmdError

    if restart and not (output / MODEL_FILE).exists():
        raise NvnmdError(f"nothing to continue in {output} (no {MODEL_FILE}); start without --restart")
    try:
        output.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output).close()
    except OSError as error:
        raise NvnmdError(f"cannot write to {output}: {str(error.strerror).lower()}; choose a folder with -o") from None


def _check_device(device: str) -> None:
    import torch

    from nvnmd.training.errors import NvnmdError

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise NvnmdError(f"--device {device} cannot be used: {str(error).splitlines()[0]}; try --device cpu") from None


def load_data(settings: Settings, base: Path) -> TrainingData:
    """Read and split systems; paths count from the settings file, then from the working directory as in DeePMD-kit."""
    from nvnmd.training.frames import load_systems
    from nvnmd.training.setup import prepare_data

    def load(paths: list[str]) -> list[System]:
        local = [not Path(path).is_absolute() and any(base.glob(path)) for path in paths]
        placed = [base / path if found else Path(path) for path, found in zip(paths, local, strict=True)]
        checks = settings.nvnmd
        return load_systems(placed, settings.model.type_map, max_force=checks.max_force, check_units=checks.check_units)

    training = settings.training
    held_out = load(training.validation_data.systems) if training.validation_data else None
    return prepare_data(load(training.training_data.systems), held_out, settings.nvnmd.validation_fraction)


def make_trainer(
    settings: Settings,
    data: TrainingData,
    output: Path,
    restart: bool,
    init_model: Path | None,
    device: str,
    ranks: Ranks | None = None,
) -> Trainer:
    """Build or reload the model; a new one is written at once, so that a restart finds its fixed numbers."""
    from nvnmd.training.build import build_model, center_energies, settle_energies
    from nvnmd.training.model_file import load_model, read_provenance, save_model
    from nvnmd.training.setup import build_trainer, provenance

    path = output / MODEL_FILE
    origin = provenance(settings, data)
    extended = False
    if restart:
        model = load_model(path)
        origin |= {key: value for key, value in read_provenance(path).items() if key == "init_model"}
    elif init_model is not None:
        known = load_model(init_model)
        extended = known.shape.type_map != tuple(settings.model.type_map)
        model = _start_from(known, settings, data)
        origin["init_model"] = read_provenance(init_model)
    else:
        model = build_model(settings, data.train, data.model_shifts)
    trainer = build_trainer(model, settings, data, output, device, ranks)
    trainer.on_save = lambda: save_model(model, path, origin | {"steps": trainer.step})
    if restart:
        trainer.resume()
    elif init_model is None or extended:
        center_energies(model, trainer.frames)
    else:
        settle_energies(model, trainer.frames)
    if trainer.ranks.writes:
        trainer.on_save()
    return trainer


def _start_from(known: DeepPot, settings: Settings, data: TrainingData) -> DeepPot:
    """A float model in the precision of the settings, with networks for elements that it did not know where needed."""
    import torch

    from nvnmd.training.build import build_model, check_shape
    from nvnmd.training.extend import take_over

    if known.shape.type_map == tuple(settings.model.type_map):
        check_shape(known, settings)
        known.energy_shifts = data.model_shifts.copy()
        return known.to(getattr(torch, settings.nvnmd.precision))
    extended = build_model(settings, data.train, data.model_shifts)
    shared = take_over(known, extended)
    new = [name for name in extended.shape.type_map if name not in shared]
    log.info("networks of %s are taken over; new: %s", " ".join(shared), " ".join(new) or "none")
    return extended


def _describe(data: TrainingData, trainer: Trainer) -> str:
    frames = sum(system.n_frames for system in data.train)
    held_out = sum(system.n_frames for system in data.validation)
    shared = f", shared by {trainer.ranks.size} processes" if trainer.ranks.size > 1 else ""
    labels = Counter[str]()
    for system in data.train:
        labels[system.label] += system.n_frames
    if len(labels) > 1:
        text = ", ".join(f"{n} of {label}" for label, n in labels.items())
        log.warning("labels of different origin are trained on together: %s; each has its own energy reference", text)
    start = f", continuing after step {trainer.step}" if trainer.step else ""
    return f"{frames} frames to train on, {held_out} held out, {trainer.sampler.batch_size} a step{shared}{start}"


def run_trainer(trainer: Trainer) -> bool:
    """Train with a progress bar; whether the last step was reached."""
    if not trainer.ranks.writes:
        return trainer.run()
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[errors]}"),
    )
    total = trainer.settings.training.numb_steps
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=total, completed=trainer.step, errors="")
        trainer.on_step = lambda step: bar.update(task, completed=step) if step % 20 == 0 else None
        trainer.on_progress = lambda progress: bar.update(task, completed=progress.step, errors=_errors(progress))
        return trainer.run()


def _errors(progress: Progress) -> str:
    shown = progress.validation or progress.train
    kind = "held out" if progress.validation else "training"
    return f"{kind}: {1000 * shown.energy:.1f} meV/atom, {1000 * shown.force:.0f} meV/A"
