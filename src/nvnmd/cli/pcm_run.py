"""What the commands of `nvnmd pcm` do: find a model, run one or several runs, analyze and report."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from nvnmd.pcm.protocol import MdSettings


def run_protocol(
    name: str,
    path: Path | None,
    values: dict[str, Any],
    model: Path | None,
    output: Path,
    *,
    references: list[str],
    files: Path | None,
    report: bool,
    ranks: int,
    minutes: float | None,
    overwrite: bool,
    dry_run: bool,
    inputs_only: bool,
    yes: bool,
) -> None:
    """Run all runs of a protocol, each into its own folder, with a report each; stops at the first that is stopped.

    minutes: wall time for all of them together.
    """
    from nvnmd.pcm.settings import protocol_runs, read_protocol, write_settings

    protocol = read_protocol(name, path, **values)
    runs = protocol_runs(protocol)
    if dry_run:
        typer.echo(f"# nvnmd pcm {name} --settings THIS_FILE")
        typer.echo(write_settings(protocol), nl=False)
        for run, settings in runs.items():
            _show_plan(run, settings)
        return
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    for run, planned in runs.items():
        settings = _agreed(planned, yes)
        folder = output / run if run else output
        if inputs_only:
            _write_inputs(folder, settings, model)
            continue
        complete = run_one(model, settings, folder, ranks, overwrite, deadline)
        time_is_up = deadline is not None and time.monotonic() > deadline
        if report and (complete or time_is_up):
            write_run_report(folder, references, files / run if files and run else files)
        if not complete:
            raise typer.Exit(0 if time_is_up else 130)
    if len(runs) > 1 and report and not inputs_only:
        write_series(output, files)


def run_one(
    model: Path | None,
    settings: MdSettings,
    folder: Path,
    ranks: int,
    overwrite: bool,
    deadline: float | None = None,
) -> bool:
    """Run or continue a run with its progress shown; whether it is complete. deadline: of `time.monotonic()`, s."""
    from nvnmd.cli.md import _run, _show_result

    left = None if deadline is None else max(0.0, deadline - time.monotonic())
    record = _run(find_model(model, settings.material), settings, folder, ranks, overwrite, left)
    _show_result(record, folder)
    return bool(record["status"] == "complete")


def find_model(model: Path | None, name: str) -> Path:
    """The model asked for, or the shipped one of the material; raises PcmError where there is none."""
    from nvnmd.pcm.models import model_for

    return model or model_for(name).path


def _agreed(settings: MdSettings, yes: bool) -> MdSettings:
    """The settings, with the limit of pulses lifted where the user says so; PcmError where nobody can be asked."""
    if not any(stage.heat for stage in settings.stages):
        return settings
    from nvnmd.pcm.start import prepare, pulse_estimates

    lifted = settings.model_copy(update={"max_pulse_K": 1e9})
    prepared = prepare(lifted)
    hot = [(text, kelvin) for text, kelvin in pulse_estimates(settings, prepared) if kelvin > settings.max_pulse_K]
    if not hot or yes:
        return lifted if hot else settings
    if not sys.stdin.isatty():
        prepare(settings)
    text, kelvin = max(hot, key=lambda found: found[1])
    typer.confirm(f"{text} would reach about {kelvin:,.0f} K if no heat left it. Run it?", abort=True)
    return lifted


def _write_inputs(folder: Path, settings: MdSettings, model: Path | None) -> None:
    from nvnmd.pcm.lammps_input import INPUT_FILE, nvnmd_pair
    from nvnmd.pcm.runfolder import locked, write_inputs

    name = str(model.resolve()) if model else "MODEL.nvnmd"
    graded = model is not None and model.with_suffix(".gamma").is_file()
    with locked(folder):
        prepared = write_inputs(folder, settings, nvnmd_pair(name, settings.type_elements(), graded))
    typer.echo(f"{folder / INPUT_FILE}: {len(prepared.atoms):,} atoms, {settings.plan()[-1].last_step:,} steps")


def analyze_run(folder: Path, stages: list[str] | None) -> list[Path]:
    """Measure stages of a run, the sampled ones and otherwise the last one with a frame where None; returns the JSON
    files."""
    from rich.console import Console

    from nvnmd.pcm.analyze import analyze_stage, write_result
    from nvnmd.pcm.errors import PcmError
    from nvnmd.pcm.record import read_record

    record = read_record(folder)
    if record is None:
        raise PcmError(f"{folder}: there is no run here; start one with: nvnmd pcm melt-quench")
    begun = [stage for stage in record["stages"] if _has_frames(folder / stage["file"])] or record["stages"][-1:]
    sampled = [stage["name"] for stage in begun if stage["sample"]]
    chosen = stages or sampled or [stage["name"] for stage in begun[-1:]]
    written = []
    with Console(stderr=True).status("analyzing") as status:
        for stage in chosen:

            def show(text: str, stage: str = stage) -> None:
                status.update(f"{stage}: {text}")

            written.append(write_result(folder, analyze_stage(folder, stage, show)))
    return written


def _has_frames(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def write_run_report(folder: Path, references: list[str], files: Path | None = None) -> None:
    """Analyze a run and write its page; files: folder for its figures and numbers as files."""
    from nvnmd.report.pcm import write_pcm_report

    analyze_run(folder, None)
    typer.echo(f"report: {write_pcm_report(folder, None, references, files)}")


def write_series(folder: Path, files: Path | None = None) -> None:
    """Compare the runs of a series on a page of its own."""
    from nvnmd.report.pcm_series import write_series_report

    typer.echo(f"series: {write_series_report(folder, files)}")


def _show_plan(run: str, settings: MdSettings) -> None:
    if run:
        typer.echo(f"# run {run}")
    for stage in settings.plan():
        steps = stage.last_step - stage.first_step
        rule = "energy kept" if stage.settings.ensemble == "nve" else f"{stage.start_K:g} -> {stage.end_K:g} K"
        heat = f", {stage.settings.heat.energy_fJ:g} fJ" if stage.settings.heat else ""
        typer.echo(f"#   {stage.name}: {rule}, {steps * settings.timestep_fs / 1000:g} ps, {steps} steps{heat}")
