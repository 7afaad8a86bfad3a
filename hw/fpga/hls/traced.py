"""hls4ml's own ``trace``, ``predict`` and profiling on our layers.

hls4ml compiles a model anew for a trace and knows weights in files only. A ``TracedProject`` compiles once, with our
interface, and loads the ports; from then on hls4ml's functions work as they do for any of its models.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.frames import packet_frames
from nvnmd.fpga.hls.options import HlsOptions
from nvnmd.fpga.hls.ports import port_words
from nvnmd.fpga.hls.project import make_graph, write_files
from nvnmd.fpga.hls.sizes import Sizes, sizes_of
from nvnmd.fpga.hls.tools import check_compiler
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput

_VALUES = {"Environment": 4, "ForceDots": 8, "ForcePair": 3, "Unpack": 3, "TanhSlope": None, "Energy": None}
"""Columns of a layer's result that are words of the specification; None for all, counts and types behind them."""
PACKETS = ("PacketIn", "PacketOut")


class TracedProject:
    """A project compiled with traces in ``folder``, which hls4ml fills and the caller removes.

    Raises:
        HlsError: hls4ml or g++ is missing, or the compiler fails.
    """

    def __init__(
        self, model: IntegerModel, folder: Path, options: HlsOptions | None = None, sizes: Sizes | None = None
    ) -> None:
        check_compiler()
        self.model, self.sizes = model, sizes or sizes_of(model)
        self.graph = make_graph(model, self.sizes, options or HlsOptions(), folder)
        self.graph.config.trace_output = True
        write_files(self.graph)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                self.graph._compile()
        except Exception as error:  # hls4ml raises no narrower class
            raise HlsError(f"{folder}: {error}") from error
        self.graph.compile = lambda: None  # hls4ml's trace and profiling call it, and would lose the ports
        self._load()

    def _load(self) -> None:
        load = self.graph._top_function_lib.nvnmd_load
        words = port_words(self.model, self.sizes)
        for variable in self.graph.get_weight_variables():
            memory = np.ascontiguousarray(words[variable.name], np.int64)
            if load(variable.name.encode(), memory.ctypes, memory.size):
                raise HlsError(f"{variable.name}: the port does not hold {memory.size} words")
            variable.data = memory * 2.0**-variable.type.precision.fractional

    def inputs(self, atoms: Sequence[AtomInput]) -> Any:
        """Packets as hls4ml's functions take them: float64 [atoms, beats, 16]."""
        return packet_frames(atoms, self.sizes).astype(np.float64).reshape(len(atoms), -1, 16)

    def trace(self, atoms: Sequence[AtomInput]) -> dict[str, Any]:
        """Words of every layer for every atom: int64 [atoms, ...], counts and types cut off."""
        with contextlib.redirect_stdout(io.StringIO()):
            _, traced = self.graph.trace(self.inputs(atoms))
        return {name: self._words(name, values) for name, values in traced.items()}

    def _words(self, name: str, values: Any) -> Any:
        from nvnmd.fpga.hls.layers.base import TAIL

        node = self.graph.graph[name]
        frac = node.get_output_variable().type.precision.fractional
        whole = values.reshape(-1, *node.get_output_variable().shape)
        end = whole.shape[-1] - TAIL if whole.ndim == 2 else None
        return (whole[..., : _VALUES.get(node.class_name, end)] * 2.0**frac).astype(np.int64)
