"""The per-atom function as hls4ml's layer list: neighbor words to forces, in the order of docs/numerics.md."""

from __future__ import annotations

from typing import Any

from nvnmd.fpga.hls.layers import LAYERS
from nvnmd.fpga.hls.layers.base import Build
from nvnmd.fpga.hls.sizes import HALF_WORDS

INPUT, OUTPUT = "packet", "packet_out"


class _Graph:
    """A layer list under construction."""

    def __init__(self, build: Build) -> None:
        self.build = build
        shape = [build.sizes.packet_beats, HALF_WORDS]
        self.nodes: list[dict[str, Any]] = [{"class_name": "InputLayer", "name": INPUT, "input_shape": shape}]

    def add(self, kind: str, *inputs: str, name: str | None = None, **options: Any) -> str:
        """Append a layer and return its name."""
        _, handler = LAYERS[kind]
        entry = handler(self.build, name or kind, inputs, **options)
        self.nodes.append(entry)
        return str(entry["name"])


def layer_list(build: Build) -> list[dict[str, Any]]:
    """All layers in topological order; names are those of ports and traces."""
    graph = _Graph(build)
    atom = graph.add("unpack", graph.add("packet_in", INPUT))
    radial, guard, feature = (graph.add(kind, atom) for kind in ("radial", "guard", "feature"))
    environment = graph.add("environment", atom, radial)
    x = graph.add("contraction", atom, environment, feature)
    d = graph.add("symmetric", x)
    slopes, energy_sum = _forward(graph, d)
    energy = graph.add("energy", energy_sum, guard)
    y = graph.add("contraction_grad", _backward(graph, energy_sum, slopes), x)
    dots = graph.add("force_dots", y, feature)
    force = graph.add("force_pair", atom, dots, radial, environment, guard)
    graph.add("packet_out", atom, y, energy, dots, force)
    return graph.nodes


def _forward(graph: _Graph, h: str) -> tuple[list[str], str]:
    slopes = []
    layers = len(graph.build.sizes.widths)
    for layer, skip in enumerate(graph.build.sizes.skip, start=1):
        z = graph.add("typed_dense", h, name=f"dense{layer}", layer=layer)
        slopes.append(graph.add("tanh_slope", z, name=f"slope{layer}", layer=layer))
        h = graph.add("tanh_value", z, *([h] if skip else []), name=f"tanh{layer}", layer=layer)
    return slopes, graph.add("typed_dense", h, name="dense_out", layer=layers + 1)


def _backward(graph: _Graph, energy_sum: str, slopes: list[str]) -> str:
    g = graph.add("output_weights", energy_sum)
    for layer in range(len(slopes), 0, -1):
        gz = graph.add("grad_scale", g, slopes[layer - 1], name=f"scale{layer}", layer=layer)
        back = graph.add("typed_dense", gz, name=f"back{layer}", layer=layer, backward=True)
        inputs = [g] if graph.build.sizes.skip[layer - 1] else []
        g = graph.add("grad_round", back, *inputs, name=f"round{layer - 1}", layer=layer)
    return g
