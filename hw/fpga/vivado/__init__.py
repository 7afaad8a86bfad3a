"""Scripts for Vivado, and what they are given. Nobody has run them: see docs/hardware.md, "What nobody has tried"."""

from __future__ import annotations

from pathlib import Path

from nvnmd.fpga.configuration import Configuration
from nvnmd.fpga.errors import FpgaError

SCRIPTS = Path(__file__).parent
BOARDS = {path.stem: path for path in sorted((SCRIPTS / "boards").glob("*.board"))}
"""Files that describe boards, by name."""


def write_build(folder: Path, card: Configuration, board: str) -> list[str]:
    """Write what ``build.tcl`` needs for a configuration; return the command that builds the bitstream.

    Raises:
        FpgaError: an unknown board, or a folder that has such a build already.
    """
    if board not in BOARDS:
        raise FpgaError(f"there is no board {board!r}; there are {', '.join(BOARDS)}, and a new one is one more file")
    parameters = folder / "parameters.txt"
    if parameters.exists():
        raise FpgaError(f"{parameters} exists; choose another folder, or --overwrite")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {value}" for name, value in card.parameters.items()]
    partial = parameters.with_suffix(".part")
    partial.write_text("\n".join(lines) + "\n", encoding="ascii")
    partial.replace(parameters)
    script = [str(SCRIPTS / "build.tcl"), "-tclargs", str(BOARDS[board]), str(parameters), str(folder / "build")]
    return ["vivado", "-mode", "batch", "-source", *script]
