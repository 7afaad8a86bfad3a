"""A card under PYNQ: ``python -m nvnmd.host.pynq_card card.bit --device PREFIX`` serves it at sockets.

PYNQ wants an older numpy than the rest of nvnmd, so it lives in an environment of its own (``pip install pynq`` and
``pip install --no-deps nvnmd`` there), and programs in another environment reach the card through the sockets. The
overlay has an AXI DMA in simple mode between memory and the card's streams, and the card's registers on AXI4-Lite.
Never run on a board: tested against stand-ins for PYNQ's classes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from nvnmd.host._core import Error
from nvnmd.host.card_server import CardServer


class PynqCard:
    """An engine (``card_server.Engine``) over PYNQ's DMA and registers.

    Args:
        dma: PYNQ's driver of the DMA, with ``sendchannel`` and ``recvchannel``.
        registers: anything with ``read(offset)`` and ``write(offset, word)``, as PYNQ's drivers have.
        allocate: ``pynq.allocate``.
        most_bytes: of a transfer or of its answers.
        timeout_s: for the answers to one transfer; then nothing is answered, and the host tries again.
    """

    def __init__(
        self, dma: Any, registers: Any, allocate: Any, most_bytes: int = 1 << 21, timeout_s: float = 1.0
    ) -> None:
        self._dma, self._registers, self._timeout_s = dma, registers, timeout_s
        self._out = allocate(shape=(most_bytes,), dtype=np.uint8)
        self._in = allocate(shape=(most_bytes,), dtype=np.uint8)

    def transfer(self, data: bytes) -> Iterator[bytes]:
        """Yield the answers to one transfer, which end with the card's TLAST.

        Raises:
            Error: a transfer that is larger than the buffers.
        """
        if len(data) > len(self._out):
            raise Error(f"a transfer of {len(data)} bytes does not fit {len(self._out)}; use fewer atoms a transfer")
        receive, send = self._dma.recvchannel, self._dma.sendchannel
        receive.transfer(self._in)
        self._out[: len(data)] = np.frombuffer(data, np.uint8)
        send.transfer(self._out, nbytes=len(data))
        deadline = time.monotonic() + self._timeout_s
        while not (send.idle and receive.idle):
            if time.monotonic() > deadline:
                for channel in (send, receive):
                    channel.stop()
                    channel.start()
                return
        yield bytes(self._in[: receive.transferred])

    def read_register(self, number: int) -> int:
        """Return a register."""
        return int(self._registers.read(4 * number))

    def write_register(self, number: int, word: int) -> None:
        """Write a register."""
        self._registers.write(4 * number, word)


def open_card(bitstream: str, dma: str = "dma", card: str = "card") -> PynqCard:
    """Load an overlay and return its card.

    Args:
        bitstream: file of the overlay.
        dma, card: names of the two cells in its block design.

    Raises:
        Error: PYNQ is not installed here, or the overlay has no such cells.
    """
    try:
        import pynq
    except ImportError as error:
        raise Error(
            f"PYNQ is needed here ({error}); give it an environment of its own: pip install pynq, "
            "pip install --no-deps nvnmd"
        ) from error
    overlay = pynq.Overlay(bitstream)
    missing = [name for name in (dma, card) if not hasattr(overlay, name)]
    if missing:
        raise Error(f"the overlay {bitstream} has no cell {', '.join(missing)}; name its cells with --dma and --card")
    return PynqCard(getattr(overlay, dma), getattr(overlay, card), pynq.allocate)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m nvnmd.host.pynq_card", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("bitstream", help="file of the overlay")
    parser.add_argument("--device", required=True, metavar="PREFIX", help="where the sockets go: PREFIX_h2c_0, …")
    parser.add_argument("--dma", default="dma", help="cell of the AXI DMA")
    parser.add_argument("--card", default="card", help="cell of the card")
    given = parser.parse_args()
    try:
        server = CardServer(open_card(given.bitstream, given.dma, given.card), given.device)
    except Error as error:
        parser.exit(2, f"nvnmd: {error}\n")
    parser.exit(server.run())


if __name__ == "__main__":
    main()
