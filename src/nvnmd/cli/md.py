"""`nvnmd md`: melt, quench and sample a material in LAMMPS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from nvnmd.pcm.protocol import MdSettings
    from nvnmd.pcm.runner import Progress


def md(
    model: Annotated[Path, typer.Argument(help="Integer model file (*.nvnmd).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")] = Path("md"),
    material: Annotated[str | None, typer.Option(help="Material to build; GeTe if the settings do not say.")] = None,
    atoms: Annotated[int | None, typer.Option(help="At least this many atoms; 512 if the settings do not say.")] = None,
    settings: Annotated[Path | None, typer.Option("--settings", "-s", help="YAML file with the protocol.")] = None,
    ranks: Annotated[int, typer.Option("--ranks", "-n", help="MPI ranks.")] = 1,
    restart: Annotated[bool, typer.Option("--restart", help="Only continue: an error if nothing is there to.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a complete or a different run.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the stages and settings, run nothing.")] = False,
) -> None:
    """Melt a crystal, equilibrate the liquid, quench it and sample the glass, in LAMMPS with pair_style nvnmd.

    Writes a complete LAMMPS input (in.lmp, start.data), log.lammps, one trajectory a stage, restart files and md.json
    with the speed of every stage. Without settings: GeTe at 0.0337 atoms/A^3, 2000 K, 1200 K, then 300 K at 25 K/ps.

    After Ctrl-C or a crash, the same command goes on from the last restart file.

    Examples:

        nvnmd md run/quantize/model.nvnmd -o run/md

        nvnmd md model.nvnmd --atoms 4096 --ranks 4

        nvnmd md model.nvnmd --dry-run > md.yaml     settings with every key, to edit and give with --settings
    """
    from nvnmd.pcm.errors import PcmError
    from nvnmd.pcm.record import read_record
    from nvnmd.pcm.settings import read_settings, write_settings

    protocol = read_settings(settings, material=material, atoms=atoms)
    if dry_run:
        _show_plan(protocol)
        typer.echo(write_settings(protocol), nl=False)
        return
    if restart and read_record(output) is None:
        raise PcmError(f"{output}: there is no run to continue; leave --restart out to start one")
    record = _run(model, protocol, output, ranks, overwrite)
    _show_result(record, output)
    if record["status"] != "complete":
        raise typer.Exit(130)


def _run(
    model: Path, protocol: MdSettings, output: Path, ranks: int, overwrite: bool, time_limit_s: float | None = None
) -> dict[str, Any]:
    import shlex
    import signal
    import sys

    from rich.console import Console

    from nvnmd.pcm.runner import run_md

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    # A batch system ends a job like this: stop in the same order as on Ctrl-C.
    before = signal.signal(signal.SIGTERM, stop)
    try:
        with _Display(protocol, Console(stderr=True)) as display:
            options: dict[str, Any] = {"ranks": ranks, "overwrite": overwrite, "time_limit_s": time_limit_s}
            options["called"] = shlex.join(["nvnmd", *sys.argv[1:]])
            return run_md(model, protocol, output, on_progress=display.show, **options)
    finally:
        signal.signal(signal.SIGTERM, before)


class _Display:
    """A progress bar in a terminal, a line for each new stage elsewhere."""

    def __init__(self, protocol: MdSettings, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        texts = [TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn()]
        times = [
            TextColumn("{task.fields[temperature]:>6}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        ]
        self._bar = Bar(*texts, *times, console=console, disable=not console.is_terminal)
        self._task = self._bar.add_task("starting", total=protocol.plan()[-1].last_step, temperature="")
        self._console = console
        self._stage = ""

    def __enter__(self) -> _Display:
        self._bar.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Take the run's progress."""
        if not progress.step:
            return
        if not self._stage:
            # A continued run starts its clock where it goes on, or the time left would be far too short.
            self._bar.reset(self._task, completed=progress.step)
        kelvin = f"{progress.temperature_K:.0f} K"
        if progress.stage != self._stage and not self._console.is_terminal:
            self._console.print(f"{progress.stage}: step {progress.step} of {progress.last_step}, {kelvin}")
        self._stage = progress.stage
        self._bar.update(self._task, completed=progress.step, description=progress.stage, temperature=kelvin)


def _show_plan(protocol: MdSettings) -> None:
    for stage in protocol.plan():
        steps = stage.last_step - stage.first_step
        time_ps = steps * protocol.timestep_fs / 1000
        typer.echo(f"# {stage.name}: {stage.start_K:g} -> {stage.end_K:g} K, {time_ps:g} ps, {steps} steps")


def _show_result(record: dict[str, Any], output: Path) -> None:
    speed = record["total"]["s_per_step_per_atom"] if "total" in record else None
    measured = f", {speed:.3g} s/step/atom" if speed else ""
    typer.echo(f"{output}: {record['status']} at step {record['step']}, {record['atoms']} atoms{measured}")
    if record["status"] != "complete":
        typer.echo("the same command goes on from here")
