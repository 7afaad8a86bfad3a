"""Models on a card: the bits of the CPU, whatever happens on the way; a fake card stands behind Unix sockets."""

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nvnmd.fpga.configuration import configuration_for
from nvnmd.fpga.load import encode_load
from nvnmd.fpga.registers import SIZES, Register
from nvnmd.host import CardCounts, CardOptions, Error, Potential, RawResult, faults
from nvnmd.host._core import CardEmulator, load_packets
from nvnmd.host.card_server import CardServer
from nvnmd.host.fake_card import FakeCard
from nvnmd.quantize.model_file import load_model, save_model
from nvnmd.quantize.testing import random_model
from nvnmd.sim import HostModel

QUICK = {"timeout_s": 0.05, "retries": 60, "atoms": 4, "buffers": 4}
"""A short time limit, so that faults cost little, and so many attempts that a busy machine is no failure."""
Start = Callable[..., Path]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model so small that the way to the card is what takes time."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.nvnmd"
    save_model(random_model(29, m1=4, m2=2, neuron=(8, 8)), path)
    return path


class Frames:
    """Shaken rocksalt blocks of 64 atoms."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._grid = 3.0 * np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)

    def evaluate(self, *potentials: Potential) -> list[RawResult]:
        """The next frame on each of them."""
        positions = self._grid + self._rng.uniform(-0.2, 0.2, self._grid.shape)
        types = np.arange(len(positions)) % 2
        return [p.compute(positions, 12.0 * np.eye(3), types, atom_virials=True, raw=True).raw for p in potentials]


def require_same(found: RawResult, expected: RawResult) -> None:
    assert found.energy == expected.energy
    assert found.clipped == expected.clipped
    assert found.too_close == expected.too_close
    for name in ("atom_energy", "force", "virial", "atom_virial"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def recoveries(log: Path) -> tuple[int, int, int]:
    """Faults injected, those of them that need no second attempt, and recoveries; one follows every other fault."""
    lines = log.read_text().splitlines() if log.exists() else []
    waiting = False
    for line in lines:
        waiting = False if line == "marker" else waiting or line not in faults.HARMLESS
    assert not waiting, "the host finished without noticing the last fault"
    found = [line for line in lines if line != "marker"]
    return len(found), sum(line in faults.HARMLESS for line in found), len(lines) - len(found)


def test_transfers_are_those_of_the_simulated_host(tiny: Path, fake_card: Start) -> None:
    cut, found, expected = HostModel().transfers(), 0, 0
    for end in (32, 64):  # atoms are sorted by type, and a transfer has one type
        while found < end:
            found += min(end - found, cut.next(found, 64 - found))
            expected += 1
    card = Potential(tiny, threads=1, card=CardOptions(fake_card(tiny)))
    Frames().evaluate(card)
    assert card.card_counts is not None
    assert card.card_counts.transfers == expected > 2


@pytest.mark.parametrize("shape", [{"threads": 1}, {"threads": 3}, {"buffers": 1}, {"atoms": 1}, {"atoms": 1000}])
def test_the_bits_of_the_cpu(tiny: Path, fake_card: Start, shape: dict[str, int]) -> None:
    options = {key: value for key, value in shape.items() if key != "threads"}
    card = Potential(tiny, threads=shape.get("threads", 2), card=CardOptions(fake_card(tiny), **options))
    cpu, frames = Potential(tiny, threads=1), Frames()
    for _ in range(5):
        require_same(*frames.evaluate(card, cpu))
    assert card.card_counts is not None
    assert not any(card.card_counts.faults.values())
    assert card.card_counts.loads == 1
    assert cpu.card_counts is None
    assert card.description.startswith("xdma (")


def check_faults(start: Start, model: Path, log: Path, kinds: str, count: int) -> Potential:
    device = start(model, faults=kinds, rate=0.5, most=count, seed=count, log=log)
    card = Potential(model, threads=1, card=CardOptions(device, **QUICK))
    cpu, frames = Potential(model, threads=1), Frames()
    while recoveries(log)[0] < count:
        require_same(*frames.evaluate(card, cpu))
    require_same(*frames.evaluate(card, cpu))
    injected, harmless, mended = recoveries(log)
    assert injected == count
    assert card.card_counts is not None
    assert mended >= (injected > harmless)
    assert sum(card.card_counts.faults.values()) >= (mended > 0)
    return card


@pytest.mark.parametrize("kind", faults.KINDS)
def test_every_kind_of_fault(tiny: Path, fake_card: Start, tmp_path: Path, kind: str) -> None:
    card = check_faults(fake_card, tiny, tmp_path / "log", kind, 10)
    counts = card.card_counts
    assert counts is not None
    assert (sum(counts.faults.values()) == 0) == (kind in faults.HARMLESS) or kind == "slow"
    assert (counts.loads > 1) == (kind == "reset")


def test_a_thousand_faults(tiny: Path, fake_card: Start, tmp_path: Path) -> None:
    check_faults(fake_card, tiny, tmp_path / "log", "all", 1000)


@pytest.mark.slow
def test_ten_thousand_faults(tiny: Path, fake_card: Start, tmp_path: Path) -> None:
    card = check_faults(fake_card, tiny, tmp_path / "log", "all", 10_000)
    print(card.card_counts, recoveries(tmp_path / "log"))


def test_faults_while_loading(tiny: Path, fake_card: Start, tmp_path: Path) -> None:
    device = fake_card(tiny, faults="all", rate=0.05, seed=3, log=tmp_path / "log", load_too=True)
    cpu, frames = Potential(tiny, threads=1), Frames()
    for _ in range(5):
        card = Potential(tiny, threads=1, card=CardOptions(device, **QUICK))
        require_same(*frames.evaluate(card, cpu))
    assert recoveries(tmp_path / "log")[0] > 5


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("silent", {"silent"}),
        ("answer flip", {"corrupt", "sequence", "refused"}),
        ("answer lose", {"sequence", "silent"}),
        ("packet flip", {"refused"}),
        ("reset", {"no_model", "silent", "corrupt", "sequence"}),
    ],
)
def test_faults_without_end_are_an_error_in_time(tiny: Path, fake_card: Start, kind: str, named: set[str]) -> None:
    device = fake_card(tiny, faults=kind)
    options = CardOptions(device, timeout_s=0.1, retries=3, atoms=16)
    start = time.monotonic()
    with pytest.raises(Error, match=r"card at .*attempts") as caught:
        Frames().evaluate(Potential(tiny, threads=1, card=options))
    assert caught.value.code == "device"
    assert caught.value.fault in named
    assert time.monotonic() - start < 10.0


class LateRegisters:
    """An emulated card; every seventh of the first questions for a register waits longer than the host does."""

    def __init__(self, model: Path, pause_s: float = 0.5) -> None:
        self._card = CardEmulator([str(model)])
        self._asked, self._pause_s = 0, pause_s
        self.write_register = self._card.write_register

    def transfer(self, data: bytes) -> list[bytes]:
        return [self._card.transfer(data)]

    def read_register(self, number: int) -> int:
        self._asked += 1
        if self._asked % 7 == 0 and self._asked < 50:
            time.sleep(self._pause_s)
        return self._card.read_register(number)


def test_a_late_register_is_not_taken_for_the_next(tiny: Path, tmp_path: Path) -> None:
    server = CardServer(LateRegisters(tiny), str(tmp_path / "card"))
    threading.Thread(target=server.serve, daemon=True).start()
    options = CardOptions(tmp_path / "card", timeout_s=0.2, retries=60)
    card, cpu = (Potential(tiny, threads=1, **more) for more in ({"card": options}, {}))
    require_same(*Frames().evaluate(card, cpu))
    assert card.card_counts is not None
    assert card.card_counts.faults["broken"] >= 3
    server.close()


def resetting_card(model: Path, tmp_path: Path, alter: Callable[[int], int] | None) -> CardServer:
    """Serves a card that is reset five times; ``alter`` changes what is heard of its interrupts."""
    card = FakeCard(CardEmulator([str(model)]), kinds=("reset",), rate=0.2, most=5, seed=2, log=tmp_path / "log")
    take = None if alter is None else lambda: alter(card.take_interrupts())
    server = CardServer(card, str(tmp_path / "card"), take)
    threading.Thread(target=server.serve, daemon=True).start()
    return server


def counts_after_resets(model: Path, tmp_path: Path, timeout_s: float) -> CardCounts:
    options = CardOptions(tmp_path / "card", timeout_s=timeout_s, retries=60, atoms=4, buffers=1)
    card, cpu = (Potential(model, threads=1, **more) for more in ({"card": options}, {}))
    frames = Frames()
    while recoveries(tmp_path / "log")[0] < 5:
        require_same(*frames.evaluate(card, cpu))
    require_same(*frames.evaluate(card, cpu))
    assert card.card_counts is not None
    return card.card_counts


class Repeated:
    """Hears of every interrupt twice, and of some that never were."""

    def __init__(self) -> None:
        self._calls, self._last = 0, 0

    def __call__(self, count: int) -> int:
        self._calls, heard = self._calls + 1, count + self._last
        self._last = count
        return heard + (self._calls % 5 == 0)


@pytest.mark.parametrize(
    "alter", [lambda count: count, Repeated()], ids=["as they are", "repeated and without a cause"]
)
def test_an_interrupt_tells_of_a_reset_long_before_the_time_limit(
    tiny: Path, tmp_path: Path, alter: Callable[[int], int]
) -> None:
    server = resetting_card(tiny, tmp_path, alter)
    counts = counts_after_resets(tiny, tmp_path, timeout_s=300.0)
    server.close()
    assert counts.interrupts == 5
    assert {fault: count for fault, count in counts.faults.items() if count} == {"no_model": 5}


@pytest.mark.parametrize("way", ["no interrupt comes", "no file", "a file that never has any"])
def test_without_interrupts_the_time_limit_tells(tiny: Path, tmp_path: Path, way: str) -> None:
    server = resetting_card(tiny, tmp_path, (lambda count: 0) if way == "no interrupt comes" else None)
    assert (tmp_path / "card_events_0").exists() == (way == "no interrupt comes")
    if way == "a file that never has any":
        (tmp_path / "card_events_0").touch()
    counts = counts_after_resets(tiny, tmp_path, timeout_s=0.1)
    server.close()
    assert counts.interrupts == 0
    assert counts.faults["silent"] >= 5


def test_interrupts_without_a_cause_do_nothing(tiny: Path, tmp_path: Path) -> None:
    server = CardServer(LateRegisters(tiny, pause_s=0.0), str(tmp_path / "card"), lambda: 1)
    threading.Thread(target=server.serve, daemon=True).start()
    card, cpu = (Potential(tiny, threads=1, **more) for more in ({"card": CardOptions(tmp_path / "card")}, {}))
    require_same(*Frames().evaluate(card, cpu))
    server.close()
    assert card.card_counts is not None
    assert card.card_counts.interrupts == 0
    assert not any(card.card_counts.faults.values())


def test_an_error_leaves_the_card_usable(tiny: Path, fake_card: Start) -> None:
    device = fake_card(tiny)
    card, cpu = (Potential(tiny, threads=1, **more) for more in ({"card": CardOptions(device, **QUICK)}, {}))
    frames = Frames()
    with pytest.raises(Error, match="apart"):
        card.compute(np.zeros((8, 3)) + np.arange(8)[:, None] * 0.01, 12.0 * np.eye(3), np.zeros(8, int))
    require_same(*frames.evaluate(card, cpu))


def test_a_server_that_dies_and_returns(tiny: Path, fake_card: Start) -> None:
    device = fake_card(tiny)
    card, cpu = (Potential(tiny, threads=1, **more) for more in ({"card": CardOptions(device, **QUICK)}, {}))
    frames = Frames()
    require_same(*frames.evaluate(card, cpu))
    fake_card(tiny)  # takes the place of the first one's sockets
    require_same(*frames.evaluate(card, cpu))
    for name in ("user", "h2c_0", "c2h_0", "events_0"):
        Path(f"{device}_{name}").unlink()
    with pytest.raises(Error, match="there is no card at") as caught:
        frames.evaluate(card)
    assert caught.value.fault == "missing"


def test_two_clients_with_two_models_share_a_card(tiny: Path, fake_card: Start, tmp_path: Path) -> None:
    other = tmp_path / "other.nvnmd"
    save_model(random_model(30, m1=4, m2=2, neuron=(8, 8)), other)
    device = fake_card(tiny, other)
    problems: list[BaseException] = []

    def work(model: Path, seed: int) -> None:
        try:
            card, cpu = (Potential(model, threads=1, **more) for more in ({"card": CardOptions(device)}, {}))
            frames = Frames(seed)
            for _ in range(10):
                require_same(*frames.evaluate(card, cpu))
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=pair) for pair in ((tiny, 1), (other, 2), (tiny, 3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


def test_a_card_that_somebody_else_holds(tiny: Path, fake_card: Start) -> None:
    device = fake_card(tiny)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
        other.connect(f"{device}_user")
        other.sendall(struct.pack("<II", 0, 0))
        assert other.recv(4) == b"NVMD"
        with pytest.raises(Error, match="another process has held") as caught:
            Potential(tiny, card=CardOptions(device, patience_s=0.2))
        assert caught.value.fault == "busy"
    assert Potential(tiny, card=CardOptions(device)).card_counts is not None


def test_no_card_is_advice(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"there is no card at .*_user .*modprobe xdma.*ls /dev/xdma") as caught:
        Potential(tiny, card=CardOptions(tmp_path / "nothing"))
    assert caught.value.fault == "missing"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_no_permission_is_advice(tiny: Path) -> None:
    script = (
        "import os, sys; from nvnmd.host import *; device = sys.argv[2]; open(device + '_user', 'w').close();"
        "os.chmod(device + '_user', 0o600); model = sys.argv[1]; os.setuid(65534);"
        "from nvnmd.host import _core; settings = CardOptions(device).settings(1)\n"
        "try: _core.Core(model, settings)\n"
        "except Error as error: print(error.fault, error)"
    )
    folder = Path("/tmp") / f"nvnmd-card-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        model = folder / "tiny.nvnmd"
        model.write_bytes(tiny.read_bytes())
        command = [sys.executable, "-c", script, str(model), str(folder / "card")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    assert done.stdout.startswith("permission this user may not open"), done.stdout + done.stderr
    assert "udev rule" in done.stdout


def test_a_file_that_is_no_card(tiny: Path, tmp_path: Path) -> None:
    for name in ("user", "h2c_0", "c2h_0"):
        (tmp_path / f"card_{name}").write_bytes(bytes(256))
    with pytest.raises(Error, match="no accelerator answers") as caught:
        Potential(tiny, card=CardOptions(tmp_path / "card"))
    assert caught.value.fault == "unusable"


def test_a_model_that_the_card_cannot_hold(model_path: Path, tiny: Path, fake_card: Start) -> None:
    with pytest.raises(Error, match="the card is built for m1 = 4, the model has 32") as caught:
        Potential(model_path, card=CardOptions(fake_card(tiny)))
    assert caught.value.fault == "unusable"


@pytest.mark.parametrize("option", [{"buffers": 0}, {"atoms": 0}, {"retries": -1}, {"timeout_s": 0.0}])
def test_options_out_of_range(tiny: Path, option: dict[str, float]) -> None:
    with pytest.raises(Error, match="must be"):
        Potential(tiny, card=CardOptions(**option))  # type: ignore[arg-type]


@pytest.mark.parametrize("lanes", [1, 3, 5, 8])
@pytest.mark.parametrize("shape", [{}, {"gated": True}, {"guard": False, "type_map": ("Sb",)}])
def test_loads_are_those_of_the_fpga_room(tmp_path: Path, shape: dict[str, object], lanes: int) -> None:
    save_model(random_model(5, m1=8, m2=2, neuron=(12, 12, 12), **shape), tmp_path / "model.nvnmd")
    model = load_model(tmp_path / "model.nvnmd")
    exact = configuration_for(model, fitting_lanes=lanes)
    roomy = configuration_for(model, fitting_lanes=lanes, segments=exact.segments + 7, guard_segments=50, types=4)
    for card in (exact, roomy):
        registers = {Register.MAGIC: 0x444D564E, Register.VERSION: 1, Register.IDENTITY: card.identity}
        registers |= {Register.TYPES: card.types, Register.MAX_BODY: card.max_body}
        registers |= {Register.SIZES + n: int(getattr(card, name)) for n, name in enumerate(SIZES)}
        words = {int(number): int(word) for number, word in registers.items()}
        assert load_packets(str(tmp_path / "model.nvnmd"), words, 7) == encode_load(model, card, 7)
