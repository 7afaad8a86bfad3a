"""`nvnmd data`: public data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nvnmd.cli import CONTEXT, STYLE, help_text

HELP = """
Fetch a public data set by name, with its citation and licence.

Names and sets are those of load-atoms (pip install 'nvnmd[data]'); what is written, nvnmd train reads.

Examples:

    nvnmd data get gst-gap-22 -o data/gst-gap-22

    nvnmd data get gst-gap-22 --root ~/.load-atoms
"""

app = typer.Typer(**STYLE, no_args_is_help=True, context_settings=CONTEXT)


@app.callback(help=help_text(HELP))
def group() -> None:
    """Keep `get` a command of a group."""


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="Name of the set at load-atoms, such as gst-gap-22.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write; the set's name if left out.")
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(help="Where load-atoms keeps sets; a copy there needs no internet."),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Word of the energy reference; the set's name if left out.")
    ] = None,
) -> None:
    """Fetch a set through load-atoms and write it as extended XYZ, with its citation and licence beside it.

    nvnmd train reads the folder. Frames without energy or forces, or with NaN, are left out and counted.
    """
    from nvnmd.learn.public import fetch

    fetched = fetch(name, output or Path(name), root, reference)
    typer.echo(f"{fetched.file}: {fetched.frames} frames, {fetched.left_out} left out")
    typer.echo(f"licence: {fetched.license}")
    typer.echo(f"please cite:\n{fetched.citation}")
