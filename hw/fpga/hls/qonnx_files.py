"""Folders of QONNX files, written after a round trip: what is read back and executed is what went in."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.qonnx import execute, export_fitting, export_network, read_fitting
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import evaluate_atom
from nvnmd.quantize.testing import random_atoms


def write_quantized(model: IntegerModel, folder: Path) -> list[Path]:
    """Write the fitting network of every type in both dialects.

    Raises:
        HlsError: a file that does not give back the model's integers, or a folder in the way.
    """
    files: dict[str, Any] = {}
    for number, element in enumerate(model.type_map):
        exact, plain = export_fitting(model, number, exact=True), export_fitting(model, number)
        check_exact(model, number, exact)
        files |= {f"fitting_{element}_exact.onnx": exact, f"fitting_{element}.onnx": plain}
    return _write(files, folder)


def check_exact(model: IntegerModel, center_type: int, file: Any) -> None:
    """Compare integers read from an exact file, and energies that it computes, with the model and the reference.

    Raises:
        HlsError: they differ.
    """
    file = onnx.load_from_string(file.SerializeToString())
    wanted = {
        "weight_out": model.out_weight[center_type][None],
        "bias_out": model.out_bias[center_type : center_type + 1],
    }
    for layer, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True), start=1):
        wanted |= {f"weight{layer}": weight[center_type], f"bias{layer}": bias[center_type]}
    found = read_fitting(file)
    for name, words in wanted.items():
        if not np.array_equal(found[name], words):
            raise HlsError(f"{file.graph.name}: {name} is not the model's")
    atoms = random_atoms(20, 4, 1, model.rcut_A, most=min(40, model.max_neighbors), dx_frac=model.formats.dx_frac)
    traces = [evaluate_atom(model, replace(atom, center_type=center_type)).trace for atom in atoms]
    energies = execute(file, np.array([t["D"].ravel() for t in traces]) * 2.0**-model.formats.d_frac)
    if not np.array_equal(energies.ravel() * 2.0**model.formats.e_frac, [t["E_net"] for t in traces]):
        raise HlsError(f"{file.graph.name}: executed by qonnx, it does not give the energies of the reference")


def write_float(arrays: dict[str, Any], type_map: Sequence[str], nets: Sequence[int], folder: Path) -> list[Path]:
    """Write the fitting networks and embedding networks of a float model.

    Args:
        arrays: parameters by the names of ``DeepPot.arrays``.
        type_map: elements.
        nets: embedding net of each ordered pair of types.
        folder: for the files.

    Raises:
        HlsError: a folder in the way, or a file that does not give back what a plain evaluation gives.
    """
    files = {}
    fitting, embedding = _layers(arrays, "fitting"), _layers(arrays, "embedding")
    for number, element in enumerate(type_map):
        files[f"fitting_{element}.onnx"] = _float_file(f"fitting_{element}", fitting, number, linear=True)
    for net in sorted(set(nets)):
        files[f"embedding_{net}.onnx"] = _float_file(f"embedding_{net}", embedding, net, linear=False)
    return _write(files, folder)


def _layers(arrays: dict[str, Any], kind: str) -> list[tuple[Any, Any]]:
    count = sum(name.startswith(f"{kind}.weights.") for name in arrays)
    return [(arrays[f"{kind}.weights.{layer}"], arrays[f"{kind}.biases.{layer}"]) for layer in range(count)]


def _float_file(name: str, layers: list[tuple[Any, Any]], net: int, linear: bool) -> Any:
    """A float network; its output is compared with a plain evaluation."""
    weights, biases = [weight[net] for weight, _ in layers], [bias[net] for _, bias in layers]
    skips = [_copies(weight.shape[0], weight.shape[1], layer, linear) for layer, weight in enumerate(weights)]
    skips = skips[:-1] if linear else skips
    file = onnx.load_from_string(export_network(weights, biases, skips, name).SerializeToString())
    x = np.random.default_rng(0).normal(size=(9, weights[0].shape[0]))
    wanted = x
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        z = wanted @ weight.astype(np.float64) + bias
        skipped = np.tile(wanted, (1, skips[layer])) if layer < len(skips) and skips[layer] else 0.0
        wanted = np.tanh(z) + skipped if layer < len(skips) else z
    if not np.allclose(execute(file, x), wanted, rtol=1e-4, atol=1e-5):
        raise HlsError(f"{name}: executed by qonnx, the file does not give what the network gives")
    return file


def _copies(n_in: int, n_out: int, layer: int, fitting: bool) -> int:
    """How often a layer's input is added to its output; embedding nets do it at double width too."""
    if layer == 0 or n_out not in (n_in, 2 * n_in) or (fitting and n_out != n_in):
        return 0
    return n_out // n_in


def _write(files: dict[str, Any], folder: Path) -> list[Path]:
    """All files or none."""
    if folder.exists():
        raise HlsError(f"{folder} exists; choose another folder for the QONNX files")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as hidden:
        work = Path(hidden) / folder.name
        work.mkdir()
        for name, file in files.items():
            (work / name).write_bytes(file.SerializeToString())
        work.rename(folder)
    return [folder / name for name in files]
