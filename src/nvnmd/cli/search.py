"""`nvnmd search`: small networks, by force error, arithmetic and weight bits."""

from __future__ import annotations

import logging
import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nvnmd.training.search.study import Bench

log = logging.getLogger("nvnmd.search")


def search(
    settings: Annotated[Path | None, typer.Argument(help="Settings of the search, YAML (docs/search.md).")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the search; a started one goes on.")] = Path(
        "search"
    ),
    trials: Annotated[int | None, typer.Option(help="Trials in all, earlier ones counted.", min=1)] = None,
    minutes: Annotated[float | None, typer.Option(help="Begin no trial after so many minutes.", min=0)] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Trials at the same time, a process each.", min=1)] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads of a trial.", min=1)] = 1,
    plot_only: Annotated[
        Path | None, typer.Option("--plot-only", help="Show and draw the search in this folder; train nothing.")
    ] = None,
) -> None:
    """Search for small networks: force error against multiply-accumulates and weight bits.

    Each trial trains one network on the frames of a training settings file for a fixed number of steps, rounds the
    weights of its fitting net to its weight bits, and measures the force RMSE of the held-out frames. Poor networks are
    stopped early. The letter's network is trained in the same way and is what others are compared with.

    Written to the folder: search.json (every trial, the front, the recommended network), search.png, front/ (settings
    for nvnmd train of every network on the front), trials/ (the models), trials.sqlite (the Optuna study).

    Ctrl-C, a crash or kill -9 loses at most the trial in progress; the same command goes on. Needs Optuna: pip install
    'nvnmd[search]'.

    Examples:

        nvnmd search search.yaml -o found                 the trials that the settings ask for

        nvnmd search search.yaml -o found --trials 200    more of them

        nvnmd search search.yaml -o found --minutes 60 --jobs 2

        nvnmd search --plot-only found                    table and picture again

        nvnmd train found/front/trial-0007.json -o small  train one of the front to the end
    """
    from nvnmd.training.search.settings import load_search
    from nvnmd.training.search.study import InterruptedTrialError, SearchError, begin, locked, open_study, reference

    if plot_only is not None:
        _report(plot_only)
        return
    if settings is None:
        raise SearchError("give the settings of a search, or --plot-only RUN to show one")
    parsed, _ = load_search(settings)
    with locked(output):
        bench = _bench(settings, output, threads)
        begin(open_study(output), bench)
        until = math.inf if minutes is None else time.monotonic() + 60 * minutes
        try:
            reference(bench)
            _run(bench, settings, trials or parsed.trials, until, jobs, threads)
        except (InterruptedTrialError, KeyboardInterrupt):
            typer.echo("stopped; the same command goes on", err=True)
            raise typer.Exit(130) from None
    _report(output)


def _bench(settings: Path, run: Path, threads: int) -> Bench:
    import torch

    from nvnmd.cli.train import load_data
    from nvnmd.training.search.settings import data_folder, load_search
    from nvnmd.training.search.study import Bench, open_study

    torch.set_num_threads(threads)
    parsed, base = load_search(settings)
    folder = data_folder(settings, parsed)
    bench = Bench(parsed, base, load_data(base, folder), run)
    open_study(run).set_user_attr("data_folder", str(folder.absolute()))
    return bench


def _run(bench: Bench, settings: Path, trials: int, until: float, jobs: int, threads: int) -> None:
    """Search here, or in processes that share the study."""
    from nvnmd.training.search.study import InterruptedTrialError, SearchError

    if jobs == 1:
        _search(bench, trials, until)
        return
    from torch.multiprocessing import get_context

    context = get_context("spawn")
    left = until - time.monotonic()
    workers = [context.Process(target=_work, args=(settings, bench.run, trials, left, threads)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    except KeyboardInterrupt:  # the workers had it too and leave after the step at hand
        for worker in workers:
            worker.join()
        raise
    codes = [worker.exitcode for worker in workers]
    if STOPPED in codes:
        raise InterruptedTrialError
    if any(codes):
        raise SearchError("a process of the search ended early; its message is above, and the same command goes on")


STOPPED = 130


def _work(settings: Path, run: Path, trials: int, seconds: float, threads: int) -> None:
    """One of several processes."""
    from nvnmd.cli import set_up_logging
    from nvnmd.training.search.study import InterruptedTrialError

    set_up_logging(logging.INFO)
    try:
        _search(_bench(settings, run, threads), trials, time.monotonic() + seconds)
    except (InterruptedTrialError, KeyboardInterrupt):
        raise SystemExit(STOPPED) from None


def _search(bench: Bench, trials: int, until: float) -> None:
    from nvnmd.training.search.report import write_result
    from nvnmd.training.search.study import interruptible, open_study, search

    study, parent = open_study(bench.run), os.getppid()

    def done() -> None:
        write_result(bench.run, study)
        if os.getppid() != parent:  # killed: nobody is left who holds the folder
            bench.stop.set()

    with interruptible(bench.stop):
        search(study, bench, trials, until, done)


def _report(run: Path) -> None:
    """Files, picture and table of a search."""
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    from nvnmd.training.search.picture import draw
    from nvnmd.training.search.report import table, write_result
    from nvnmd.training.search.study import open_study

    found = write_result(run, open_study(run, create=False))
    draw(run / "search.png", found)
    shown = Table(title="front of the search, and the letter's network")
    for column in ("trial", "network", "MAC/atom", "fitting net", "kbit", "force RMSE", "FP32 weights", "to letter"):
        shown.add_column(column, justify="left" if column in ("trial", "network") else "right")
    for row in table(found):
        shown.add_row(*row)
    console = Console(width=None if Console().is_terminal else 140)
    console.print(shown)
    console.print(_closing(found, Counter(trial["state"] for trial in found["trials"])))
    typer.echo(f"written: {run / 'search.json'}, {run / 'search.png'}, {run / 'front'}")


def _closing(found: dict[str, Any], states: dict[str, int]) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in states.items())
    tolerance = f"{100 * found['tolerance']:g} % of the letter's network"
    chosen = found["recommended"]
    if chosen is None:
        return f"{counts} trials; none is within {tolerance}: go on with --trials, or widen the space"
    command = f"nvnmd train front/trial-{chosen:04d}.json"
    return f"{counts} trials; recommended (*): trial {chosen}, the cheapest within {tolerance}; {command}"
