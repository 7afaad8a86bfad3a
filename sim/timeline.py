"""A step as a trace for Perfetto (ui.perfetto.dev) or chrome://tracing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nvnmd.sim.card import PACKET_PLACES, CardTrace
from nvnmd.sim.host import PHASES, StepTrace
from nvnmd.sim.pipeline import PLACES

_TRACKS = {"send": "PCIe in", "compute": "card", "receive": "PCIe out"}
_CARD_AT, _BLOCKS_AT = 1, 2
_BLOCKS = {
    "packet checked": ("bus in", "checked"),
    "waits for the pipeline": ("checked", "neighbors in"),
    "neighbor lanes": ("neighbors in", "neighbors out"),
    "descriptor": ("neighbors out", "network in"),
    "fitting network": ("network in", "network out"),
    "gradient": ("network out", "forces in"),
    "forces": ("forces in", "forces out"),
    "answer": ("forces out", "bus out"),
}
"""Where an atom is between which places; every place is passed by its last beat."""


def write_timeline(path: Path, step: StepTrace, most_atoms: int = 300) -> None:
    """Write the phases of every buffer and, where the trace has packets, the way of the first atoms through blocks.

    Times are simulated microseconds.
    """
    scale = 1.0 / step.clock_mhz
    events = [*_names(step), *_buffers(step, scale), *_atoms(step.card, scale, most_atoms)]
    write_json(path, {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"label": "simulated"}}, indent=None)


def write_json(path: Path, words: Any, indent: int | None = 2) -> None:
    """Write JSON atomically."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        json.dump(words, file, indent=indent)
        file.write("\n")
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def _names(step: StepTrace) -> Iterator[dict[str, Any]]:
    processes = {_CARD_AT: "host, PCIe and card by buffer", _BLOCKS_AT: "atoms in the card"}
    for pid, name in processes.items():
        yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}
    tracks = list(_TRACKS.values()) + [f"thread {n}" for n in range(int(step.threads.max()) + 1)]
    for tid, name in enumerate(tracks):
        yield {"ph": "M", "name": "thread_name", "pid": _CARD_AT, "tid": tid, "args": {"name": name}}


def _buffers(step: StepTrace, scale: float) -> Iterator[dict[str, Any]]:
    tracks = list(_TRACKS)
    for number in range(len(step.begin)):
        for at, phase in enumerate(PHASES):
            begin, end = step.begin[number, at] * scale, step.end[number, at] * scale
            event = {"name": f"{phase} {number}", "cat": phase, "pid": _CARD_AT, "ts": begin}
            if phase == "compute":  # the card works on several buffers at a time, which slices of a track cannot show
                ids = {"tid": tracks.index(phase), "id": number}
                yield event | ids | {"ph": "b"}
                yield event | ids | {"ph": "e", "ts": end}
                continue
            if phase in tracks:
                tid = tracks.index(phase)
            else:
                tid = len(tracks) + int(step.threads[number, 0 if phase == "pack" else 1])
            yield event | {"ph": "X", "tid": tid, "dur": end - begin}


def _atoms(card: CardTrace, scale: float, most: int) -> Iterator[dict[str, Any]]:
    for number, (packet, atom) in enumerate(zip(card.packets[:most], card.atoms[:most], strict=False)):
        cycle = dict(zip(PACKET_PLACES, packet, strict=True)) | dict(zip(PLACES, atom, strict=True))
        for block, (begin, end) in _BLOCKS.items():
            event = {"name": f"{block}, atom {number}", "cat": block, "pid": _BLOCKS_AT, "tid": 0, "id": number}
            yield event | {"ph": "b", "ts": float(cycle[begin]) * scale}
            yield event | {"ph": "e", "ts": float(cycle[end]) * scale}
