"""What asks for an interrupt: sticky flags with a mask that outlives a reset, and the request to the PCIe bridge."""

import random

import pytest
from harnesses import harnessed

pytestmark = pytest.mark.hw
EVENTS = harnessed(
    "card_events_harness", ("s_reset", "s_answered", "s_status", "s_write", "s_mask"), ("m_flags", "m_level")
)
REQUEST = harnessed("interrupt_request_harness", ("s_level", "s_ack"), ("m_request",))
NOTHING = {"s_reset": 0, "s_answered": 0, "s_status": 0, "s_write": 0, "s_mask": 0}
QUIET = 15


def answered(status: int) -> dict[str, int]:
    return NOTHING | {"s_answered": 1, "s_status": status}


def enable(mask: int) -> dict[str, int]:
    return NOTHING | {"s_write": 1, "s_mask": mask}


RESET = NOTHING | {"s_reset": 1}


def played(beats: list[dict[str, int]]) -> tuple[list[int], list[int]]:
    """Flags and level, as they are in the cycle of every beat."""
    run = EVENTS.run(beats, len(beats))
    assert run.entered == list(range(run.entered[0], run.entered[0] + len(beats)))
    return [beat["m_flags"] for beat in run.beats], [beat["m_level"] for beat in run.beats]


def test_flags_are_sticky_and_a_write_forgets_them() -> None:
    flags, _ = played([NOTHING, answered(0), answered(3), answered(9), answered(7), enable(0), answered(2), NOTHING])
    assert flags == [1, 1, 1, 1 | 8, 1 | 8, 1 | 8 | 128, 0, 4]


def test_nothing_is_asked_for_by_default() -> None:
    _, level = played([answered(n % 8) for n in range(50)])
    assert not any(level)


@pytest.mark.parametrize(("event", "bit"), [(RESET, 0), *((answered(n), n) for n in range(1, 8))])
def test_an_enabled_event_asks_until_the_host_writes(event: dict[str, int], bit: int) -> None:
    others = [answered(n) for n in range(1, 8) if n != bit]
    before = [enable(1 << bit), *[NOTHING] * 20, *others]
    _, level = played([*before, event, *[NOTHING] * 9, enable(1 << bit), *[NOTHING] * 30])
    raised = len(before) + 2
    assert level == [0] * raised + [1] * 9 + [0] * 30


def test_a_reset_keeps_the_mask() -> None:
    _, level = played([enable(2), RESET, *[NOTHING] * 20, answered(1), NOTHING, NOTHING])
    assert level == [0] * 24 + [1]


def test_an_event_beside_the_write_is_kept_and_the_level_falls() -> None:
    both = enable(4) | {"s_answered": 1, "s_status": 2}
    flags, level = played([enable(4), *[NOTHING] * 20, answered(2), NOTHING, NOTHING, both, *[NOTHING] * 30])
    assert flags[25:] == [4] * 30
    assert level[20:] == [0] * 3 + [1] * 2 + [0] * (QUIET + 1) + [1] * (55 - 25 - QUIET - 1)


def test_a_random_mix_of_events() -> None:
    rng = random.Random(1)
    beats = [
        {
            "s_reset": int(rng.random() < 0.01),
            "s_answered": int(rng.random() < 0.2),
            "s_status": rng.randrange(10),
            "s_write": int(rng.random() < 0.05),
            "s_mask": rng.randrange(256),
        }
        for _ in range(2000)
    ]
    flags, enabled, quiet, level, wanted = 1, 0, 0, 0, []
    for beat in beats:
        wanted.append((flags, level))
        write = beat["s_write"]
        level = int(bool(flags & enabled) and not write and quiet == 0)
        happened = (1 << beat["s_status"]) & 0xFE if beat["s_answered"] else 0
        flags = 1 if beat["s_reset"] else (0 if write else flags) | happened
        enabled = beat["s_mask"] if write else enabled
        quiet = 0 if beat["s_reset"] else QUIET if write else max(quiet - 1, 0)
    assert list(zip(*played(beats), strict=True)) == wanted
    assert any(level for _, level in wanted)


def request(levels: str, acks: str) -> str:
    """The request in every cycle."""
    beats = [{"s_level": int(level), "s_ack": int(ack)} for level, ack in zip(levels, acks, strict=True)]
    run = REQUEST.run(beats, len(beats))
    return "".join(str(beat["m_request"]) for beat in run.beats)


@pytest.mark.parametrize(
    ("levels", "acks", "wanted"),
    [
        ("011111110000000", "000001000000000", "000011111110000"),  # sent, then seen to
        ("011100000000000", "000000001000000", "000011111000000"),  # seen to before it was sent
        ("011111110000000", "000000000000000", "000011111111111"),  # never sent
        ("011110000111111", "000010000000000", "000011110000111"),  # a second event
        ("011001100000000", "000000000001000", "000011111111000"),  # one interrupt for both
        ("000000000000000", "001100000000000", "000000000000000"),  # an acknowledgement of nothing
    ],
)
def test_requests(levels: str, acks: str, wanted: str) -> None:
    assert request(levels, acks) == wanted
