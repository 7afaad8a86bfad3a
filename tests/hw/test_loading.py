"""dispatch and loader, each by itself: the fence between atoms and loads, and what becomes of load packets."""

from typing import Any

import numpy as np
import pytest
from harnesses import harnessed
from rtl_cases import TRAFFIC

from nvnmd.fpga.stream import Kind, Status
from nvnmd.fpga.verilate import pack

pytestmark = pytest.mark.hw
IDENTITY = 0xC0FFEE
RECORD = ("forces", "status", "kind", "count", "sequence", "end")
OUTPUTS = (*(f"m_{name}" for name in RECORD), "m_mixed", "m_atom_sum", "m_load_sum")
INPUTS = ("body", "status", "kind", "type", "count", "sequence", "end", "last", "none", "word")
DISPATCH = harnessed(
    "dispatch_harness", tuple(f"s_{n}" for n in INPUTS), OUTPUTS, statics=("model", "refuse"), parameters={"LANES": 2}
)


def packets() -> list[dict[str, int]]:
    """Headers as packet_in gives them: runs of atoms, loads in between, and packets that are not sound."""
    rng, found = np.random.default_rng(4), []
    kinds = [1] * 6 + [2, 3, 3, 4] + [1] * 9 + [2] + [1, 1] + [4, 4] + [1] * 5
    for sequence, kind in enumerate(kinds, start=1):
        bad = sequence in (3, 9, 16)
        found.append(
            {"status": int(Status.BAD_CHECKSUM if bad else Status.OK), "kind": kind, "type": int(rng.integers(2))}
            | {"count": int(rng.integers(0, 6)), "sequence": 0 if bad else sequence, "end": int(rng.random() < 0.3)}
        )
    return found


def beats(packet: dict[str, int], words: list[int]) -> list[dict[str, int]]:
    """The header and, of a sound packet, two words a beat."""
    nothing = dict.fromkeys((f"s_{name}" for name in INPUTS), 0)
    found = [nothing | {f"s_{key}": value for key, value in packet.items()}]
    if packet["status"] == Status.OK:
        for at in range(0, len(words) + 1, 2):
            pair = [*words[at : at + 2], 0, 0][:2]
            none = pack([int(at + lane >= len(words)) for lane in range(2)], 1)
            beat = {"s_body": 1, "s_last": int(at + 2 > len(words)), "s_none": none, "s_word": pack(pair, 64)}
            found.append(nothing | beat)
    return found


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("model", "refuse"), [(1, 0), (1, 1), (0, 0)])
def test_packets_go_where_they_belong_and_never_mix(model: int, refuse: int, traffic: dict[str, Any]) -> None:
    rng, stream, wanted = np.random.default_rng(5), [], []
    atom_sum = load_sum = 0
    for packet in packets():
        words = rng.integers(0, 1 << 60, packet["count"]).tolist()
        stream += beats(packet, words)
        is_atom, ok = packet["kind"] == Kind.ATOM, packet["status"] == Status.OK
        count = len(words) // 2 + 1  # beats
        if ok and is_atom and model:
            atom_sum += sum(words) + packet["type"] * count
        if ok and not is_atom:
            load_sum += sum(words) + packet["kind"] * count
        status = packet["status"]
        if ok:
            status = Status.NO_MODEL if is_atom and not model else Status.BAD_LOAD if refuse and not is_atom else status
        record = packet | {"status": int(status), "forces": int(ok and is_atom and bool(model))}
        wanted.append(({key: record[key] for key in RECORD}, load_sum))
    run = DISPATCH.run(stream, len(wanted), statics={"model": model, "refuse": refuse}, **traffic)
    assert [{key: beat[f"m_{key}"] for key in RECORD} for beat in run.beats] == [record for record, _ in wanted]
    assert not any(beat["m_mixed"] for beat in run.beats), "a load and an atom were under way at once"
    assert run.beats[-1]["m_atom_sum"] == atom_sum % (1 << 64)
    for beat, (record, total) in zip(run.beats, wanted, strict=True):
        if record["kind"] != Kind.ATOM:
            assert beat["m_load_sum"] >= total, "answered after it was written"
    assert run.beats[-1]["m_load_sum"] == load_sum % (1 << 64)


def loader(lanes: int) -> Any:
    return harnessed(
        "loader_harness",
        ("s_kind", "s_word", "s_none", "s_last"),
        tuple(f"m_{n}" for n in ("write", "target", "index", "row", "data", "done", "refused", "model", "tag")),
        parameters={"LANES": lanes, "DATA_W": 128, "ROW_WORDS": 2, "IDENTITY": IDENTITY},
    )


def load(
    rows: int, *, words: int = 2, said: int | None = None, identity: int = IDENTITY
) -> list[tuple[int, list[int]]]:
    """Bodies of a load with so many rows; ``said`` of them at its end."""
    rng = np.random.default_rng(rows)
    body = [9 | words << 8 | 3 << 16 | 40 << 32, *rng.integers(0, 1 << 62, rows * words).tolist()]
    ends = [rows if said is None else said]
    return [(Kind.LOAD_BEGIN, [identity | 0xABCD << 32]), (Kind.LOAD_ROWS, body), (Kind.LOAD_END, ends)]


def play(lanes: int, bodies: list[tuple[int, list[int]]], expected: int, **traffic: Any) -> list[dict[str, int]]:
    stream = []
    for kind, body in bodies:
        shifted = [0, *body] if lanes > 1 else body  # the header's lane
        for at in range(0, len(shifted), lanes):
            cut = shifted[at : at + lanes]
            none = [int((lanes > 1 and at + k == 0) or k >= len(cut)) for k in range(lanes)]
            beat = {"s_kind": kind, "s_word": pack([*cut, *[0] * (lanes - len(cut))], 64), "s_none": pack(none, 1)}
            stream.append(beat | {"s_last": int(at + lanes >= len(shifted))})
    return loader(lanes).run(stream, expected, **traffic).beats


@pytest.mark.parametrize("idle", [0.0, 0.5])
@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_rows_are_written_once_and_the_model_is_there(lanes: int, idle: float) -> None:
    bodies = load(5)
    found = play(lanes, bodies, 7, idle=idle)
    writes, done = [b for b in found if b["m_write"]], [b for b in found if b["m_done"]]
    data = [pack(bodies[1][1][1 + 2 * n : 3 + 2 * n], 64) for n in range(5)]
    assert [b["m_data"] for b in writes] == data
    assert [b["m_row"] for b in writes] == [40, 41, 42, 43, 44]
    assert all((b["m_target"], b["m_index"]) == (9, 3) for b in writes)
    assert [(b["m_refused"], b["m_model"], b["m_tag"]) for b in done] == [
        (0, 0, 0xABCD),
        (0, 0, 0xABCD),
        (0, 1, 0xABCD),
    ]


@pytest.mark.parametrize(
    ("bodies", "refused", "model"),
    [
        (load(3, said=4), [0, 0, 1], 0),
        (load(3, identity=IDENTITY + 1), [1, 1, 1], 0),
        (load(3)[1:], [1, 1], 0),
        (load(2, words=3), [0, 1, 1], 0),
        ([*load(3), (Kind.LOAD_ROWS, load(1)[1][1])], [0, 0, 0, 1], 0),
        ([load(3)[0], (Kind.LOAD_ROWS, load(3)[1][1][:-1]), load(3)[2]], [0, 1, 1], 0),
        ([*load(3), *load(2)], [0, 0, 0, 0, 0, 0], 1),
        ([*load(3), load(2)[0]], [0, 0, 0, 0], 0),
    ],
    ids=["rows missing", "other card", "no begin", "wide rows", "rows after end", "half a row", "again", "begun again"],
)
def test_what_is_refused_leaves_no_model(bodies: Any, refused: list[int], model: int) -> None:
    # Rows that are refused are written or not; what counts is that no model is there after them.
    found = play(1, bodies, len(bodies))
    done = [beat for beat in found if beat["m_done"]]
    assert [beat["m_refused"] for beat in done] == refused
    assert done[-1]["m_model"] == model
