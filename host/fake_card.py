"""A card that is none: ``python -m nvnmd.host.fake_card MODEL --device PREFIX`` answers with the CPU's kernels.

With ``--faults`` it damages transfers on purpose and writes down which, so that tests can account for each.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nvnmd.host import faults
from nvnmd.host._core import CardEmulator, Error
from nvnmd.host.card_server import CardServer


class FakeCard:
    """An engine (``card_server.Engine``) over an emulated card, with faults.

    Args:
        card: answers bytes and has registers, as ``CardEmulator``.
        kinds: faults to inject, of ``faults.KINDS``.
        rate: probability that a transfer gets one.
        most: faults in all; None for no limit.
        seed: of the choice.
        log: a line for every fault, and ``marker`` where the host brings itself back into step.
        pause_s: between the pieces of a slow answer.
        load_too: whether loads get faults as well.
    """

    def __init__(
        self,
        card: Any,
        *,
        kinds: tuple[str, ...] = faults.KINDS,
        rate: float = 0.0,
        most: int | None = None,
        seed: int = 0,
        log: Path | None = None,
        pause_s: float = 0.002,
        load_too: bool = False,
    ) -> None:
        if unknown := sorted(set(kinds) - set(faults.KINDS)):
            raise Error(f"unknown faults {', '.join(unknown)}; there are {', '.join(faults.KINDS)}")
        self._card, self._kinds, self._rate, self._left = card, kinds, rate, most
        self._rng, self._pause_s, self._load_too = random.Random(seed), pause_s, load_too
        self._log = None if log is None else log.open("a", encoding="ascii", buffering=1)

    def transfer(self, data: bytes) -> Iterator[bytes]:
        """Yield the answers, or what is left of them."""
        if len(data) == faults.PACKET_BYTES and data[2] == 1 and not any(data[3:6]):
            self._note("marker")
            yield self._card.transfer(data)
            return
        kind = self._choose(data)
        if kind is None:
            yield self._card.transfer(data)
            return
        self._note(kind)
        yield from self._spoil(data, kind)

    def read_register(self, number: int) -> int:
        """Return a register."""
        return int(self._card.read_register(number))

    def write_register(self, number: int, word: int) -> None:
        """Write a register."""
        self._card.write_register(number, word)

    def take_interrupts(self) -> int:
        """Return how often the card has asked for an interrupt since the last call."""
        return int(self._card.take_interrupts())

    def _choose(self, data: bytes) -> str | None:
        if self._left == 0 or (data[2] != 1 and not self._load_too) or self._rng.random() >= self._rate:
            return None
        if self._left is not None:
            self._left -= 1
        return self._rng.choice(self._kinds)

    def _spoil(self, data: bytes, kind: str) -> Iterator[bytes]:
        way, _, what = kind.partition(" ")
        if way == "packet":
            yield self._card.transfer(b"".join(faults.ON_THE_WAY[what](faults.packets(data), self._rng)))
            return
        answer = self._card.transfer(data)
        if way == "answer":
            yield b"".join(faults.ON_THE_WAY[what](faults.answers(answer), self._rng))
        elif way == "slow":
            for at in range(0, len(answer), 4096):
                yield answer[at : at + 4096]
                time.sleep(self._pause_s)
        elif way == "reset":
            self._card.reset()
            yield answer[: self._rng.randrange(len(answer))]

    def _note(self, what: str) -> None:
        if self._log is not None:
            self._log.write(what + "\n")


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m nvnmd.host.fake_card", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("models", nargs="+", help="models that the card can be loaded with; the first fixes its sizes")
    parser.add_argument("--device", required=True, metavar="PREFIX", help="where the sockets go: PREFIX_h2c_0, …")
    parser.add_argument("--identity", type=int, default=1, help="of the configuration")
    parser.add_argument("--faults", default="", help=f"comma-separated, or 'all': {', '.join(faults.KINDS)}")
    parser.add_argument("--rate", type=float, default=1.0, help="share of transfers that get a fault")
    parser.add_argument("--most", type=int, help="faults in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="a line for every fault")
    parser.add_argument("--load-too", action="store_true", help="damage the loading of models as well")
    given = parser.parse_args()
    wanted = faults.KINDS if given.faults == "all" else tuple(filter(None, given.faults.split(",")))
    card = FakeCard(
        CardEmulator(given.models, identity=given.identity),
        kinds=wanted,
        rate=given.rate if wanted else 0.0,
        most=given.most,
        seed=given.seed,
        log=given.log,
        load_too=given.load_too,
    )
    sys.exit(CardServer(card, given.device, card.take_interrupts).run())


if __name__ == "__main__":
    main()
