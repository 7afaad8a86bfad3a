"""Card, PCIe and host together: what a step costs from positions in memory to forces in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from nvnmd.sim import _cycles
from nvnmd.sim.card import KEEP, CardSizes, CardTrace, answer_beats, atom_packets, check_packets, packet_beats
from nvnmd.sim.errors import SimError

Reals = np.ndarray[Any, np.dtype[np.float64]]

_TRANSFERS = _cycles.Transfers()  # what the host with a card does, too
PHASES = ("pack", "send", "compute", "receive", "unpack")
"""What happens to every buffer, in this order."""


@dataclass(frozen=True)
class Link:
    """One direction of PCIe with its DMA engine.

    Attributes:
        gigabytes_per_s: what the engine moves of data (1e9 bytes).
        wire_gigabytes_per_s: what the lanes carry; 15.75 is PCIe 3.0 x16.
        payload_bytes, overhead_bytes: data of one transaction-layer packet, and its header and framing.
        latency_us: from a request to the first byte on the card, or from the last byte to the notice of the host:
            system call, descriptor fetch, interrupt or poll.
        gap_us: between two transfers in which nothing moves, for descriptors that could not be fetched ahead.
        spike_probability, spike_us: a transfer's latency is longer by ``spike_us`` with this probability.
    """

    gigabytes_per_s: float
    wire_gigabytes_per_s: float = 15.75
    payload_bytes: int = 256
    overhead_bytes: int = 26
    latency_us: float = 5.0
    gap_us: float = 0.5
    spike_probability: float = 0.0
    spike_us: float = 0.0

    def __post_init__(self) -> None:
        if min(self.gigabytes_per_s, self.wire_gigabytes_per_s, self.payload_bytes) <= 0:
            raise SimError("bandwidths and payload of a link must be positive")
        if min(self.overhead_bytes, self.latency_us, self.gap_us, self.spike_us) < 0:
            raise SimError("overhead, latency, gap and spike of a link must not be negative")
        if not 0.0 <= self.spike_probability < 1.0:
            raise SimError(f"spike_probability = {self.spike_probability} is a probability below 1")

    @property
    def data_gigabytes_per_s(self) -> float:
        """What arrives: the engine's rate, or that of the lanes without the packets' overhead if it is smaller."""
        share = self.payload_bytes / (self.payload_bytes + self.overhead_bytes)
        return min(self.gigabytes_per_s, self.wire_gigabytes_per_s * share)

    def native(self, clock_mhz: float) -> Any:
        """The same in C++, in cycles."""
        found = _cycles.Link()
        found.bytes_per_cycle = self.data_gigabytes_per_s * 1e3 / clock_mhz
        found.latency, found.gap = self.latency_us * clock_mhz, self.gap_us * clock_mhz
        found.spike_probability, found.spike = self.spike_probability, self.spike_us * clock_mhz
        return found


@dataclass(frozen=True)
class HostModel:
    """Threads that pack and unpack, and the links.

    Attributes:
        link_in, link_out: to the card and back.
        threads: that pack atoms and unpack answers.
        pack_ns_per_atom, pack_ns_per_neighbor: cost of packing on one thread: neighbor list to packets with checksum.
        unpack_ns_per_atom, unpack_ns_per_neighbor: of unpacking: answers to sums of forces, energies and virials.
        buffer_atoms: most atoms of a transfer.
        least_atoms: atoms of the first transfer and of the last.
        share: a transfer holds at most this part of the atoms before it, and of the atoms that are left.
        buffers: transfers in flight, from packing to unpacking.
        bridge_beats: beats that wait between link and card, each way.
        seed: of the latency spikes.

    The costs are those of one core of an AMD EPYC (Zen 5): words, packets and checksums 54 ns and 1.2 ns a neighbor,
    answers 46 ns and 2 ns a neighbor (``nvnmd simulate --measure-host``), and the walk along the neighbor list and the
    sums of forces by their shares in ``benchmarks/stages.py``. Transfers are cut as the host of a card cuts them
    (``sim/src/transfers.hpp``): small ones at both ends of a step.
    """

    link_in: Link = field(default_factory=lambda: Link(9.0))
    link_out: Link = field(default_factory=lambda: Link(12.0))
    threads: int = 12
    pack_ns_per_atom: float = 230.0
    pack_ns_per_neighbor: float = 1.2
    unpack_ns_per_atom: float = 110.0
    unpack_ns_per_neighbor: float = 2.0
    buffer_atoms: int = _TRANSFERS.atoms
    least_atoms: int = _TRANSFERS.least
    share: int = _TRANSFERS.share
    buffers: int = _TRANSFERS.in_flight
    bridge_beats: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("threads", "buffer_atoms", "least_atoms", "share", "buffers", "bridge_beats"):
            if getattr(self, name) < 1:
                raise SimError(f"{name} must be at least 1, not {getattr(self, name)}")
        for entry in fields(self):
            if "_ns_" in entry.name and getattr(self, entry.name) < 0:
                raise SimError(f"{entry.name} must not be negative, not {getattr(self, entry.name)}")

    def transfers(self) -> Any:
        """How a step is cut into transfers, in C++."""
        found = _cycles.Transfers()
        found.atoms, found.least, found.share = self.buffer_atoms, self.least_atoms, self.share
        found.in_flight = self.buffers
        return found

    def native(self, clock_mhz: float) -> Any:
        """The same in C++, in cycles."""
        found = _cycles.HostSizes()
        found.link_in, found.link_out = self.link_in.native(clock_mhz), self.link_out.native(clock_mhz)
        for name in ("threads", "bridge_beats", "seed"):
            setattr(found, name, getattr(self, name))
        found.transfers = self.transfers()
        for job in ("pack", "unpack"):
            for per in ("atom", "neighbor"):
                setattr(found, f"{job}_{per}", getattr(self, f"{job}_ns_per_{per}") * clock_mhz * 1e-3)
        return found


@dataclass(frozen=True)
class StepTrace:
    """One simulated step.

    Attributes:
        card: what happened on the card.
        clock_mhz: clock of the card, which all cycles count.
        n_atoms: atoms evaluated.
        neighbors: all their neighbors.
        cycles: from the first packed word to the last unpacked one.
        begin, end: [buffers, phases], cycles at which each phase of ``PHASES`` of each buffer begins and ends.
        threads: [buffers, 2], which thread packed and unpacked.
        busy: share of the step in which threads, links and the stages of the pipeline work.
    """

    card: CardTrace
    clock_mhz: float
    n_atoms: int
    neighbors: int
    cycles: float
    begin: Reals
    end: Reals
    threads: Reals
    busy: dict[str, float]

    @property
    def seconds(self) -> float:
        """Time of the step, s."""
        return self.cycles / (self.clock_mhz * 1e6)

    @property
    def seconds_per_atom(self) -> float:
        """s/step/atom."""
        return self.seconds / self.n_atoms


def simulate_step(
    sizes: CardSizes, neighbors: Any, clock_mhz: float, host: HostModel | None = None, *, keep: str = "totals"
) -> StepTrace:
    """Simulate one step of all atoms.

    Args:
        sizes: parameters of the card, with a model loaded.
        neighbors: int [n_atoms], neighbors of every atom in the order in which they are sent.
        clock_mhz: clock of the card.
        host: threads and links.
        keep: how much of the card's trace is kept, one of ``KEEP``.

    Raises:
        SimError: no atoms, more neighbors than a packet takes, or a clock that is not positive.
    """
    if not clock_mhz > 0:
        raise SimError(f"the clock must be positive, not {clock_mhz} MHz")
    if keep not in KEEP:
        raise SimError(f"keep is one of {', '.join(KEEP)}, not {keep!r}")
    host = host or HostModel()
    counts = np.asarray(neighbors)
    if counts.size and counts.max() > sizes.max_body:
        atom = int(counts.argmax())
        raise SimError(f"atom {atom} has {counts[atom]} neighbors; the card takes {sizes.max_body}")
    rows = check_packets(sizes, atom_packets(counts))
    found = _cycles.play_host(sizes.native(), rows, host.native(clock_mhz), KEEP.index(keep))
    buffers, card = found["buffers"], CardTrace.from_native(found["card"])
    n = len(PHASES)
    busy = {
        "host threads": found["threads_busy"] / (host.threads * found["cycles"]),
        "PCIe in": found["in_busy"] / found["cycles"],
        "PCIe out": found["out_busy"] / found["cycles"],
    }
    return StepTrace(
        card=card,
        clock_mhz=clock_mhz,
        n_atoms=len(rows),
        neighbors=int(counts.sum()),
        cycles=found["cycles"],
        begin=buffers[:, :n],
        end=buffers[:, n : 2 * n],
        threads=buffers[:, 2 * n :],
        busy=busy | stages_busy(sizes, card, found["cycles"]),
    )


def stages_busy(sizes: CardSizes, card: CardTrace, cycles: float) -> dict[str, float]:
    """Share of the cycles in which each stage of the card takes a beat.

    The descriptor is counted by the steps in which its columns leave, which it also needs without a beat to show for.
    """
    p = sizes.pipeline
    drain = p.m1 // p.columns + -(-p.m2 // p.columns)
    atoms = card.beats["gradient in"] / (p.m1 // p.columns)
    taken = {
        "packets in": card.bus_in * 8 / p.lanes,
        "neighbor front": card.beats["neighbors in"],
        "descriptor": atoms * drain,
        "fitting network": card.beats["network in"],
        "gradient": card.beats["gradient in"],
        "forces": card.beats["forces in"],
        "packets out": card.bus_out * 4 / p.lanes,
    }
    return {name: beats / cycles for name, beats in taken.items()}


def bytes_per_atom(neighbors: Any) -> tuple[float, float]:
    """Mean bytes to the card and back per atom."""
    counts = np.asarray(neighbors)
    return 64 * float(packet_beats(counts).mean()), 64 * float(answer_beats(counts).mean())


def hidden_communication(step: StepTrace, alone: float) -> float:
    """Share of the time on the links that is hidden behind the card's computing.

    Exposed is what the step takes longer than ``alone``, the cycles of the card by itself, with packets always at hand
    and answers always taken (``simulate_card``).
    """
    communication = (step.busy["PCIe in"] + step.busy["PCIe out"]) * step.cycles
    return 1.0 - max(0.0, step.cycles - alone) / communication
