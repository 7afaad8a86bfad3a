"""The host's code on the verilated card, through the sockets of a card server: the forces of the CPU, faults or not."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from card_cases import beats, core, received
from rtl_cases import small_model

from nvnmd.fpga.configuration import Configuration, configuration_for
from nvnmd.fpga.stream import Kind
from nvnmd.host import CardOptions, Potential
from nvnmd.host._core import CardEmulator
from nvnmd.host.card_server import CardServer
from nvnmd.host.fake_card import FakeCard
from nvnmd.quantize.model_file import save_model

pytestmark = pytest.mark.hw


class VerilatedCard:
    """card_core of a configuration. Every transfer is a run of its own, behind the load packets since the last `begin`.

    The emulated card answers too: it says how much there is to wait for, and has to give the same bytes.
    """

    def __init__(self, configuration: Configuration, model: Path) -> None:
        self._core, self._lanes = core(configuration), configuration.neighbor_lanes
        self._emulator = CardEmulator([str(model)], configuration.fitting_lanes, configuration.identity)
        self._loads: list[bytes] = []
        self._answered = 0
        assert self._core.binary.exists()  # built before the host's time limits run
        self.read_register, self.write_register = self._emulator.read_register, self._emulator.write_register

    def transfer(self, data: bytes) -> bytes:
        if data[2] == Kind.LOAD_BEGIN:
            self._loads, self._answered = [], 0
        wanted = self._emulator.transfer(data)
        expected = (self._answered + len(wanted)) // (16 * self._lanes)
        run = self._core.run(beats([*self._loads, data], self._lanes), expected, most_cycles=100_000)
        answer = b"".join(received(run, self._lanes))[self._answered :]
        assert answer == wanted
        if data[2] in (Kind.LOAD_BEGIN, Kind.LOAD_ROWS, Kind.LOAD_END):
            self._loads.append(data)
            self._answered += len(answer)
        return answer


@pytest.fixture
def card(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A model, and the prefix of a verilated card that holds it and damages every fifth transfer."""
    model = small_model(gated=True)
    save_model(model, tmp_path / "model.nvnmd")
    configuration = configuration_for(model, neighbor_lanes=2, fitting_lanes=3, atoms=8)
    engine = VerilatedCard(configuration, tmp_path / "model.nvnmd")
    faulty = FakeCard(engine, kinds=("answer flip", "packet flip", "answer lose"), rate=0.2, seed=1)
    server = CardServer(faulty, str(tmp_path / "card"))
    threading.Thread(target=server.serve, daemon=True).start()
    yield tmp_path / "model.nvnmd", tmp_path / "card"
    server.close()


def test_forces_from_the_rtl(card: tuple[Path, Path]) -> None:
    path, device = card
    rng = np.random.default_rng(4)
    positions = 3.0 * np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions += rng.uniform(-0.2, 0.2, positions.shape)
    frame = (positions, 9.0 * np.eye(3), np.arange(27) % 2)
    on_card = Potential(path, threads=1, card=CardOptions(device, timeout_s=20.0, retries=20, atoms=4, patience_s=60.0))
    found, expected = (p.compute(*frame, raw=True).raw for p in (on_card, Potential(path, threads=1)))
    assert found is not None
    assert expected is not None
    assert found.energy == expected.energy
    assert np.array_equal(found.force, expected.force)
    assert np.array_equal(found.virial, expected.virial)
    assert found.clipped == expected.clipped
    counts = on_card.card_counts
    assert counts is not None
    assert sum(counts.faults.values()) > 0
