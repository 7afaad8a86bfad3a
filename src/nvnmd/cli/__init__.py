"""The program `nvnmd`: one command a file, each imported only when it is called.

A command stands in `nvnmd/cli/<name>.py` as a typer function of the same name; its docstring is its help text, and its
heavy imports stand inside the function. A new command is that file and one line in COMMANDS.
"""

import inspect
import logging
import re
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from nvnmd.training.errors import NvnmdError

__all__ = ["COMMANDS", "app", "main"]

COMMANDS = {
    "train": "Train a deep potential in FP32 on DFT frames.",
    "crossval": "Train k models, each with other whole systems held out, and tell the errors.",
    "convert": "Read a DeePMD-kit se_e2_a model into a float model.",
    "search": "Search for small networks: force error against arithmetic and weight bits.",
    "quantize": "Fine-tune a trained potential to fixed point and write the integer model file.",
    "evaluate": "Compare a model with DFT frames: energy, force and virial errors by system.",
    "probe": "Scan dimers, relax crystals and fit equations of state with a model.",
    "deviation": "Write how far the models of a committee differ, as DeePMD-kit's model_devi.out.",
    "gamma": "Choose the active set of an integer model, and grade how far atoms lie outside it.",
    "explore": "Build structures by name: crystals, hard spheres, dimers, runs, and published recipes.",
    "label": "Label structures with CP2K or any ASE calculator; goes on where it stopped.",
    "learn": "Train, explore, choose, label, and again: the data engine, in rounds.",
    "data": "Fetch a public data set by name, with its citation and licence.",
    "compile": "Write a hardware project of a model: hls4ml, QONNX, or a card of a given rate.",
    "simulate": "Simulate a step on the card, cycle by cycle: time, energy, and what bounds it.",
    "md": "Run a LAMMPS melt-quench with pair_style nvnmd.",
    "pcm": "Phase-change memory: protocols, devices, analyses, reports and films.",
    "report": "Write one HTML page with the pictures and figures of a finished run.",
    "info": "Say what is in a model file or in a data set.",
    "demo": "Run everything on the GeTe frames that ship with the project; continues where it stopped.",
}

HELP = """
Train a deep potential, quantize it, and run the same integers everywhere.

The usual way, each step reading what the one before wrote:

    nvnmd info DATA              what is in the DFT frames
    nvnmd train input.json       FP32 training: lcurve.out, checkpoints
    nvnmd quantize RUN           fixed point; writes the *.nvnmd file
    nvnmd evaluate MODEL DATA    errors against DFT
    nvnmd md MODEL               LAMMPS melt-quench
    nvnmd report RUN             one HTML page

`nvnmd COMMAND --help` teaches one command; `nvnmd demo` runs them all.
In LAMMPS itself: `pair_style nvnmd MODEL` and `pair_coeff * *`.
"""

STYLE: dict[str, Any] = {"add_completion": False, "rich_markup_mode": "rich", "pretty_exceptions_enable": False}
CONTEXT = {"help_option_names": ["-h", "--help"]}


def help_text(docstring: str) -> str:
    """A docstring as typer shows it best: paragraphs unwrapped, indented lines kept, brackets not taken as markup."""
    paragraphs = inspect.cleandoc(docstring).replace("[", r"\[").split("\n\n")
    text = "\n\n".join(p if p.startswith(" ") else " ".join(p.split()) for p in paragraphs)
    return re.sub(r"(?m)^( {4}.*)\n\n(?= {4})", r"\1\n", text)


class LazyGroup(TyperGroup):
    """Lists the commands from COMMANDS and imports a command's module only to run it or to show its own help."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS:
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"The commands are {', '.join(COMMANDS)}."
            ctx.fail(f"No such command '{args[0]}'. {hint}")
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name in COMMANDS else command, rest


def load_command(name: str) -> Any:
    """Import `nvnmd.cli.<name>` and turn its function `<name>`, or its group `app`, into a command."""
    module = import_module(f"nvnmd.cli.{name}")
    if hasattr(module, "app"):
        return typer.main.get_command(module.app)
    function = getattr(module, name)
    single = typer.Typer(**STYLE)
    single.command(name, help=help_text(function.__doc__ or COMMANDS[name]), context_settings=CONTEXT)(function)
    return typer.main.get_command(single)


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, **STYLE)


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        from nvnmd import __version__

        typer.echo(f"nvnmd {__version__}")
        raise typer.Exit


@app.callback(help=help_text(HELP), context_settings=CONTEXT)
def group(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; works anywhere.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Log warnings only.")] = False,
) -> None:
    """Set up logging before a command runs."""
    del version, debug
    set_up_logging(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)


def set_up_logging(level: int) -> None:
    """Send the records of every `nvnmd.*` logger to stderr through rich."""
    from rich.console import Console
    from rich.logging import RichHandler

    logger = logging.getLogger("nvnmd")
    logger.handlers = [RichHandler(console=Console(stderr=True), show_path=False, log_time_format="[%X]")]
    logger.setLevel(level)


def is_user_error(error: BaseException) -> bool:
    """Whether the message alone is enough for the user: our own errors, the C++ runtime's, and the file system's."""
    host = sys.modules.get("nvnmd.host")
    host_error = getattr(host, "Error", None)
    return isinstance(error, (NvnmdError, OSError)) or (host_error is not None and isinstance(error, host_error))


def main() -> None:
    """Run the program; a user's error is one line on stderr and exit code 2."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    try:
        app(arguments, prog_name="nvnmd")
    except Exception as error:
        if debug:
            raise
        if is_user_error(error):
            sys.stderr.write(f"nvnmd: {error}\n")
            sys.exit(2)
        sys.stderr.write(
            f"nvnmd: unexpected {type(error).__name__}: {error}\nThis is a fault of nvnmd; --debug shows where.\n"
        )
        sys.exit(1)
