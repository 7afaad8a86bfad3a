"""`nvnmd compile --target hls4ml`."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from nvnmd.fpga.hls.options import HlsOptions
    from nvnmd.quantize.integer_model import IntegerModel


def run(
    model: Path,
    output: Path | None,
    *,
    part: str,
    clock_MHz: float,
    reuse: int,
    frames: list[str],
    atoms: int,
    check: bool,
    overwrite: bool,
    synthesize: bool,
) -> None:
    """Write a project, or show one.

    Raises:
        HlsError: anything that cannot be built here; nothing is written then.
    """
    from nvnmd.fpga.hls.vitis import check_vitis
    from nvnmd.fpga.hls.vitis import synthesize as run_vitis

    if synthesize:
        check_vitis()
    folder = model
    if not model.is_dir():
        from nvnmd.fpga.hls.options import HlsOptions
        from nvnmd.fpga.hls.project import write_project
        from nvnmd.quantize.model_file import load_model

        options = HlsOptions(part=part, clock_MHz=clock_MHz, reuse=reuse)
        integer = load_model(model)
        chosen = _atoms(integer, frames, atoms) if frames else []
        folder = output or model.with_name(f"{model.stem}-hls4ml")
        write_project(integer, folder, options, overwrite=overwrite, check=check)
        if chosen:
            _profile(integer, folder, options, chosen)
    if synthesize:
        run_vitis(folder)
    _show(folder)


def _atoms(model: IntegerModel, frames: list[str], count: int) -> list[Any]:
    """Atoms spread over the frames of all systems."""
    import numpy as np

    from nvnmd.quantize.packing import pack_frame
    from nvnmd.training.data import model_types
    from nvnmd.training.frames import load_systems

    found = []
    for system in load_systems(frames):
        types = model_types(system, model.type_map)
        for k in np.unique(np.linspace(0, system.n_frames - 1, 8).astype(int)):
            words = pack_frame(model, system.positions[k], system.cells[k], types, system.periodic)
            found += list(words.atoms())
    return [found[i] for i in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)]


def _profile(model: IntegerModel, folder: Path, options: HlsOptions, atoms: list[Any]) -> None:
    from nvnmd.fpga.hls.profiling import save_profiles
    from nvnmd.fpga.hls.traced import TracedProject
    from nvnmd.fpga.hls.widths import compare_widths, widths_table

    reports = folder / "reports"
    with tempfile.TemporaryDirectory() as work:
        project = TracedProject(model, Path(work) / "traced", options)
        widths = compare_widths(project, atoms)
        save_profiles(project, atoms, reports)
    record = {"atoms": len(atoms), "layers": [asdict(width) | {"unused": width.unused} for width in widths]}
    (reports / "widths.json").write_text(json.dumps(record, indent=2) + "\n")
    typer.echo(f"widths over {len(atoms)} atoms; plots in {reports}\n{widths_table(widths)}")


def _show(folder: Path) -> None:
    from nvnmd.fpga.hls.csim import read_record
    from nvnmd.fpga.hls.options import HlsOptions
    from nvnmd.fpga.hls.summary import show_estimate
    from nvnmd.fpga.hls.vitis import show_reports

    record = read_record(folder)
    options = HlsOptions(**record["options"])
    typer.echo(f"{folder}: {'-'.join(record['type_map'])} for {options.part} at {options.clock_MHz:g} MHz")
    typer.echo(show_estimate(folder, options))
    typer.echo(show_reports(folder))
