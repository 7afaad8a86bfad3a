"""QONNX files: what is read back and executed is what went in."""

# ruff: noqa: E402 - imports of packages that the lines above them ask for
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="QONNX files need onnx (pip install 'nvnmd[hls]')")
pytest.importorskip("qonnx", reason="QONNX files need qonnx (pip install 'nvnmd[hls]')")

from hls_cases import gated_model, pair_model
from qonnx.core.modelwrapper import ModelWrapper

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.qonnx import execute, export_fitting, export_network, read_fitting
from nvnmd.fpga.hls.qonnx_files import check_exact, write_float, write_quantized
from nvnmd.quantize.reference import evaluate_atom
from nvnmd.quantize.testing import random_atoms, random_model
from nvnmd.training.guard import Guard
from nvnmd.training.model import DeepPot, ModelShape


def test_exact_files_give_the_integers_of_the_reference(tmp_path: Path) -> None:
    model = gated_model()
    files = write_quantized(model, tmp_path / "q")
    assert [path.name for path in files] == [f"fitting_{e}{d}.onnx" for e in ("Ge", "Te") for d in ("_exact", "")]
    for number, element in enumerate(model.type_map):
        file = onnx.load(tmp_path / "q" / f"fitting_{element}_exact.onnx")
        check_exact(model, number, file)
        assert np.array_equal(read_fitting(file)["weight2"], model.weights[1][number])
    with pytest.raises(HlsError, match="not the model's"):
        check_exact(model, 1, onnx.load(files[0]))


def test_layers_without_skip_connections() -> None:
    model = random_model(2, m1=4, m2=2, neuron=(12, 6), skip=False)
    check_exact(model, 0, export_fitting(model, 0, exact=True))


def test_a_file_that_computes_something_else_is_noticed() -> None:
    model = gated_model()
    file = export_fitting(model, 0, exact=True)
    table = next(t for t in file.graph.initializer if t.name == "tanh2_c0")
    changed = onnx.numpy_helper.to_array(table) + 1
    table.CopyFrom(onnx.numpy_helper.from_array(changed, table.name))
    with pytest.raises(HlsError, match="does not give the energies"):
        check_exact(model, 0, file)


def test_plain_files_know_quant_and_tanh_only_and_come_close() -> None:
    model = pair_model()
    file = export_fitting(model, 1)
    operators = {node.op_type for node in file.graph.node}
    assert operators == {"Quant", "MatMul", "Add", "Tanh", "Mul", "Floor"}
    assert ModelWrapper(file).get_tensor_datatype("x").name == "FLOAT32"
    assert np.array_equal(read_fitting(file)["weight3"], model.weights[2][1])
    atoms = [atom for atom in random_atoms(30, 6, 2, 5.0, most=30) if atom.center_type == 1]
    traces = [evaluate_atom(model, atom).trace for atom in atoms]
    energies = execute(file, np.array([t["D"].ravel() for t in traces]) * 2.0**-model.formats.d_frac)
    wanted = np.array([t["E_net"] for t in traces]) * 2.0**-model.formats.e_frac
    assert np.abs(energies.ravel() - wanted).max() < 1e-3, "tanh instead of its table, float32 sums"
    assert np.ptp(wanted) > 0.05


@pytest.mark.parametrize("form", ["se_e2_a", "se_atten"])
def test_float_networks(form: str, tmp_path: Path) -> None:
    shape = ModelShape(("Ge", "Te"), form=form, neuron=(4, 8, 8), axis_neuron=2, fitting_neuron=(16, 16))  # type: ignore[arg-type]
    model = DeepPot(shape, Guard.off(2), seed=1)
    files = write_float(model.arrays(), shape.type_map, shape.nets, tmp_path / "f")
    assert len(files) == 2 + (4 if form == "se_e2_a" else 1)
    file = onnx.load(tmp_path / "f" / "fitting_Te.onnx")
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in file.graph.initializer}
    assert np.array_equal(stored["weight1"], model.arrays()["fitting.weights.1"][1])
    import torch

    x = np.random.default_rng(1).normal(size=(5, 1)).astype(np.float32)
    with torch.no_grad():
        wanted = model.embedding.value(torch.from_numpy(x[:, 0]), 0).numpy()
    assert np.allclose(execute(onnx.load(tmp_path / "f" / "embedding_0.onnx"), x), wanted, atol=1e-5)


def test_files_of_others_and_folders_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(HlsError, match="no quantized fitting network"):
        read_fitting(export_network([np.ones((2, 1))], [np.zeros(1)], [], "net"))
    with pytest.raises(HlsError, match="exists"):
        write_quantized(gated_model(), tmp_path)
    assert list(tmp_path.iterdir()) == []
