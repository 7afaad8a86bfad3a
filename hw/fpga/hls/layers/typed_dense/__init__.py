"""hls4ml's Dense with the weights of the atom's type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hls4ml.backends.template import LayerConfigTemplate
from hls4ml.model.attributes import Attribute, TypeAttribute
from hls4ml.model.layers import Dense, Layer
from hls4ml.model.types import NamedType

from nvnmd.fpga.hls.layers.base import TAIL, Build, Port, Word, add_ports, node

_CONFIG = """struct config{index} : nnet::dense_config {{
    static const unsigned n_in = {n_in};
    static const unsigned n_out = {n_out};
    static const unsigned io_type = nnet::io_stream;
    static const unsigned strategy = nnet::resource;
    static const unsigned reuse_factor = {reuse};
    static const unsigned n_zeros = 0;
    static const unsigned n_nonzeros = n_in * n_out;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_in * n_out, reuse_factor);
    static const bool store_weights_in_bram = false;
    typedef {accum} accum_t;
    typedef {accum} bias_t;
    typedef nnet::array<{weight}, {types}> weight_t;
    typedef ap_uint<1> index_t;
    template<class data_T, class res_T, class CONFIG_T> using kernel = nnet::{kernel}<data_T, res_T, CONFIG_T>;
    template<class x_T, class y_T> using product = nnet::product::of_type<x_T, y_T>;
}};
"""


class TypedDense(Dense):  # type: ignore[misc]
    """hls4ml's Dense, its Resource kernels and reuse factor; memories hold all types, and the tail is passed on."""

    header = "nvnmd_typed_dense.h"
    _expected_attributes = [Attribute("n_in"), Attribute("n_out"), TypeAttribute("accum")]  # noqa: RUF012

    @property
    def expected_attributes(self) -> list[Any]:
        """Those of a layer and our own; hls4ml's Dense also wants one bias and one weight of its own making."""
        return [*Layer._expected_attributes, *self._expected_attributes]

    def initialize(self) -> None:
        """Create output tensor and ports."""
        word = self.attributes["word"]
        self.set_attr("accum_t", NamedType(f"{self.name}_accum_t", word.precision()))
        self.add_output_variable(list(self.attributes["shape"]), precision=word.precision())
        add_ports(self)
        self.set_attr("_weights_transposed", True)  # rows are in the order of hls4ml's Resource kernels already


class TypedDenseConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Configuration of hls4ml's Dense with our product."""

    def __init__(self) -> None:
        super().__init__(TypedDense)

    def format(self, node: Any) -> str:
        """C++ configuration."""
        n_in, reuse = node.get_attr("n_in"), node.get_attr("reuse_factor")
        weight = node.get_weights("weight")
        return _CONFIG.format(
            index=node.index,
            n_in=n_in,
            n_out=node.get_attr("n_out"),
            reuse=reuse,
            accum=node.get_attr("accum_t").name,
            weight=weight.type.name,
            types=weight.port.words,
            kernel="DenseResource_rf_leq_nin" if reuse <= n_in else "DenseResource_rf_gt_nin_rem0",
        )


def handler(build: Build, name: str, inputs: Sequence[str], layer: int, backward: bool = False) -> dict[str, Any]:
    """Entry of the layer list; layer ``L + 1`` is the output row."""
    s, f = build.sizes, build.formats
    widths = (*s.layer_inputs, s.widths[-1], 1)
    n_in, n_out = (widths[layer], widths[layer - 1]) if backward else (widths[layer - 1], widths[layer])
    data_frac = f.grad_frac[layer] if backward else f.act_frac[layer - 1]
    weight_frac = f.weight_frac[layer - 1]
    word = Word(32, weight_frac + data_frac)
    ports = [Port("weight", n_in * n_out, s.types, Word(16, weight_frac))]
    if not backward:
        ports.append(Port("bias", n_out, s.types, word))
    return node(TypedDense, name, inputs, (n_out + TAIL,), word, ports) | {"n_in": n_in, "n_out": n_out}
