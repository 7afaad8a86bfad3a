"""Nequix as a teacher: without kernels of its own, and with graphs padded to few sizes.

JAX compiles a program for every size of graph, which costs as much as the labels of about twenty frames, and by itself
nequix has a size for every 64 edges and every 8 atoms.
"""

from __future__ import annotations

import math
from typing import Any

from nequix.calculator import NequixCalculator

LEAST_EDGES = 256


def capacity(edges: int) -> int:
    """Edges to pad a graph to: the next of 256, 363, 512, 725, 1024, ... (powers of the square root of two)."""
    steps = max(0, math.ceil(2 * math.log2(max(edges, 1) / LEAST_EDGES) - 1e-9))
    return math.ceil(LEAST_EDGES * 2 ** (steps / 2))


def nodes(atoms: int) -> int:
    """Atoms to pad a graph to, 40, 72, 104, ...; one more than there are at least, which the edges added belong to."""
    return 32 * math.ceil(atoms / 32) + 8


class PaddedNequix(NequixCalculator):  # type: ignore[misc]  # the package has no types
    """`nequix.calculator.NequixCalculator` with few sizes, its own arguments, and `use_kernel` off by default."""

    def __init__(self, model_path: str, use_kernel: bool = False, **more: Any) -> None:
        super().__init__(model_path=model_path, use_kernel=use_kernel, **more)

    def _pad_graph_jax(self, graph: Any, numbers_changed: bool = False) -> Any:
        import jraph

        del numbers_changed
        n_node, n_edge = nodes(int(graph.n_node[0])), capacity(int(graph.n_edge[0]))
        return jraph.pad_with_graphs(graph, n_node=n_node, n_edge=n_edge, n_graph=2)
