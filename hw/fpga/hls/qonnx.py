"""Networks as QONNX files for other tool chains: fitting networks of an integer model, all networks of a float one.

The quantized form comes in two dialects. *Plain* uses what QONNX tools know: float32, ``Quant``, ``MatMul``, ``Tanh``.
*Exact* spells the tanh table out in standard operators and computes in float64, in which every sum of
docs/numerics.md is exact: executed, it gives the integers of the reference.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.integer_model import IntArray, IntegerModel

DOMAIN = "qonnx.custom_op.general"
OPSET = 17
ATOMS = "atoms"
"""Name of the batch dimension."""


class _Graph:
    """Nodes and constants under construction; all real tensors have one type."""

    def __init__(self, dtype: type[np.floating[Any]]) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.quantized: list[Any] = []

    @property
    def kind(self) -> int:
        """Type of real tensors in the file."""
        return int(TensorProto.DOUBLE if self.dtype is np.float64 else TensorProto.FLOAT)

    def constant(self, name: str, value: Any, dtype: Any = None) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype or self.dtype), name))
        return name

    def add(self, op: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        name = to or f"{op.lower()}_{len(self.nodes)}"
        if op == "Cast":
            attributes = {"to": attributes["to_type"]}
        domain = DOMAIN if op == "Quant" else ""
        self.nodes.append(
            helper.make_node(op, list(inputs), [name], name=f"{name}_{op.lower()}", domain=domain, **attributes)
        )
        return name

    def quant(self, x: str, name: str, shape: Sequence[Any], frac: int, bits: int = 16, rounding: str = "FLOOR") -> str:
        """``x`` on a grid of ``2**-frac``, symmetric."""
        # qonnx executes Quant to float32, which holds words of 16 bits exactly.
        self.quantized.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))
        parameters = {"scale": 2.0**-frac, "zero": 0.0, "bits": float(bits)}
        inputs = [self.constant(f"{name}_{key}", value) for key, value in parameters.items()]
        words = self.add("Quant", x, *inputs, to=name, signed=1, narrow=1, rounding_mode=rounding)
        return words if self.dtype is np.float32 else self.add("Cast", words, to_type=TensorProto.DOUBLE)

    def rounded(self, x: str, name: str, shape: Sequence[Any], frac: int) -> str:
        """``rnd`` and clamp: half a step is added, then ``Quant`` rounds down."""
        half = self.add("Add", x, self.constant(f"{name}_half", 2.0 ** -(frac + 1)))
        return self.quant(half, name, shape, frac)

    def model(self, name: str, sizes: tuple[int, int], properties: dict[str, str], output: str = "energy") -> Any:
        """The file, checked by onnx; ``sizes`` are those of input and output."""
        x = helper.make_tensor_value_info("x", self.kind, [ATOMS, sizes[0]])
        y = helper.make_tensor_value_info(output, self.kind, [ATOMS, sizes[1]])
        graph = helper.make_graph(self.nodes, name, [x], [y], self.constants, value_info=self.quantized)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
        made = helper.make_model(graph, opset_imports=opsets, producer_name="nvnmd", ir_version=8)
        helper.set_model_props(made, properties)
        onnx.checker.check_model(made)
        return made


def export_fitting(model: IntegerModel, center_type: int, exact: bool = False) -> Any:
    """The fitting network of a type: ``D`` [atoms, M1·M2] to ``E_net`` [atoms, 1], real numbers on their grids.

    Args:
        exact: the exact dialect instead of the plain one.

    Returns:
        An ``onnx.ModelProto``.
    """
    f, g = model.formats, _Graph(np.float64 if exact else np.float32)
    h = g.quant("x", "d", (ATOMS, model.m1 * model.m2), f.d_frac)
    for layer in range(1, model.n_layers + 1):
        fracs = f.weight_frac[layer - 1], f.act_frac[layer - 1]
        z = _dense(g, h, f"{layer}", model.weights[layer - 1][center_type], model.biases[layer - 1][center_type], fracs)
        shape, frac = (ATOMS, model.weights[layer - 1].shape[1]), f.act_frac[layer]
        zt = g.rounded(z, f"zt{layer}", shape, f.z_frac)
        act = _tanh_table(g, zt, layer, model.tanh_coef, f) if exact else g.add("Tanh", zt)
        act = act if exact else g.quant(act, f"act{layer}", shape, frac, rounding="ROUND")
        h = g.quant(g.add("Add", h, act), f"h{layer}", shape, frac) if model.skip[layer - 1] else act
    fracs = f.weight_frac[model.n_layers], f.act_frac[model.n_layers]
    e = _dense(g, h, "_out", model.out_weight[center_type][None], model.out_bias[center_type : center_type + 1], fracs)
    half = g.add("Add", e, g.constant("e_half", 2.0 ** -(f.e_frac + 1)))
    steps = g.add("Floor", g.add("Mul", half, g.constant("e_steps", 2.0**f.e_frac)))
    g.add("Mul", steps, g.constant("e_step", 2.0**-f.e_frac), to="energy")
    element = model.type_map[center_type]
    fractions = {"weight_frac": json.dumps(f.weight_frac), "act_frac": json.dumps(f.act_frac)}
    properties = {"element": element, "dialect": "exact" if exact else "plain"} | fractions
    return g.model(f"fitting_{element}", (model.m1 * model.m2, 1), properties)


def _dense(g: _Graph, h: str, name: str, weight: IntArray, bias: IntArray, fracs: tuple[int, int]) -> str:
    real = weight.T.astype(np.float64) * 2.0 ** -fracs[0]
    w = g.quant(g.constant(f"weight{name}_real", real), f"weight{name}", real.shape, fracs[0], rounding="ROUND")
    b = g.constant(f"bias{name}", bias.astype(np.float64) * 2.0 ** -sum(fracs))
    return g.add("Add", g.add("MatMul", h, w), b, to=f"z{name}")


def _tanh_table(g: _Graph, zt: str, layer: int, coef: IntArray, f: NumberFormats) -> str:
    """Section 6 of docs/numerics.md on whole numbers."""

    def number(value: float) -> str:
        return g.constant(f"n{layer}_{len(g.constants)}", value)

    def rnd15(x: str) -> str:
        return g.add("Floor", g.add("Add", g.add("Mul", x, number(2.0**-15)), number(0.5)))

    z = g.add("Mul", zt, number(2.0**f.z_frac))
    magnitude = g.add("Abs", z)
    segment = g.add("Floor", g.add("Mul", magnitude, number(2.0**-f.tanh_seg_bits)))
    inside = g.add("Sub", magnitude, g.add("Mul", segment, number(2.0**f.tanh_seg_bits)))
    t = g.add("Mul", inside, number(2.0 ** (15 - f.tanh_seg_bits)))
    row = g.add("Cast", segment, to_type=TensorProto.INT64)
    c0, c1, c2 = (g.add("Gather", g.constant(f"tanh{layer}_c{k}", coef[:, k]), row) for k in range(3))
    d = g.add("Add", c1, rnd15(g.add("Mul", t, c2)))
    coarse = g.add("Floor", g.add("Mul", t, number(2.0**-f.tanh_shift)))
    value = g.add("Add", c0, rnd15(g.add("Mul", coarse, d)))
    return g.add("Mul", g.add("Mul", g.add("Sign", z), value), number(2.0 ** -f.act_frac[layer]))


def read_fitting(file: Any) -> dict[str, IntArray]:
    """Integers of an exported fitting network: ``weightN`` [out, in] and ``biasN``, from the numbers of the file.

    Raises:
        HlsError: not such a file.
    """
    constants = {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in file.graph.initializer}
    properties = {one.key: one.value for one in file.metadata_props}
    found: dict[str, IntArray] = {}
    try:
        weight_frac, act_frac = json.loads(properties["weight_frac"]), json.loads(properties["act_frac"])
        for layer, (weight, data) in enumerate(zip(weight_frac, act_frac, strict=True), start=1):
            name = str(layer) if layer < len(weight_frac) else "_out"
            found[f"weight{name}"] = _whole(constants[f"weight{name}_real"].T * 2.0**weight)
            found[f"bias{name}"] = _whole(constants[f"bias{name}"] * 2.0 ** (weight + data))
    except (KeyError, ValueError) as error:
        raise HlsError(f"{file.graph.name}: no quantized fitting network of nvnmd ({error})") from error
    return found


def _whole(values: Any) -> IntArray:
    words = np.rint(values).astype(np.int64)
    if not np.array_equal(words, values):
        raise ValueError("a number is not on its grid")
    return words


def export_network(weights: Sequence[Any], biases: Sequence[Any], skips: Sequence[int], name: str) -> Any:
    """A float network: tanh layers and, where ``skips`` has one entry less than there are layers, a linear output.

    Args:
        weights, biases: per layer [in, out] and [out].
        skips: per tanh layer, how many copies of its input are added (0, 1, or 2 at double width).
        name: of the graph.

    Returns:
        An ``onnx.ModelProto`` in float32: ``x`` [atoms, in] to ``y`` [atoms, out].
    """
    g, h = _Graph(np.float32), "x"
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        w, b = g.constant(f"weight{layer}", weight), g.constant(f"bias{layer}", bias)
        last = layer == len(weights) - 1
        z = g.add("MatMul", h, w)
        if layer == len(skips):
            g.add("Add", z, b, to="y")
            break
        act = g.add("Tanh", g.add("Add", z, b), **({"to": "y"} if last and not skips[layer] else {}))
        if skips[layer]:
            copies = g.add("Concat", *[h] * skips[layer], axis=1)
            act = g.add("Add", act, copies, **({"to": "y"} if last else {}))
        h = act
    return g.model(name, (int(weights[0].shape[0]), int(weights[-1].shape[1])), {"dialect": "float"}, output="y")


def execute(file: Any, x: Any) -> Any:
    """Output of an exported file for ``x`` [atoms, inputs], executed by qonnx."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    double = file.graph.input[0].type.tensor_type.elem_type == TensorProto.DOUBLE
    copy = onnx.ModelProto()
    copy.CopyFrom(file)
    for tensor in (*copy.graph.input, *copy.graph.output, *copy.graph.value_info):
        for size in tensor.type.tensor_type.shape.dim:
            if size.dim_param == ATOMS:
                size.dim_value = len(x)
    wrapped = ModelWrapper(copy).transform(InferShapes())
    found = execute_onnx(wrapped, {"x": np.asarray(x, np.float64 if double else np.float32)})
    return next(iter(found.values()))
