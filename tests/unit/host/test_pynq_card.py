"""The PYNQ adapter on stand-ins for PYNQ's classes: the bits of the CPU, and a card that stops answering."""

import sys
import threading
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nvnmd.host import CardOptions, Error, Potential
from nvnmd.host._core import CardEmulator
from nvnmd.host.card_server import CardServer
from nvnmd.host.pynq_card import open_card
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model


class Channel:
    """One direction of a DMA in simple mode."""

    def __init__(self, dma: "Dma") -> None:
        self.dma, self.idle, self.transferred = dma, True, 0

    def transfer(self, buffer: Any, nbytes: int = 0) -> None:
        if self is self.dma.recvchannel:
            self.buffer, self.idle = buffer, False
        else:
            self.dma.answer(bytes(buffer[:nbytes]))

    def stop(self) -> None:
        self.idle = True

    def start(self) -> None:
        pass


class Dma:
    """A DMA with a card behind it that is silent for the transfers named."""

    def __init__(self, card: CardEmulator, silent: set[int]) -> None:
        self.card, self.silent, self.count = card, silent, 0
        self.sendchannel, self.recvchannel = Channel(self), Channel(self)

    def answer(self, data: bytes) -> None:
        self.count += 1
        if self.count in self.silent:
            return
        answer = self.card.transfer(data)
        receive = self.recvchannel
        receive.buffer[: len(answer)] = np.frombuffer(answer, np.uint8)
        receive.transferred, receive.idle = len(answer), True


class Registers:
    """The registers at byte addresses."""

    def __init__(self, card: CardEmulator) -> None:
        self.card = card

    def read(self, offset: int) -> int:
        return self.card.read_register(offset // 4)

    def write(self, offset: int, word: int) -> None:
        self.card.write_register(offset // 4, word)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.nvnmd"
    save_model(random_model(29, m1=4, m2=2, neuron=(8, 8)), path)
    return path


@pytest.fixture
def pynq(model: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module `pynq` whose overlays have a card that is silent now and then."""
    module: Any = types.ModuleType("pynq")
    card = CardEmulator([str(model)])
    module.Overlay = lambda path: types.SimpleNamespace(dma=Dma(card, {9, 12}), card=Registers(card))
    module.allocate = lambda shape, dtype: np.zeros(shape, dtype)
    monkeypatch.setitem(sys.modules, "pynq", module)
    return module  # type: ignore[no-any-return]


def test_the_bits_of_the_cpu(model: Path, pynq: types.ModuleType, tmp_path: Path) -> None:
    card = open_card("card.bit")
    card._timeout_s = 0.05
    server = CardServer(card, str(tmp_path / "card"))
    threading.Thread(target=server.serve, daemon=True).start()
    on_card = Potential(model, threads=1, card=CardOptions(tmp_path / "card", timeout_s=0.5, atoms=8))
    positions = 3.0 * np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions += np.random.default_rng(1).uniform(-0.2, 0.2, positions.shape)
    frame = (positions, 12.0 * np.eye(3), np.arange(64) % 2)
    found, expected = (p.compute(*frame, raw=True).raw for p in (on_card, Potential(model, threads=1)))
    server.close()
    assert found is not None
    assert expected is not None
    assert np.array_equal(found.force, expected.force)
    assert found.energy == expected.energy
    counts = on_card.card_counts
    assert counts is not None
    assert sum(counts.faults.values()) > 0


def test_cells_with_other_names(pynq: types.ModuleType) -> None:
    with pytest.raises(Error, match=r"has no cell axi_dma_0; name its cells with --dma and --card"):
        open_card("card.bit", dma="axi_dma_0")


def test_without_pynq(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(Error, match="an environment of its own"):
        open_card("card.bit")
