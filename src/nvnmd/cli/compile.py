"""`nvnmd compile`: a hardware project from an integer model. Each target is a module of its own."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from nvnmd.training.errors import NvnmdError

TARGETS = {"hls4ml": "compile_hls4ml", "qonnx": "compile_qonnx", "rtl": "compile_rtl"}
"""Module beside this one by target; each has ``run(model, output, **options)``."""


def compile(
    model: Annotated[Path, typer.Argument(help="Integer model file (*.nvnmd), or the folder of a project.")],
    target: Annotated[str, typer.Option(help=f"What to write: {', '.join(TARGETS)}.")] = "hls4ml",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the project; by default beside the model.")
    ] = None,
    part: Annotated[str, typer.Option(help="Xilinx part.")] = "xcvu9p-flga2104-2-e",
    clock_mhz: Annotated[float, typer.Option("--clock-mhz", help="Clock to ask for, MHz.")] = 250.0,
    reuse: Annotated[int, typer.Option(help="Cycles that share a multiplier of the fitting network.")] = 64,
    frames: Annotated[
        list[str] | None, typer.Option("--frames", help="Frames to profile the layers on; repeatable.")
    ] = None,
    atoms: Annotated[int, typer.Option(help="Atoms of the frames that are profiled.", min=1)] = 200,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Compile the C simulation and compare it with the reference.")
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a project that is there.")] = False,
    synthesize: Annotated[bool, typer.Option("--synthesize", help="Run Vitis HLS on the project.")] = False,
    ii: Annotated[int, typer.Option(help="rtl: cycles an atom may take.", min=1)] = 60,
    neighbors: Annotated[int, typer.Option(help="rtl: neighbors of such an atom.", min=0)] = 29,
    board: Annotated[str, typer.Option(help="rtl: board to build for, vcu118 or vcu1525.")] = "vcu118",
) -> None:
    """Write a hardware project of an integer model.

    Target hls4ml: a complete project for Vitis HLS of everything that is computed for one atom, from neighbor words to
    forces. Its C simulation is compiled with g++ and compared with the integer reference word for word; the folder
    appears when it is complete. Called with the folder of a project, it shows what is known of it.

    Target qonnx: the networks as QONNX files for other tools, executed and compared before they are written; of a float
    model (*.safetensors) too.

    Target rtl: the lanes with which the SystemVerilog card takes an atom every so many cycles, and what they cost
    before anything is built; with --output also what Vivado needs to build it. The names letter and fast stand for
    models too.

    Examples:

        nvnmd compile model.nvnmd --target hls4ml -o project

        nvnmd compile model.nvnmd --target hls4ml --part xcu250-figd2104-2L-e --clock-mhz 200 --reuse 32

        nvnmd compile model.nvnmd -o project --overwrite --frames data/gete-cp2k    widths used and needed

        nvnmd compile project                                                   estimate, reports of Vitis HLS

        nvnmd compile model.nvnmd --target qonnx -o networks

        nvnmd compile model.nvnmd --target rtl --ii 60

        nvnmd compile model.nvnmd --target rtl --ii 16 --board vcu118 -o card
    """
    if target not in TARGETS:
        raise NvnmdError(f"there is no target {target!r}; the targets are {', '.join(TARGETS)}")
    lanes = {"ii": ii, "neighbors": neighbors, "board": board} if target == "rtl" else {}
    import_module(f"nvnmd.cli.{TARGETS[target]}").run(
        model,
        output,
        part=part,
        clock_MHz=clock_mhz,
        reuse=reuse,
        frames=frames or [],
        atoms=atoms,
        check=check,
        overwrite=overwrite,
        synthesize=synthesize,
        **lanes,
    )
