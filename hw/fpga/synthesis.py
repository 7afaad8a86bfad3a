"""Cells of one RTL module after synthesis with yosys for UltraScale+. Counts are kept in the build folder."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.verilate import build_folder, module_sources

# LUTs that a cell of distributed memory or a shift register takes (Xilinx UG974).
_LUT_CELLS = {"RAM64M8": 8, "RAM32M16": 8, "RAM64M": 4, "RAM32M": 4, "RAM128X1D": 4, "RAM64X1D": 2, "RAM32X1D": 2}
_LUT_CELLS |= {f"LUT{n}": 1 for n in range(1, 7)} | {"SRL16E": 1, "SRLC32E": 1, "INV": 1}
_BRAM_CELLS = {"RAMB36E2": 1.0, "RAMB18E2": 0.5}

_SCRIPT = """
import json, sys
from pyosys import libyosys
order = json.loads(sys.argv[1])
design = libyosys.Design()
design.run_pass("read_verilog -sv " + " ".join(order["files"]))
parameters = " ".join(f"-chparam {name} {value}" for name, value in order["parameters"].items())
design.run_pass(f"hierarchy -check -top {order['top']} {parameters}")
for module in order["without"]:
    design.run_pass(f"blackbox *{module}*")
design.run_pass("synth_xilinx -family xcup -uram -flatten -noiopad")
design.run_pass(f"tee -q -o {order['report']} stat -json")
"""


@dataclass(frozen=True)
class Resources:
    """LUT, FF, DSP48E2, block memories of 36 kbit and URAM288; fractions come from half blocks and from scaling."""

    lut: float = 0
    ff: float = 0
    dsp: float = 0
    bram: float = 0
    uram: float = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: Resources) -> Resources:
        return self + other * -1

    def __mul__(self, factor: float) -> Resources:
        return Resources(*(getattr(self, f.name) * factor for f in fields(self)))


def synthesize(top: str, parameters: Mapping[str, int], without: Sequence[str] = ()) -> Resources:
    """Count the cells of a module.

    Args:
        top, parameters: as in the RTL.
        without: modules inside it that are not counted.

    Raises:
        FpgaError: yosys is missing or refuses the sources.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise FpgaError("counting cells needs yosys: pip install nvnmd[hw]")
    files = module_sources(top)
    order = {"top": top, "parameters": dict(sorted(parameters.items())), "without": list(without)}
    key = hashlib.sha256(json.dumps([order, version("pyosys"), _SCRIPT]).encode())
    for path in files:
        key.update(path.read_bytes())
    kept = build_folder() / f"cells-{top}-{key.hexdigest()[:16]}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            report = Path(folder) / "cells.json"
            _run(order | {"files": [str(path) for path in files], "report": str(report)}, report)
            report.replace(kept)
    cells = json.loads(kept.read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
    return _resources(cells)


def _run(order: Mapping[str, Any], report: Path) -> None:
    command = [sys.executable, "-c", _SCRIPT, json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not report.exists():
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line or "Error" in line]
        raise FpgaError(f"yosys could not synthesize {order['top']}: {' '.join(said)[-500:] or 'no message'}")


def _resources(cells: Mapping[str, int]) -> Resources:
    def total(weights: Mapping[str, float]) -> float:
        return sum(count * weights.get(cell, 0) for cell, count in cells.items())

    ff = sum(count for cell, count in cells.items() if cell.startswith("FD"))
    return Resources(total(_LUT_CELLS), ff, cells.get("DSP48E2", 0), total(_BRAM_CELLS), cells.get("URAM288", 0))
