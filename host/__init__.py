"""The runtime: model loader, bit-exact CPU kernels, device backends and the ASE calculator."""

from __future__ import annotations

import json
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from nvnmd.host._core import Error, header, kernel_names
from nvnmd.host.active_set import ActiveSet, active_set_path
from nvnmd.host.card import CardCounts, CardOptions
from nvnmd.host.many import evaluate_many
from nvnmd.host.potential import Potential, RawResult, Result
from nvnmd.host.selection import build_active_set

if TYPE_CHECKING:
    from nvnmd.host.calculator import NvnmdCalculator

__all__ = [
    "ActiveSet",
    "CardCounts",
    "CardOptions",
    "Error",
    "NvnmdCalculator",
    "Potential",
    "RawResult",
    "Result",
    "active_set_path",
    "build_active_set",
    "evaluate_many",
    "kernel_names",
    "model_info",
]


def model_info(path: str | PathLike[str]) -> dict[str, Any]:
    """Return the JSON metadata of a model file (docs/model_file.md) after checking the whole file.

    Raises:
        Error: not a model file, damaged, of another version, or breaking a guarantee of docs/numerics.md.
    """
    return dict(json.loads(header(fspath(path))))


def __getattr__(name: str) -> Any:
    # ASE takes long to import, and only the calculator needs it.
    if name == "NvnmdCalculator":
        from nvnmd.host.calculator import NvnmdCalculator

        return NvnmdCalculator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
