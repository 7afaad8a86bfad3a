"""`nvnmd compile --target qonnx`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer


def run(model: Path, output: Path | None, **_: Any) -> None:
    """Write the networks of an integer model, or of a float model, as QONNX files.

    Raises:
        HlsError: QONNX is missing, or a file does not pass its round trip; nothing is written then.
    """
    from nvnmd.fpga.hls.tools import check_qonnx

    check_qonnx()
    from nvnmd.fpga.hls.qonnx_files import write_float, write_quantized

    folder = output or model.with_name(f"{model.stem}-qonnx")
    if model.suffix == ".safetensors":
        from nvnmd.training.model_file import load_model

        float_model = load_model(model)
        shape = float_model.shape
        files = write_float(float_model.arrays(), shape.type_map, shape.nets, folder)
    else:
        from nvnmd.quantize.model_file import load_model as load_integer

        files = write_quantized(load_integer(model), folder)
    typer.echo("\n".join(str(path) for path in files))
