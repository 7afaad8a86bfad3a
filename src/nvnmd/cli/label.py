"""`nvnmd label`: labels for structures, from CP2K or any ASE calculator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvnmd.learn.queue import Counts, Queue


def label(
    frames: Annotated[
        list[Path] | None, typer.Argument(help="Structures: any files that ASE reads; none to go on with a queue.")
    ] = None,
    using: Annotated[
        str | None,
        typer.Option("--with", help="cp2k, nep:FILE, nequix:FILE, sevennet:MODEL or package.module:factory."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the queue and the labeled frames.")] = Path(
        "labels"
    ),
    name: Annotated[str | None, typer.Option(help="Name of the teacher, for the mark of its labels.")] = None,
    dft: Annotated[bool, typer.Option("--dft", help="The calculator is a DFT code: mark its labels as such.")] = False,
    template: Annotated[Path | None, typer.Option(help="CP2K input with @CELL@ and @COORD@.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting of labeling as KEY=VALUE; repeatable.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-n", help="Processes, one a core.", min=1)] = 1,
    cluster: Annotated[
        str | None, typer.Option(help="Through Parsl: a Python file that sets config, or 'local'.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Give failed frames another try.")] = False,
) -> None:
    """Label structures with energies, forces and virials; goes on where it was stopped.

    Every structure is a folder in OUTPUT/queue, labeled by as many processes as asked for. A frame whose SCF does not
    converge, or whose label makes no sense, is kept out and counted. Labeled frames go to OUTPUT/data in deepmd/npy,
    which nvnmd train reads; provenance.json says of each where it comes from, and labels of a teacher are marked.

    After Ctrl-C or a crash the same command goes on with the frames that are left.

    Examples:

        nvnmd label frames.extxyz --with cp2k -n 2 -o labels

        nvnmd label frames.extxyz --with nep:nep.txt --name NEP_GT

        nvnmd label frames.extxyz --with ase.calculators.emt:EMT

        nvnmd label frames.extxyz --with cp2k --cluster slurm.py
    """
    from nvnmd.cli.values import key_values
    from nvnmd.learn.labeled import write_sets
    from nvnmd.learn.labelers import make_labeler
    from nvnmd.learn.queue import Queue

    chosen: dict[str, Any] = {"using": using, "name": name, "dft": dft, "workers": workers}
    chosen |= {"template": None if template is None else str(template.absolute())}
    chosen |= key_values(option, "max_minutes=30")
    queue = Queue(output / "queue", None if using is None else _settings(chosen))
    elements = _add(queue, frames or [])
    if retry_failed:
        typer.echo(f"{queue.retry_failed()} failed frames wait again")
    try:
        counts = work_through(queue, cluster)
    except KeyboardInterrupt:
        typer.echo(f"stopped, {queue.finished()} frames are finished; the same command goes on", err=True)
        raise typer.Exit(130) from None
    labeled = queue.labeled()
    if labeled:
        labeler = make_labeler(queue.settings)
        elements = elements or list(dict.fromkeys(s for f in labeled for s in f.atoms.get_chemical_symbols()))
        for folder in write_sets(output / "data", labeled, sorted(elements), labeler.label, labeler.reference):
            typer.echo(f"labeled: {folder}")
    typer.echo(counts.text())


def work_through(queue: Queue, cluster: str | None = None) -> Counts:
    """Label what waits, with a progress bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from nvnmd.learn.run_queue import run_queue

    columns = (TextColumn("labeling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("labeling", total=len(queue.names()))
        show: Callable[[int, int], None] = lambda finished, jobs: bar.update(task, completed=finished, total=jobs)  # noqa: E731
        if cluster is None:
            return run_queue(queue, show)
        from nvnmd.learn.cluster import run_on_cluster

        return run_on_cluster(queue, cluster, show)


def _settings(chosen: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from nvnmd.learn.errors import LearnError
    from nvnmd.learn.labelers import LabelSettings
    from nvnmd.training.errors import problem_text

    try:
        return LabelSettings.model_validate({key: value for key, value in chosen.items() if value is not None})
    except ValidationError as error:
        raise LearnError(problem_text(error.errors()[0])) from None


def _add(queue: Queue, paths: list[Path]) -> list[str]:
    """Put the structures of files into the queue, NaN ones left out by name; the elements seen."""
    from ase.io import read

    from nvnmd.learn.errors import LearnError

    elements: dict[str, None] = {}
    for path in paths:
        try:
            found = read(path, index=":")
        except Exception as error:  # ASE raises many kinds
            raise LearnError(f"{path}: ASE cannot read it ({error or type(error).__name__})") from None
        for number, atoms in enumerate(found):
            stem = "".join(letter if letter.isalnum() or letter in "_.+-" else "-" for letter in path.stem)
            try:
                queue.add(f"{stem}-{number:05d}", atoms, {"group": stem, "file": path.name, "frame_in_file": number})
            except LearnError as error:
                if "not numbers" not in str(error):
                    raise
                typer.echo(f"left out: {path}, frame {number}: positions or cell are not numbers", err=True)
                continue
            elements |= dict.fromkeys(atoms.get_chemical_symbols())
    return list(elements)
