"""Host and PCIe around the simulated card."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nvnmd.card_energy import step_energy
from nvnmd.fpga.plan import named, predict
from nvnmd.sim import CardSizes, HostModel, Link, PipelineSizes, SimError, _cycles, simulate_card, simulate_step
from nvnmd.sim.card import atom_packets
from nvnmd.sim.host import PHASES, bytes_per_atom, hidden_communication
from nvnmd.sim.summary import bound_by, summarize, text
from nvnmd.sim.sweep import Card, sweep
from nvnmd.sim.timeline import write_timeline

LETTER, FAST = (CardSizes.from_parameters(named(name).parameters) for name in ("letter", "fast"))
NEIGHBORS = np.clip(np.rint(np.random.default_rng(0).normal(28.8, 2.5, 3000)), 15, 39).astype(int)


def cuts(host: HostModel, atoms: int) -> list[int]:
    """Atoms of the transfers of a step."""
    found: list[int] = []
    while (before := sum(found)) < atoms:
        found.append(host.transfers().next(before, atoms - before))
    return found


def test_a_step_is_at_least_what_its_parts_take() -> None:
    step, (sent, received) = simulate_step(LETTER, NEIGHBORS, 222.0), bytes_per_atom(NEIGHBORS)
    assert step.seconds >= 43 * len(NEIGHBORS) / 222e6
    assert step.seconds >= len(NEIGHBORS) * max(sent / 9e9, received / 12e9)
    assert step.busy["PCIe in"] == pytest.approx(sent * len(NEIGHBORS) / 9e9 / step.seconds, rel=0.02)
    assert step.busy["PCIe out"] == pytest.approx(received * len(NEIGHBORS) / 12e9 / step.seconds, rel=0.02)
    assert step.busy["fitting network"] == pytest.approx(43 * len(NEIGHBORS) / step.cycles)


def test_buffers_go_through_the_phases_in_order() -> None:
    step, host = simulate_step(FAST, NEIGHBORS, 250.0), HostModel()
    assert step.begin.shape == (len(cuts(host, len(NEIGHBORS))), len(PHASES))
    assert (step.begin <= step.end).all()
    pack, send, compute, receive, unpack = range(len(PHASES))
    assert (step.end[:, pack] <= step.begin[:, send]).all()
    assert (step.begin[:, send] <= step.begin[:, compute]).all()
    assert (step.end[:, compute] <= step.end[:, receive]).all()
    assert (step.end[:, receive] + 5.0 * 250 <= step.begin[:, unpack]).all()
    assert step.cycles == step.end[:, unpack].max()
    order = np.argsort(step.begin[:, pack], kind="stable")
    flying = [(step.end[:number, unpack] > step.begin[number, pack]).sum() for number in order]
    assert max(flying) < host.buffers
    for thread in range(host.threads):
        spans = [
            (step.begin[n, phase], step.end[n, phase])
            for n, names in enumerate(step.threads)
            for phase, name in zip((pack, unpack), names, strict=True)
            if name == thread
        ]
        spans.sort()
        assert all(a[1] <= b[0] for a, b in pairwise(spans)), "a thread does one thing at a time"


@pytest.mark.parametrize(
    ("host", "bound"),
    [
        (HostModel(), "compute"),
        (HostModel(link_in=Link(1.0)), "PCIe in"),
        (HostModel(link_out=Link(2.0)), "PCIe out"),
        (HostModel(threads=1), "host"),
        (HostModel(threads=12, buffers=1), "compute"),
    ],
    ids=["usual", "slow in", "slow out", "one thread", "one buffer"],
)
def test_what_bounds_a_step(host: HostModel, bound: str) -> None:
    usual, step = simulate_step(LETTER, NEIGHBORS, 222.0), simulate_step(LETTER, NEIGHBORS, 222.0, host)
    assert bound_by(step.busy)[0] == bound
    assert step.cycles >= usual.cycles


def test_spikes_and_overhead_cost_time() -> None:
    late = HostModel(link_in=Link(9.0, spike_probability=0.3, spike_us=200.0))
    usual, spiked = (simulate_step(FAST, NEIGHBORS, 250.0, host) for host in (None, late))
    assert spiked.cycles > usual.cycles + 100 * 250
    assert simulate_step(FAST, NEIGHBORS, 250.0, late).cycles == spiked.cycles
    assert simulate_step(FAST, NEIGHBORS, 250.0, replace(late, seed=1)).cycles != spiked.cycles
    assert Link(20.0).data_gigabytes_per_s == pytest.approx(15.75 * 256 / 282)
    assert Link(9.0).data_gigabytes_per_s == 9.0


def test_communication_hides_behind_computing() -> None:
    counts = np.tile(NEIGHBORS, 3)
    alone = simulate_card(LETTER, atom_packets(counts), keep="totals").cycles
    hidden = hidden_communication(simulate_step(LETTER, counts, 222.0), alone)
    exposed = hidden_communication(simulate_step(LETTER, counts, 222.0, HostModel(buffers=1)), alone)
    assert exposed < 0.5 < hidden < 1.0


def test_summary_energy_and_timeline(tmp_path: Path) -> None:
    step = simulate_step(LETTER, NEIGHBORS, 222.0, keep="packets")
    energy = step_energy(step, predict(named("letter")))
    found = summarize(LETTER, NEIGHBORS, step, HostModel(), energy)
    assert found["cycles_per_atom"] >= found["cycles_per_atom_card_alone"] >= 43
    assert "simulated" in found["label"]
    assert "an estimate, not a measurement" in text(found, "letter")
    joules = found["joules_per_step_per_atom"]
    assert step.seconds_per_atom * 8 < joules["low"] < joules["high"], "more than leakage and PCIe"
    assert f"{joules['low']:.1e} … {joules['high']:.1e} (card)" in text(found, "letter")
    write_timeline(tmp_path / "timeline.json", step, most_atoms=10)
    events = json.loads((tmp_path / "timeline.json").read_text())["traceEvents"]
    assert sum(event["ph"] == "X" for event in events) == 4 * len(step.begin)
    spans = [event for event in events if event["ph"] in "be" and event["pid"] == 2]
    assert len(spans) == 2 * 8 * 10
    assert all(event["ts"] <= 1.001e6 * step.seconds for event in events if "ts" in event)


def test_a_sweep_marks_the_front() -> None:
    def configure(target: int, lanes: int) -> Card | None:
        if target < 10:
            return None
        found = PipelineSizes(lanes=lanes, net_lanes=-(-128 // target), columns=4, wait=1024)
        return Card(CardSizes(found), 1000 * lanes + 300 * found.net_lanes)

    points = sweep(configure, (5, 16, 43), (1, 4), (222.0,), (29, 48), atoms=300)
    assert len(points) == 2 * 2 * 2
    by_name: dict[Any, Any] = {(p["target_cycles"], p["lanes"], p["neighbors"]): p for p in points}
    assert by_name[43, 1, 29]["on_front"]
    assert by_name[16, 4, 29]["on_front"]
    assert not by_name[43, 4, 29]["on_front"], "one lane does it as fast for less"
    assert by_name[16, 1, 48]["cycles_per_atom"] > by_name[16, 4, 48]["cycles_per_atom"]


@pytest.mark.parametrize("atoms", [1, 15, 16, 17, 100, 4000, 100_000])
def test_transfers_are_small_at_both_ends(atoms: int) -> None:
    host, found = HostModel(), cuts(HostModel(), atoms)
    assert sum(found) == atoms
    assert max(found) <= host.buffer_atoms
    assert found[0] == min(host.least_atoms, atoms)
    assert found[-1] <= host.least_atoms
    middle = found.index(max(found))
    assert found[: middle + 1] == sorted(found[: middle + 1])
    assert found[middle:] == sorted(found[middle:], reverse=True)
    if atoms == 100_000:
        assert found.count(host.buffer_atoms) > 0.8 * len(found)


@pytest.mark.parametrize(("name", "clock"), [("letter", 222.0), ("fast", 250.0)])
def test_small_transfers_at_both_ends_save_time(name: str, clock: float) -> None:
    sizes = CardSizes.from_parameters(named(name).parameters)
    equal = HostModel(least_atoms=HostModel().buffer_atoms)
    ramped, flat = (simulate_step(sizes, NEIGHBORS, clock, host) for host in (HostModel(), equal))
    assert ramped.seconds < flat.seconds - 30e-6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Link(0.0), "positive"),
        (lambda: Link(9.0, latency_us=-1.0), "not be negative"),
        (lambda: Link(9.0, spike_probability=1.0), "probability"),
        (lambda: HostModel(threads=0), "threads must be at least 1"),
        (lambda: HostModel(pack_ns_per_atom=-1.0), "pack_ns_per_atom"),
        (lambda: simulate_step(LETTER, [1], 0.0), "clock must be positive"),
        (lambda: simulate_step(LETTER, [3, 65], 222.0), "atom 1 has 65 neighbors; the card takes 64"),
        (lambda: simulate_step(LETTER, [], 222.0), "packets have the shape"),
    ],
)
def test_hosts_that_cannot_be(make: Any, message: str) -> None:
    with pytest.raises(SimError, match=message):
        make()


@pytest.mark.parametrize(("name", "clock"), [("letter", 222.0), ("fast", 250.0)])
def test_the_backend_of_lammps_has_the_same_card_and_host(name: str, clock: float) -> None:
    card, ours, theirs = named(name), HostModel().native(clock), _cycles.usual_host(clock)
    for key in (key for key in dir(theirs) if not key.startswith(("_", "link", "transfers"))):
        assert getattr(theirs, key) == pytest.approx(getattr(ours, key)), key
    for key in ("atoms", "least", "share", "in_flight"):
        assert getattr(theirs.transfers, key) == getattr(ours.transfers, key), key
    for link in ("link_in", "link_out"):
        for key in ("bytes_per_cycle", "latency", "gap", "spike_probability", "spike"):
            assert getattr(getattr(theirs, link), key) == pytest.approx(getattr(getattr(ours, link), key)), (link, key)
    sizes = CardSizes.from_parameters(card.parameters)
    wanted = sizes.native()
    make = _cycles.letter_card if name == "letter" else _cycles.fast_card
    bare = _cycles.Sizes()
    for key in ("m1", "m2", "layers", "width", "skip"):
        setattr(bare, key, getattr(wanted.pipeline, key))
    found = make(bare, card.max_neighbors)
    assert (found.lanes, found.max_body, found.model) == (wanted.lanes, wanted.max_body, wanted.model)
    for key in (key for key in dir(bare) if not key.startswith("_")):
        assert getattr(found.pipeline, key) == getattr(wanted.pipeline, key), key
