"""The control of the whole card without its data: packets in, answers out, equal to the RTL in every cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from nvnmd.sim import _cycles
from nvnmd.sim.errors import SimError
from nvnmd.sim.pipeline import CAUSES, PLACES, Cycles, PipelineSizes

Rows = np.ndarray[Any, np.dtype[np.int32]]

PACKET_PLACES = ("bus in", "checked", "dispatched", "answered", "bus out")
"""Where every packet is seen around the pipeline: its last beat on the bus, its checksum, behind the fence, the last
beat of its answer, and that beat on the bus."""
CARD_CAUSES = (
    "input buffer full",
    "headers full",
    "records full",
    "too many atoms in flight",
    "load waits at the fence",
    "pipeline busy",
    "answer waits for its result",
    "bus out busy",
    "no atom to evaluate",
)
"""What packets wait for around the pipeline; in the last the pipeline waits for packets."""
STORES = (
    "input buffer",
    "headers",
    "records of answers",
    "atoms in flight",
    "neighbors",
    "atoms behind the descriptor",
)
KEEP = ("totals", "packets", "beats")
BUS_BYTES = 64
"""Bytes of a beat of the bus."""


class Status(IntEnum):
    """What the card finds in a packet, as in docs/stream.md; others do not differ in time."""

    OK = 0
    BAD_CHECKSUM = 2
    BAD_HEADER = 3
    TOO_LONG = 4
    BAD_TYPE = 5
    TRUNCATED = 6


@dataclass(frozen=True)
class CardSizes:
    """Parameters of ``nvnmd_card`` on which its timing depends.

    Attributes:
        pipeline: those of ``atom_pipeline``; 1, 2 or 4 lanes.
        max_body: most body words of a packet.
        loaded: whether a model is loaded at the start.
    """

    pipeline: PipelineSizes
    max_body: int = 64
    loaded: bool = True

    def __post_init__(self) -> None:
        if self.pipeline.lanes not in (1, 2, 4):
            raise SimError(f"a card has 1, 2 or 4 lanes, not {self.pipeline.lanes}")
        if not 1 <= self.max_body < 2**16:
            raise SimError(f"max_body must be 1 … 65535, not {self.max_body}")
        if self.max_body // self.pipeline.lanes + 1 > self.pipeline.wait:
            raise SimError(f"wait = {self.pipeline.wait} does not hold the neighbors of one atom, {self.max_body}")

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, int], loaded: bool = True) -> CardSizes:
        """From the parameters of the RTL, ``Configuration.parameters`` for example."""
        names = ("m1", "m2", "layers", "width", "lanes", "net_lanes", "columns", "atoms", "wait")
        pipeline = PipelineSizes(**{n: parameters[n.upper()] for n in names}, skip=bool(parameters["SKIP"]))
        return cls(pipeline, parameters["MAX_BODY"], loaded)

    def native(self) -> Any:
        """The same in C++."""
        sizes, found = _cycles.Sizes(), _cycles.CardSizes()
        for name, value in asdict(self.pipeline).items():
            if name != "lanes":
                setattr(sizes, name, value)
        found.pipeline, found.lanes = sizes, self.pipeline.lanes
        found.max_body, found.model = self.max_body, self.loaded
        return found


def packet_beats(words: Any) -> Any:
    """Beats of packets with so many body words."""
    return -(-(np.asarray(words) + 2) // 8)


def answer_beats(forces: Any) -> Any:
    """Beats of answers with so many forces."""
    return -(-(2 * np.asarray(forces) + 6) // 8)


def atom_packets(neighbors: Any) -> Rows:
    """Sound packets of atoms with ``neighbors`` [n_atoms] neighbors, as rows of ``packets``."""
    counts = np.asarray(neighbors, np.int32)
    return packets(np.ones_like(counts), np.zeros_like(counts), counts, packet_beats(counts))


def packets(kind: Any, status: Any, words: Any, beats: Any, loaded: Any = True) -> Rows:
    """A packet stream, int32 [n_packets, 5].

    Args:
        kind: 1 for atoms, 2 … 4 for loads.
        status: what the card finds, a ``Status``.
        words: body words, as the header says.
        beats: of 64 bytes in the stream. What a card skips up to the end of a transfer belongs to the packet before.
        loaded: of load packets, whether a model is loaded behind them.
    """
    columns = np.broadcast_arrays(kind, status, loaded, words, beats)
    return np.ascontiguousarray(np.stack(columns, axis=-1), np.int32)


@dataclass(frozen=True)
class CardTrace:
    """What happened in a run. Cycles count from the first in which the source could offer a beat.

    Attributes:
        packets: int64 [n_packets, places], cycle in which the end of each packet passed a place of ``PACKET_PLACES``.
        atoms: int64 [n_evaluated, places], the same in the pipeline (``PLACES``), of atoms that were evaluated.
        entered, left: int64 [beats], cycle of every beat on the bus; empty unless asked for.
        beats: beats that passed each place of the pipeline.
        waits: cycles in which something waited, by cause (``CAUSES``, ``CARD_CAUSES``); several can hold in a cycle.
        most, depths: fullest state and size of each store of ``STORES``.
        cycles: length of the run.
        bus_in, bus_out: beats on the bus.
    """

    packets: Cycles
    atoms: Cycles
    entered: Cycles
    left: Cycles
    beats: dict[str, int]
    waits: dict[str, int]
    most: dict[str, int]
    depths: dict[str, int]
    cycles: int
    bus_in: int
    bus_out: int

    @property
    def cycles_per_atom(self) -> float:
        """Mean distance of answers on the bus, without the first one's way through the card."""
        out = self.packets[:, PACKET_PLACES.index("bus out")]
        return float(out[-1] - out[0]) / (len(out) - 1) if len(out) > 1 else float(self.cycles)

    @classmethod
    def from_native(cls, found: Mapping[str, Any]) -> CardTrace:
        """From what C++ returns."""
        waits = zip(CAUSES + CARD_CAUSES, [*found["waits"], *found["card_waits"]], strict=True)
        return cls(
            **{name: found[name] for name in ("packets", "atoms", "entered", "left", "cycles", "bus_in", "bus_out")},
            beats=dict(zip(PLACES, found["beats"], strict=True)),
            waits=dict(waits),
            most=dict(zip(STORES, found["most"], strict=True)),
            depths=dict(zip(STORES, found["depths"], strict=True)),
        )


def check_packets(sizes: CardSizes, rows: Rows) -> Rows:
    """Packets as C++ takes them.

    Raises:
        SimError: a packet that cannot be, naming the first.
    """
    rows = np.ascontiguousarray(rows, np.int32)
    if rows.ndim != 2 or rows.shape[1] != 5 or not len(rows):
        raise SimError(f"packets have the shape [n, 5] with n > 0, not {list(rows.shape)}")
    status, words, beats = rows[:, 1], rows[:, 3], rows[:, 4]
    whole = packet_beats(words)
    wrong = (beats < 1) | (words < 0)
    wrong |= np.isin(status, (Status.OK, Status.BAD_TYPE)) & (beats != whole)
    wrong |= (status == Status.BAD_CHECKSUM) & (beats < whole)
    wrong |= (status == Status.TRUNCATED) & (beats >= whole)
    wrong |= ~np.isin(status, (Status.BAD_HEADER, Status.TOO_LONG)) & (words > sizes.max_body)
    if wrong.any():
        at = int(wrong.argmax())
        raise SimError(
            f"packet {at}: status {status[at]}, {words[at]} body words and {beats[at]} beats do not go together "
            f"(the card takes {sizes.max_body} words)"
        )
    return rows


def simulate_card(
    sizes: CardSizes, rows: Rows, *, seed: int = 0, idle: float = 0.0, stall: float = 0.0, keep: str = "packets"
) -> CardTrace:
    """Pass packets through the card.

    Args:
        sizes: parameters of the card.
        rows: ``packets`` or ``atom_packets``.
        seed, idle, stall: source and sink pause each cycle with these probabilities, drawn as the RTL's stream bench
            draws them.
        keep: ``totals``, ``packets`` or ``beats``: how much of the trace is kept.

    Raises:
        SimError: a packet that cannot be.
    """
    if not 0.0 <= idle < 1.0 or not 0.0 <= stall < 1.0:
        raise SimError(f"idle = {idle} and stall = {stall} are probabilities below 1")
    if keep not in KEEP:
        raise SimError(f"keep is one of {', '.join(KEEP)}, not {keep!r}")
    rows = check_packets(sizes, rows)
    return CardTrace.from_native(_cycles.play_card(sizes.native(), rows, seed, idle, stall, KEEP.index(keep)))
