"""Faults of a link to a card, injected on purpose: into the packets of a transfer, or into its answers."""

from __future__ import annotations

import random
from collections.abc import Callable

PACKET_BYTES = 64


def packets(data: bytes) -> list[bytes]:
    """Cut sound packets apart."""
    return _cut(data, lambda count: 8 * -(-(count + 2) // 8))


def answers(data: bytes) -> list[bytes]:
    """Cut sound answers apart."""
    return _cut(data, lambda count: 8 * -(-(2 * count + 6) // 8))


def _cut(data: bytes, words: Callable[[int], int]) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        size = 8 * words(int.from_bytes(data[at + 4 : at + 6], "little"))
        found.append(data[at : at + size])
        at += size
    return found


def flip(parts: list[bytes], rng: random.Random) -> list[bytes]:
    """Change one to three bits of one packet."""
    at = rng.randrange(len(parts))
    damaged = bytearray(parts[at])
    for bit in rng.sample(range(8 * len(damaged)), rng.randint(1, 3)):
        damaged[bit // 8] ^= 1 << bit % 8
    return [*parts[:at], bytes(damaged), *parts[at + 1 :]]


def lose(parts: list[bytes], rng: random.Random) -> list[bytes]:
    """Leave out one packet."""
    at = rng.randrange(len(parts))
    return parts[:at] + parts[at + 1 :]


def repeat(parts: list[bytes], rng: random.Random) -> list[bytes]:
    """Send a packet that is not the last one twice; a lone one three times."""
    at = rng.randrange(max(1, len(parts) - 1))
    return [*parts[: at + 1], parts[at], *parts[at + 1 :]]


def swap(parts: list[bytes], rng: random.Random) -> list[bytes]:
    """Exchange two packets; a lone one is lost."""
    if len(parts) < 2:
        return []
    a, b = rng.sample(range(len(parts)), 2)
    swapped = list(parts)
    swapped[a], swapped[b] = parts[b], parts[a]
    return swapped


def cut(parts: list[bytes], rng: random.Random) -> list[bytes]:
    """Lose everything behind some byte."""
    data = b"".join(parts)
    return [data[: rng.randrange(1, len(data))]]


def hole(parts: list[bytes], rng: random.Random) -> list[bytes]:
    """Lose some bytes in the middle."""
    data = b"".join(parts)
    at = rng.randrange(len(data) - 1)
    return [data[:at] + data[at + rng.randrange(1, min(200, len(data) - at)) :]]


def noise(parts: list[bytes], rng: random.Random) -> list[bytes]:
    """Put random bytes before a packet."""
    at = rng.randrange(len(parts))
    return [*parts[:at], rng.randbytes(rng.randint(1, 200)), *parts[at:]]


ON_THE_WAY = {"flip": flip, "lose": lose, "repeat": repeat, "swap": swap, "cut": cut, "hole": hole, "noise": noise}
"""What a link can do to packets or to answers."""
OF_THE_CARD = ("silent", "reset", "slow")
"""No answer to a transfer; a card that forgets its model amid one; answers in small pieces with pauses."""
KINDS = (*(f"{way} {kind}" for way in ("packet", "answer") for kind in ON_THE_WAY), *OF_THE_CARD)
HARMLESS = frozenset({"slow"})
"""Faults that need no second attempt."""
