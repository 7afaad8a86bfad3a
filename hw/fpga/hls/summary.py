"""What is written beside a project about itself: the estimate, as JSON and as text."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nvnmd.fpga.hls.estimate import Estimate
from nvnmd.fpga.hls.options import HlsOptions
from nvnmd.fpga.hls.parts import PARTS

FILE = "estimate.json"


def estimate_record(found: Estimate, options: HlsOptions, reuse: dict[str, int]) -> dict[str, Any]:
    """The estimate as JSON values."""
    return {
        "label": "estimate: counted, not synthesized",
        "clock_MHz": options.clock_MHz,
        "interval_cycles": found.interval,
        "latency_cycles": found.latency,
        "s_per_atom": found.interval / options.clock_MHz * 1e-6,
        "slowest": found.slowest.name,
        "multipliers": found.multipliers,
        "memory_bits": found.memory_bits,
        "reuse": reuse,
        "layers": [asdict(layer) for layer in found.layers],
    }


def write_estimate(folder: Path, record: dict[str, Any]) -> None:
    """Write the record into a project."""
    (folder / FILE).write_text(json.dumps(record, indent=2) + "\n")


def show_estimate(folder: Path, options: HlsOptions) -> str:
    """The estimate of a project as text."""
    record = json.loads((folder / FILE).read_text())
    products, bits = sum(record["multipliers"].values()), sum(record["memory_bits"].values())
    part = PARTS.get(options.part.split("-")[0])
    share = f", {100 * products / part.dsp:.0f} % of the DSPs of {options.part}" if part else ""
    reuse = sorted(set(record["reuse"].values()))
    return "\n".join(
        [
            "ESTIMATE (counted; nothing was synthesized)",
            f"    an atom every {record['interval_cycles']} cycles (the slowest layer is {record['slowest']}), "
            f"latency {record['latency_cycles']} cycles",
            f"    {record['s_per_atom']:.3g} s/step/atom, if {options.clock_MHz:g} MHz are reached",
            f"    {products} multipliers{share}; {bits / 2**20:.2f} Mbit in memory ports",
            f"    reuse factors of the dense layers: {', '.join(map(str, reuse))}",
        ]
    )
