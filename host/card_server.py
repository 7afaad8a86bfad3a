"""A card behind Unix sockets: what stands in for the device files of the XDMA driver.

A server listens at ``PREFIX_h2c_0`` (a message is a transfer), ``PREFIX_c2h_0`` (a byte stream) and ``PREFIX_user``
(messages of two 32-bit words, number of a register and word to write; bit 31 of the number says that it is a write; the
answer is one word). Where the card has interrupts it also listens at ``PREFIX_events_0``: a message is a 32-bit
number of interrupts. It serves one client after the other. Standard library only, so that it runs in any environment.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

MOST_BYTES = 1 << 23
"""Of one transfer."""
_WRITE = 1 << 31
_KINDS = {"user": socket.SOCK_SEQPACKET, "h2c_0": socket.SOCK_SEQPACKET, "c2h_0": socket.SOCK_STREAM}


class Engine(Protocol):
    """Whatever answers transfers."""

    def transfer(self, data: bytes) -> Iterator[bytes]:
        """Yield the answers to one transfer in pieces of any size."""
        ...

    def read_register(self, number: int) -> int:
        """Return a register."""
        ...

    def write_register(self, number: int, word: int) -> None:
        """Write a register."""
        ...


class CardServer:
    """Serves a card at sockets.

    Args:
        engine: what answers.
        prefix: of the sockets' names; files left by a server that died are replaced.
        take_interrupts: returns how often the card has asked for an interrupt since the last call; None for a card
            without interrupts.
    """

    def __init__(self, engine: Engine, prefix: str, take_interrupts: Callable[[], int] | None = None) -> None:
        self._engine, self._prefix, self._take_interrupts = engine, prefix, take_interrupts
        self._stack = ExitStack()
        kinds = _KINDS | ({} if take_interrupts is None else {"events_0": socket.SOCK_SEQPACKET})
        self._streams = [name for name in kinds if name != "user"]
        self._listeners = {
            name: self._stack.enter_context(_listen(f"{prefix}_{name}", kind)) for name, kind in kinds.items()
        }

    def close(self) -> None:
        """Stop listening and remove the sockets."""
        self._stack.close()

    def serve(self, sessions: int | None = None) -> None:
        """Serve clients until another thread closes the server, or so many of them."""
        served, door = 0, self._listeners["user"]
        while sessions is None or served < sessions:
            try:
                user, _ = door.accept()
            except OSError:
                if door.fileno() < 0:
                    return
                raise
            with user:
                self._session(user)
            served += 1

    def run(self) -> int:
        """Say where the card is and serve until Ctrl-C; the exit code of a program that does nothing else."""
        print(f"serving {self._prefix}", flush=True)
        try:
            self.serve()
        except KeyboardInterrupt:
            return 130
        finally:
            self.close()
        return 0

    def _session(self, user: socket.socket) -> None:
        with ExitStack() as stack:
            streams: dict[str, socket.socket] = {}
            while True:
                waiting = {name: self._listeners[name] for name in self._streams if name not in streams}
                ready, _, _ = select.select([user, *waiting.values(), *streams.values()], [], [])
                try:
                    for name in [name for name, listener in waiting.items() if listener in ready]:
                        streams[name] = stack.enter_context(waiting[name].accept()[0])
                    if user in ready and not self._register(user):
                        return
                    if streams.get("c2h_0") in ready or streams.get("events_0") in ready:
                        return  # a client only ever closes them
                    if "c2h_0" in streams and streams.get("h2c_0") in ready and not self._transfer(**streams):
                        return
                    self._interrupt(streams.get("events_0"))
                except (ConnectionError, BrokenPipeError):
                    return

    def _register(self, user: socket.socket) -> bool:
        question = user.recv(8)
        if len(question) != 8:
            return False
        number, word = struct.unpack("<II", question)
        if number & _WRITE:
            self._engine.write_register(number & ~_WRITE, word)
        else:
            word = self._engine.read_register(number)
        user.sendall(struct.pack("<I", word))
        return True

    def _transfer(self, h2c_0: socket.socket, c2h_0: socket.socket, **_: socket.socket) -> bool:
        data = h2c_0.recv(MOST_BYTES)
        if not data:
            return False
        for piece in self._engine.transfer(data):
            c2h_0.sendall(piece)
        return True

    def _interrupt(self, events: socket.socket | None) -> None:
        count = self._take_interrupts() if self._take_interrupts is not None else 0
        if count and events is not None:
            with suppress(BlockingIOError):  # one more changes nothing for a client that has not read the last ones
                events.send(struct.pack("<I", count), socket.MSG_DONTWAIT)


@contextmanager
def _listen(path: str, kind: socket.SocketKind) -> Iterator[socket.socket]:
    file = Path(path)
    file.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, kind) as listener:
        listener.bind(path)
        listener.listen(64)
        try:
            yield listener
        finally:
            file.unlink(missing_ok=True)
