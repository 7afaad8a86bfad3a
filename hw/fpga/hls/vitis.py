"""Vitis HLS: the call that builds a project, and what its reports say. There is no result without the tool."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

from nvnmd.fpga.hls.csim import read_record
from nvnmd.fpga.hls.errors import HlsError

COMMAND = "vitis-run --mode hls --tcl build_prj.tcl"
TOOL = "vitis-run"


def how_to_build(folder: Path) -> str:
    """What a user with Vitis HLS runs."""
    return (
        f"With Vitis HLS on PATH, C simulation, synthesis and export (choose them in build_opt.tcl):\n"
        f"    cd {folder} && {COMMAND}\n"
        f"or, the same: nvnmd compile {folder} --target hls4ml --synthesize"
    )


def check_vitis() -> None:
    """Check that Vitis HLS is there.

    Raises:
        HlsError: it is not.
    """
    if shutil.which(TOOL) is None:
        raise HlsError(
            f"{TOOL} is not on PATH: synthesis needs AMD Vitis HLS 2023.1 or later (source its settings64.sh first). "
            "Everything but synthesis works without it"
        )


def synthesize(folder: Path) -> None:
    """Run Vitis HLS on a project; its output goes to the terminal.

    Raises:
        HlsError: no project, no Vitis HLS, or it failed.
    """
    read_record(folder)
    check_vitis()
    if subprocess.run(COMMAND.split(), cwd=folder).returncode:
        raise HlsError(f"{folder}: Vitis HLS failed; its messages are above")


def read_reports(folder: Path) -> dict[str, Any] | None:
    """Reports of Vitis HLS in a project as hls4ml parses them; None when it has not been synthesized.

    Raises:
        HlsError: no project, or reports that cannot be read.
    """
    name = read_record(folder)["options"]["name"]
    solution = folder / f"{name}_prj" / "solution1"
    if not list(solution.glob("*/report/*")):
        return None
    from hls4ml.report import parse_vivado_report

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = parse_vivado_report(str(folder))
    except (OSError, AttributeError, IndexError, KeyError, SyntaxError, ValueError) as error:
        raise HlsError(f"{solution}: the reports of Vitis HLS cannot be read ({error}); did the run end?") from error
    return dict(found)


def show_reports(folder: Path) -> str:
    """Reports as text, or what has to be done to get them.

    Raises:
        HlsError: as ``read_reports`` does.
    """
    reports = read_reports(folder)
    if reports is None:
        tool = "" if shutil.which(TOOL) else f", and {TOOL} is not on PATH of this machine"
        return f"Not synthesized{tool}: there is no timing and no count of cells.\n{how_to_build(folder)}"
    lines = []
    for section, values in reports.items():
        if isinstance(values, dict):
            lines += [f"{section} (Vitis HLS)", *(f"    {key}: {value}" for key, value in values.items())]
    return "\n".join(lines)
