"""`nvnmd crossval`: k trainings, each with other whole systems held out."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nvnmd.training.evaluation import Evaluated
    from nvnmd.training.settings import Settings
    from nvnmd.training.splits import Split

log = logging.getLogger("nvnmd.crossval")


def crossval(
    settings: Annotated[Path, typer.Argument(help="Settings of nvnmd train.")],
    folds: Annotated[int, typer.Option("--folds", "-k", help="Number of folds.", min=2)] = 5,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for fold-1, fold-2, ... and crossval.json.")
    ] = Path("crossval"),
    seed: Annotated[int, typer.Option(help="Decides which of several systems of equal size go together.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 takes OMP_NUM_THREADS or all cores.", min=0)] = 0,
) -> None:
    """Train k models, each with other whole systems held out, and tell the errors on what was held out.

    Every system of training_data is held out once, whole, since frames of one trajectory resemble each other; folds
    have about equal numbers of frames. validation_data and validation_fraction are left out. Each fold is a folder as
    nvnmd train writes it; the k models are also a committee for nvnmd deviation.

    Ctrl-C saves and leaves; the same command goes on where it stopped.

    Examples:

        nvnmd crossval input.json -k 5 -o cv

        nvnmd deviation cv/fold-*/model.safetensors --data data/new
    """
    import torch

    from nvnmd.cli.train import load_data, make_trainer, run_trainer
    from nvnmd.training.evaluation import Evaluated
    from nvnmd.training.metrics import predict
    from nvnmd.training.model import DeepPot
    from nvnmd.training.model_file import write_json
    from nvnmd.training.settings import load_settings
    from nvnmd.training.setup import prepare_data
    from nvnmd.training.splits import k_folds

    if threads:
        torch.set_num_threads(threads)
    parsed, notes = load_settings(settings)
    for note in notes:
        log.warning("%s: %s", settings, note)
    parsed = _without_validation(parsed)
    splits = k_folds(list(load_data(parsed, settings.parent).train), folds, seed)
    evaluated: list[list[Evaluated]] = []
    for number, split in enumerate(splits, 1):
        folder = output / f"fold-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        log.info("fold %d of %d: held out %s", number, folds, ", ".join(system.name for system in split.held_out))
        restart = (folder / f"{parsed.training.save_ckpt}.pt").exists()
        trainer = make_trainer(parsed, prepare_data(split.train, split.held_out), folder, restart, None, device)
        if trainer.step < parsed.training.numb_steps and not run_trainer(trainer):
            typer.echo(f"stopped in fold {number} after step {trainer.step}; the same command goes on", err=True)
            raise typer.Exit(130)
        assert isinstance(trainer.model, DeepPot)
        evaluated.append([Evaluated(s, predict(trainer.model, s), "held out") for s in split.held_out])
    result = _summary(splits, evaluated)
    write_json(output / "crossval.json", result)
    _show(result)


def _without_validation(settings: Settings) -> Settings:
    training = settings.training.model_copy(update={"validation_data": None})
    nvnmd = settings.nvnmd.model_copy(update={"validation_fraction": 0.0})
    return settings.model_copy(update={"training": training, "nvnmd": nvnmd})


def _summary(splits: list[Split], evaluated: list[list[Evaluated]]) -> dict[str, Any]:
    """Errors of every fold, of every system and of all frames, each by the model that did not see it; JSON values."""
    from dataclasses import asdict

    import numpy as np

    from nvnmd.training.evaluation import errors, summary
    from nvnmd.training.phases import by_phase

    every = [e for fold in evaluated for e in fold]
    rows = [asdict(errors(fold)) for fold in evaluated]
    spread = {
        key: {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1))}
        for key in ("energy_rmse", "energy_scatter", "force_rmse", "virial_rmse")
        if None not in (values := [row[key] for row in rows])
    }
    folds = [
        {"held_out": [s.name for s in split.held_out], "train_frames": sum(s.n_frames for s in split.train)} | row
        for split, row in zip(splits, rows, strict=True)
    ]
    pooled = summary(every)
    keys = ("systems", "all", "units")
    return {"folds": folds, "over_folds": spread, "phases": by_phase(every)} | {key: pooled[key] for key in keys}


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="errors on held-out systems")
    for column in ("", "frames", "energy RMSE", "scatter", "force RMSE", "virial RMSE"):
        table.add_column(column, justify="right" if column else "left")

    def row(name: str, values: dict[str, Any], **style: Any) -> None:
        shown = [values[key] for key in ("energy_rmse", "energy_scatter", "force_rmse", "virial_rmse")]
        table.add_row(name, str(values["n_frames"]), *("-" if v is None else f"{1000 * v:.2f}" for v in shown), **style)

    for number, fold in enumerate(result["folds"], 1):
        row(f"fold {number}", fold)
    table.add_section()
    for system in result["systems"]:
        row(system["name"], system)
    table.add_section()
    for phase, parts in result["phases"].items():
        row(phase, parts["held out"])
    row("all", result["all"], style="bold")
    console = Console(width=None if Console().is_terminal else 140)
    console.print(table)
    force = result["over_folds"]["force_rmse"]
    console.print(
        f"force RMSE over folds {1000 * force['mean']:.1f} +- {1000 * force['std']:.1f} meV/A; energy and virial in "
        "meV/atom, force in meV/A"
    )
