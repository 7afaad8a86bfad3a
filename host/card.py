"""How a card is used, and what happened on the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike, fspath

from nvnmd.host._core import CardSettings

_USUAL = CardSettings()


@dataclass(frozen=True)
class CardOptions:
    """A card behind the XDMA driver, or behind a card server (docs/hardware.md).

    Attributes:
        device: what stands before ``_h2c_0``, ``_c2h_0``, ``_user`` and ``_events_0`` in the names of the
            device files or sockets; the last one may be missing.
        timeout_s: seconds without a byte from the card after which an attempt has failed.
        retries: attempts in a row that may fail before the error.
        buffers: transfers in flight.
        atoms: most atoms of a transfer; those at both ends of a step are smaller, so that the card begins early and
            little is left to do when it ends.
        patience_s: seconds to wait for a card that other processes use.
    """

    device: str | PathLike[str] = _USUAL.device
    timeout_s: float = _USUAL.timeout_s
    retries: int = _USUAL.retries
    buffers: int = _USUAL.buffers
    atoms: int = _USUAL.atoms
    patience_s: float = _USUAL.patience_s

    def settings(self, threads: int) -> CardSettings:
        """The same for the C++ runtime; ``threads`` of 0 takes ``OMP_NUM_THREADS``, or all cores."""
        settings = CardSettings()
        settings.device = fspath(self.device)
        settings.threads = threads
        for name in ("timeout_s", "retries", "buffers", "atoms", "patience_s"):
            setattr(settings, name, getattr(self, name))
        return settings


@dataclass(frozen=True)
class CardCounts:
    """What has happened on the way to a card. Every fault was followed by another attempt or by an error.

    Attributes:
        faults: by kind: ``silent``, ``corrupt``, ``sequence`` (lost, repeated or out of order), ``refused`` (a packet
            damaged on its way to the card), ``no_model`` (the card was reset), ``broken``, …
        transfers: that succeeded.
        loads: of the model.
        interrupts: of the card that told of a fault before an answer or the time limit did.
        longest_wait_s: for bytes from the card, seconds.
    """

    faults: dict[str, int]
    transfers: int
    loads: int
    interrupts: int
    longest_wait_s: float
