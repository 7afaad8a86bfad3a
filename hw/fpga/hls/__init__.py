"""The second way to hardware: the per-atom function as an hls4ml project for Vitis HLS, simulated in C with g++ alone.

``layers/`` holds our hls4ml layers, one folder each; ``import nvnmd.fpga.hls`` is light, hls4ml is imported when a
project is written.
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "Csim": "csim",
    "HlsError": "errors",
    "HlsOptions": "options",
    "Sizes": "sizes",
    "build_csim": "csim",
    "estimate": "estimate",
    "open_csim": "csim",
    "sizes_of": "sizes",
    "write_project": "project",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
