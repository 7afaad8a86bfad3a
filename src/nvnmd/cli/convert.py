"""`nvnmd convert`: a model of DeePMD-kit into a float model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

log = logging.getLogger("nvnmd.convert")


def convert(
    model: Annotated[Path, typer.Argument(help="DeePMD-kit model: *.pb, *.pt, *.pth, *.dp or *.yaml.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Float model to write.")] = Path("model.safetensors"),
    guard: Annotated[
        bool, typer.Option("--guard", help="Add the short-range guard, which DeePMD-kit's model does not have.")
    ] = False,
) -> None:
    """Read a DeePMD-kit se_e2_a model into a float model that gives the same energies, forces and virials.

    Frozen TensorFlow graphs and PyTorch files are read as they are; DeePMD-kit need not be installed. A model that
    computes something else than ours (another descriptor, set_davg_zero false, resnet_dt true, frame parameters, a
    compressed model, ...) is refused with the reason.

    The result is used like a trained one: evaluate, quantize, or go on training with --init-model.

    Examples:

        nvnmd convert frozen_model.pb -o run/model.safetensors

        nvnmd convert model.ckpt.pt --guard
    """
    from importlib.metadata import version

    from nvnmd.training.deepmd.convert import convert as read
    from nvnmd.training.files import file_digest
    from nvnmd.training.model_file import save_model

    result = read(model, guard)
    digest = file_digest(model)
    save_model(result, output, {"nvnmd": version("nvnmd"), "converted_from": {"file": model.name, "sha256": digest}})
    shape = result.shape
    log.info(
        "%s: %s of %s, cutoff %g A, embedding %s, fitting %s; all neighbors are used, not only the first %s",
        model.name, shape.form, " ".join(shape.type_map), shape.rcut, list(shape.neuron), list(shape.fitting_neuron),
        list(shape.sel),
    )  # fmt: skip
    typer.echo(f"model: {output}")
