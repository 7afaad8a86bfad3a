"""What a project is likely to cost: counted multipliers and memory, *estimated* initiation interval and latency.

Nothing here was synthesized. Loops are taken to reach the interval of one cycle that their pragmas ask for, and layers
to restart when they have ended, as hls4ml's dataflow does; only Vitis HLS can say whether they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nvnmd.fpga.hls.sizes import Sizes

STAGES = 12
"""Cycles taken for the depth of a pipelined loop and the handshake around it."""
_ROW_STREAMS = {"Unpack", "Radial", "Guard", "Feature", "Environment", "ForceDots", "ForcePair", "Clone", "Input"}


@dataclass(frozen=True)
class LayerEstimate:
    """A layer: cycles that it is busy with one atom, and cycles from the packet to its first and last words."""

    name: str
    cycles: int
    first_out: int
    last_out: int


@dataclass(frozen=True)
class Estimate:
    """An estimate, not a result of synthesis.

    Attributes:
        interval: cycles between atoms.
        latency: cycles from packet to answer.
        layers: every layer of the graph.
        multipliers: products formed side by side, by layer; each takes one DSP48E2 or more.
        memory_bits: words of the ports, by layer.
    """

    interval: int
    latency: int
    layers: tuple[LayerEstimate, ...]
    multipliers: dict[str, int]
    memory_bits: dict[str, int]

    @property
    def slowest(self) -> LayerEstimate:
        """The layer that sets the interval."""
        return max(self.layers, key=lambda layer: layer.cycles)


def estimate(graph: Any, sizes: Sizes, reuse: int) -> Estimate:
    """Estimate an hls4ml graph of ours."""
    layers = tuple(_schedule(graph).values())
    memory = {
        node.name: sum(port.data.size * port.type.precision.width for port in node.get_weights())
        for node in graph.get_layers()
        if node.get_weights()
    }
    interval = max(layer.cycles for layer in layers)
    return Estimate(interval, layers[-1].last_out, layers, multipliers(sizes, reuse), memory)


def _trips(node: Any) -> int:
    """Iterations of the longest loop of a layer, or of loops that run one after the other."""
    kind, config = node.class_name, node.get_attr("config") or {}
    if kind == "TypedDense":
        return int(node.get_attr("reuse_factor"))
    if kind == "PacketIn":
        return int(2 * config["n_beats"])
    if kind == "PacketOut":
        return int(4 * config["n_beats"])
    if "n_lanes" in config:
        return -(-config["n_words"] // config["n_lanes"])
    if kind in ("Symmetric", "ContractionGrad"):
        return int(config["n_channels"])
    if kind in ("Contraction", "Energy"):
        return int(config["n_neighbors"])
    return _beats(node.get_output_variable())


def _beats(variable: Any) -> int:
    return int(variable.size() // variable.shape[-1])


def _schedule(graph: Any) -> dict[str, LayerEstimate]:
    """Every layer by the name of its output, in the order of the graph."""
    found: dict[str, LayerEstimate] = {}
    for node in graph.get_layers():
        sources = [found[name] for name in node.inputs if name in found]
        trips = _trips(node)
        stages = 1 if node.class_name in ("Clone", "Input") else STAGES
        first, last = max((s.first_out for s in sources), default=0), max((s.last_out for s in sources), default=0)
        if node.class_name in _ROW_STREAMS:
            first_out, last_out = first + stages, max(last + stages, first + stages + trips)
        else:
            last_out = max(last, first + trips) + stages
            first_out = last_out if _beats(node.get_output_variable()) == 1 else first + stages
            if not any(len(source_shape(graph, name)) > 1 for name in node.inputs):
                first_out = last_out = last + trips + stages
        layer = LayerEstimate(node.name, trips + stages, first_out, last_out)
        found |= dict.fromkeys(node.outputs, layer)
    return {layer.name: layer for layer in found.values()}


def source_shape(graph: Any, name: str) -> Sequence[int]:
    """Shape of a tensor."""
    return list(graph.output_vars[name].shape)


def stream_atoms(graph: Any) -> dict[str, int]:
    """How many atoms each stream has to hold, so that no branch waits for another that is longer."""
    schedule = _schedule(graph)
    outputs = {name: schedule[node.name] for node in graph.get_layers() for name in node.outputs}
    interval = max(layer.cycles for layer in schedule.values())
    atoms: dict[str, int] = {}
    for node in graph.get_layers():
        start = max((outputs[name].first_out for name in node.inputs if name in outputs), default=0)
        for name in node.inputs:
            if name in outputs:
                atoms[name] = 2 + (start - outputs[name].first_out) // interval
    return atoms


def multipliers(s: Sizes, reuse: int) -> dict[str, int]:
    """Products formed side by side, by part."""
    forward = [a * b for a, b in zip(s.layer_inputs, s.widths, strict=True)]
    lanes = [-(-width // reuse) for width in s.widths]
    return {
        "tables": 12 + 4 + 2 + 2 * s.m1 * (2 if s.gates else 1) + 3,
        "contraction": 4 * s.m1 + 4 * s.m2,
        "dense, forward": sum(-(-macs // reuse) for macs in forward) + -(-s.widths[-1] // reuse),
        "dense, backward": sum(-(-macs // reuse) for macs in forward),
        "tanh and gradients": sum(4 * n for n in lanes),
        "contraction, backward": 8 * s.m2,
        "forces": 8 * s.m1 + 15,
    }


def memory_bits(s: Sizes) -> dict[str, int]:
    """Bits of tables and weights, by part; weights are held twice, for both directions."""
    weights = sum(a * b for a, b in zip(s.layer_inputs, s.widths, strict=True))
    return {
        "tables": s.segments * (s.feature_tables * s.m1 * 48 + s.scalar_tables * 162)
        + s.guard_tables * s.guard_segments * 96,
        "weights": s.types * 16 * 2 * (weights + s.widths[-1]),
    }
