"""What our hls4ml layers share: one output tensor, at most two memory ports, a header with a function.

A layer of ours is a folder with the parts that hls4ml's Extension API asks for: a layer class, a handler that makes the
entry of the layer list from model sizes and number formats, templates (made here, the same for all), and a C++ header.

Two things in hls4ml 1.3.0 shape this. ``trace`` keeps one tensor for each layer name, so a layer has one output.
``hls4ml.model.profiling`` knows two weights for each layer, so a layer has two ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.layers import Layer
from hls4ml.model.types import FixedPrecisionType, IntegerPrecisionType, WeightVariable

from nvnmd.fpga.hls.sizes import Sizes
from nvnmd.quantize.formats import NumberFormats

TAIL = 8
"""Words behind every vector: the type of the atom and counts (``nvnmd_words.h``)."""


@dataclass(frozen=True)
class Word:
    """A number format: ``bits`` wide, ``frac`` fraction bits, or plain integers where words of several kinds mix."""

    bits: int
    frac: int | None = None
    signed: bool = True

    def precision(self) -> Any:
        """A new hls4ml type; hls4ml changes such objects, so they are never shared."""
        if self.frac is None:
            return IntegerPrecisionType(self.bits, signed=self.signed)
        return FixedPrecisionType(self.bits, self.bits - self.frac)


@dataclass(frozen=True)
class Port:
    """A memory port: ``rows`` rows of ``words`` words."""

    name: str
    rows: int
    words: int
    word: Word


@dataclass(frozen=True)
class Build:
    """What handlers need: sizes, number formats of the model the project is made for, and the reuse factor."""

    sizes: Sizes
    formats: NumberFormats
    reuse: int

    def lanes(self, words: int) -> int:
        """Words a cycle with which a vector passes in ``reuse`` cycles."""
        return -(-words // self.reuse)


class PortVariable(WeightVariable):  # type: ignore[misc]
    """A memory port. It is loaded at run time, so the header that hls4ml writes declares it and lists nothing."""

    def __init__(self, var_name: str, port: Port, index: int) -> None:
        empty = np.zeros((port.rows, port.words))
        super().__init__(var_name, type_name=f"{var_name}_t", precision=port.word.precision(), data=empty, index=index)
        self.port = port

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def definition_cpp(self, name_suffix: str = "", as_reference: bool = False) -> str:
        """The declaration: an array of rows."""
        return f"nnet::array<{self.type.name}, {self.port.words}> {self.name}[{self.port.rows}]"


class WordLayer(Layer):  # type: ignore[misc]
    """Base of our layers; the layer list has everything under ``words``, ``shape``, ``ports`` and ``config``."""

    header = ""

    def initialize(self) -> None:
        """Create output tensor and ports."""
        self.add_output_variable(list(self.attributes["shape"]), precision=self.attributes["word"].precision())
        add_ports(self)


def add_ports(layer: Any) -> None:
    """Create the port variables of a layer; hls4ml makes them arguments of the top function."""
    for port in layer.attributes["ports"]:
        layer.set_attr(port.name, PortVariable(f"{layer.name}_{port.name}", port, layer.index))


def node(
    layer: type[Any],
    name: str,
    inputs: Sequence[str],
    shape: Sequence[int],
    word: Word,
    ports: Sequence[Port] = (),
    **config: int,
) -> dict[str, Any]:
    """An entry of hls4ml's layer list. ``config`` are constants of the C++ configuration."""
    return {
        "class_name": layer.__name__,
        "name": name,
        "inputs": list(inputs),
        "shape": list(shape),
        "word": word,
        "ports": list(ports),
        "config": config,
        "trace": True,
    }


def constants(count: int) -> Port:
    """The port of a layer's constants, one a row."""
    return Port("constants", count, 1, Word(32))


def config_template(layer: type[Any]) -> Any:
    """hls4ml's configuration template for a layer of ours."""

    class Config(LayerConfigTemplate):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(layer)

        def format(self, node: Any) -> str:
            sizes = node.get_attr("config") | {f"n_{port.name}": port.rows for port in node.get_attr("ports")}
            lines = "".join(f"    static const unsigned {name} = {size};\n" for name, size in sizes.items())
            return f"struct config{node.index} {{\n{lines}}};\n"

    return Config


def function_template(layer: type[Any], function: str) -> Any:
    """hls4ml's call template: streams in, stream out, ports."""

    class Function(FunctionCallTemplate):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(layer, include_header=[f"nnet_utils/{layer.header}"])

        def format(self, node: Any) -> str:
            streams = [node.get_input_variable(name).name for name in node.inputs]
            arguments = [*streams, node.get_output_variable().name]
            arguments += [node.get_weights(port.name).name for port in node.get_attr("ports")]
            return f"nnet::{function}<config{node.index}>({', '.join(arguments)});"

    return Function
