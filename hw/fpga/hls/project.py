"""Writes an hls4ml project: complete, or not at all."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.fpga.hls.bench import csim_interface, test_bench
from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.estimate import estimate, stream_atoms
from nvnmd.fpga.hls.frames import read_frames
from nvnmd.fpga.hls.options import HlsOptions
from nvnmd.fpga.hls.parts import check_part
from nvnmd.fpga.hls.ports import port_words
from nvnmd.fpga.hls.sizes import Sizes, sizes_of
from nvnmd.fpga.hls.summary import estimate_record, write_estimate
from nvnmd.fpga.hls.tools import check_compiler, check_hls4ml
from nvnmd.quantize.integer_model import IntegerModel

RECORD = "nvnmd.json"
"""File of a project that says what it was made from."""


RECORD_FORMAT = "nvnmd hls project"


def make_graph(model: IntegerModel, sizes: Sizes, options: HlsOptions, folder: Path) -> Any:
    """The hls4ml model of a project in ``folder``; nothing is written.

    Raises:
        HlsError: hls4ml is missing or has another version.
    """
    check_hls4ml()
    from hls4ml.model.graph import ModelGraph

    from nvnmd.fpga.hls.graph import INPUT, OUTPUT, layer_list
    from nvnmd.fpga.hls.layers import register
    from nvnmd.fpga.hls.layers.base import Build

    register()
    layers = layer_list(Build(sizes, model.formats, options.reuse))
    with contextlib.redirect_stdout(io.StringIO()):
        graph = ModelGraph.from_layer_list(_config(layers, options, folder), layers, inputs=[INPUT], outputs=[OUTPUT])
    _set_depths(graph)
    return graph


def _config(layers: list[dict[str, Any]], options: HlsOptions, folder: Path) -> dict[str, Any]:
    from hls4ml.backends import get_backend

    backend = get_backend("Vitis")
    names: dict[str, Any] = {"packet": {"Precision": {"result": "ap_uint<32>"}}}
    for layer in layers:
        if layer["class_name"] == "TypedDense":
            valid = backend.get_valid_reuse_factors(layer["n_in"], layer["n_out"])
            reuse = backend.get_closest_reuse_factor(valid, options.reuse)
            names[layer["name"]] = {"ReuseFactor": reuse, "Strategy": "Resource"}
    config = backend.create_initial_config(
        part=options.part, clock_period=1000.0 / options.clock_MHz, io_type="io_stream", write_weights_txt=False
    )
    config |= {
        "OutputDir": str(folder),
        "ProjectName": options.name,
        "Backend": "Vitis",
        "Stamp": "csim",
        "HLSConfig": {
            # BramFactor 0: every weight memory is an argument of the top function.
            "Model": {
                "Precision": "ap_fixed<16,6>",
                "ReuseFactor": options.reuse,
                "Strategy": "Resource",
                "BramFactor": 0,
            },
            "LayerName": names,
        },
    }
    return config


def _set_depths(graph: Any) -> None:
    """Give streams that wait for a longer branch room for the atoms in flight meanwhile."""
    for name, atoms in stream_atoms(graph).items():
        variable = graph.output_vars[name]
        mode, beats = variable.pragma
        variable.pragma = (mode, int(beats) * atoms)


def write_project(
    model: IntegerModel,
    folder: Path,
    options: HlsOptions | None = None,
    sizes: Sizes | None = None,
    overwrite: bool = False,
    check: bool = True,
) -> Path:
    """Write a project; the folder appears when it is complete.

    Args:
        model: its sizes and number formats make the project, its tables and weights the test bench.
        folder: of the project; must not exist unless ``overwrite``.
        options: part, clock, reuse factor.
        sizes: what the build can hold; those of the model by default.
        overwrite: replace a project that is there.
        check: compile the C simulation and play the test bench before the folder appears.

    Raises:
        HlsError: a model, part or reuse factor that cannot be built, hls4ml or g++ missing, a folder in the way, or a
            simulation that differs from the reference.
    """
    options = options or HlsOptions()
    _check_target(folder, overwrite)
    sizes = sizes or sizes_of(model)
    words = port_words(model, sizes)
    check_hls4ml()
    check_part(sizes, options)
    if check:
        check_compiler()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as hidden:
        work = Path(hidden) / folder.name
        graph = make_graph(model, sizes, options, work)
        write_files(graph)
        test_bench(work, model, sizes, options.name, words)
        _record(work, model, sizes, options)
        write_estimate(work, estimate_record(estimate(graph, sizes, options.reuse), options, _reuse(graph)))
        _settle(work, folder)
        if check:
            _check(work, model)
        _swap(work, folder)
    return folder


def write_files(graph: Any) -> None:
    """Let hls4ml write its files, then add ours: the interface of csim, and a test bench of whole words."""
    with contextlib.redirect_stdout(io.StringIO()):
        graph.write()
    csim_interface(graph)


def _check_target(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not (folder / RECORD).is_file():
        raise HlsError(f"{folder} exists and is no HLS project of nvnmd; choose another folder")
    if not overwrite:
        raise HlsError(f"{folder} exists; give --overwrite to replace it, or choose another folder")


def _reuse(graph: Any) -> dict[str, int]:
    """Reuse factors of the dense layers; hls4ml allows only some."""
    nodes = [node for node in graph.get_layers() if node.class_name == "TypedDense"]
    return {node.name: int(node.get_attr("reuse_factor")) for node in nodes}


def _check(work: Path, model: IntegerModel) -> None:
    from nvnmd.fpga.hls.csim import open_csim

    simulation = open_csim(work, model)
    packets, wanted = (read_frames(work / "tb_data" / name) for name in ("packets.hex", "answers.hex"))
    different = int(np.count_nonzero(simulation.play(packets) != wanted))
    if different:
        raise HlsError(f"the C simulation differs from the integer reference in {different} of {wanted.size} words")


def _settle(work: Path, folder: Path) -> None:
    """Replace what hls4ml wrote of the temporary place, and its random name of the library."""
    config, script = work / "hls4ml_config.yml", work / "build_lib.sh"
    config.write_text(config.read_text().replace(str(work), str(folder.resolve())))
    script.write_text(re.sub(r"(?m)^LIB_STAMP=.*$", "LIB_STAMP=csim", script.read_text()))


def _swap(work: Path, folder: Path) -> None:
    old = work.with_name(f"{folder.name}.old")
    if folder.exists():
        folder.rename(old)
    work.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _record(work: Path, model: IntegerModel, sizes: Sizes, options: HlsOptions) -> None:
    from dataclasses import asdict
    from importlib.metadata import version

    record = {
        "format": RECORD_FORMAT,
        "hls4ml": version("hls4ml"),
        "options": asdict(options),
        "sizes": asdict(sizes),
        "formats": model.formats.to_dict(),
        "type_map": list(model.type_map),
    }
    (work / RECORD).write_text(json.dumps(record, indent=2) + "\n")
