"""`nvnmd learn`: the loop of training, exploring, choosing and labeling."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer


def learn(
    settings: Annotated[Path, typer.Argument(help="Settings of the loop (YAML).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")] = Path("run"),
    cluster: Annotated[
        str | None, typer.Option(help="Label through Parsl: a Python file that sets config, or 'local'.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the settings and show what a round does.")] = False,
) -> None:
    """Train, explore by molecular dynamics with the integer model, choose, label, and again: in rounds.

    Every round trains a committee of float models (from those of the round before), quantizes the first, lets it move
    atoms in LAMMPS, chooses the frames that the models are unsure of and that are unlike the others, has them labeled,
    and adds them to what is trained on. report.html and learn.json tell how many frames each round brought, and how
    uncertainty and errors moved. The last model, trained on everything, is in final/quantize.

    Every step is kept; after Ctrl-C or a crash the same command goes on.

    Examples:

        nvnmd learn examples/gete-learn/settings.yaml -o run

        nvnmd learn settings.yaml -o run --cluster slurm.py
    """
    from nvnmd.cli.label import work_through
    from nvnmd.learn.loop import Loop
    from nvnmd.learn.settings import read_learn_settings
    from nvnmd.report.learn import write_learn_report

    parsed = read_learn_settings(settings)
    if dry_run:
        _show(parsed)
        return
    output.mkdir(parents=True, exist_ok=True)
    loop = Loop(
        parsed,
        settings.parent,
        output,
        command=lambda arguments: run_command(arguments, output),
        label=lambda queue: work_through(queue, cluster),
        tell=lambda text: typer.echo(text, err=True),
        on_record=lambda: write_learn_report(output),
    )
    try:
        loop.run()
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"model: {output / 'final/quantize/model.nvnmd'}")
    typer.echo(f"report: {output / 'report.html'}")


def run_command(arguments: Sequence[str], folder: Path) -> None:
    """Run `nvnmd` as a process of its own in a folder; its output is kept in `commands.log`.

    Raises:
        KeyboardInterrupt: it was stopped.
        LearnError: it failed.
    """
    from nvnmd.learn.errors import LearnError
    from nvnmd.learn.leash import leashed

    log = folder / "commands.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            leashed([sys.executable, "-m", "nvnmd", *arguments]), cwd=folder, stdout=file, stderr=file,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The terminal sent Ctrl-C to the command too: let it save and leave.
            process.wait()
            raise
    if code == 130:
        raise KeyboardInterrupt
    if code != 0:
        lines = log.read_text(errors="replace").strip().splitlines()
        said = next((line for line in reversed(lines) if line.startswith("nvnmd: ")), f"see {log}")
        raise LearnError(f"nvnmd {' '.join(arguments)} failed with exit code {code}: {said.removeprefix('nvnmd: ')}")


def _show(parsed: object) -> None:
    from nvnmd.learn.settings import LearnSettings

    assert isinstance(parsed, LearnSettings)
    for number in range(parsed.rounds + 1):
        for item in parsed.items(number):
            name = "start" if number == 0 else f"round {number}"
            part = " (test)" if item.test else ""
            typer.echo(f"{name}: {item.name}{part}: {item.count} x {item.build} {item.options}")
