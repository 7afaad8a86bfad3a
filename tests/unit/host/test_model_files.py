"""Files that the writer makes are read whole; damaged ones are one clear error."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nvnmd.host as host

DATA = Path(__file__).parents[2] / "data"


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and tensor bytes of a safetensors file."""
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def join(header: dict[str, Any], tensors: bytes) -> bytes:
    """The file of a header and tensor bytes."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + tensors


def refuse(path: Path, data: bytes, message: str) -> None:
    path.write_bytes(data)
    with pytest.raises(host.Error, match=message) as error:
        host.model_info(path)
    assert error.value.code == "model_file"
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.fixture
def data(model_path: Path) -> bytes:
    return model_path.read_bytes()


def test_truncation_in_every_region(data: bytes, tmp_path: Path) -> None:
    (length,) = struct.unpack("<Q", data[:8])
    ends = [entry["data_offsets"][1] for name, entry in split(data)[0].items() if name != "__metadata__"]
    for size in [0, 3, 8, 8 + length // 2, 8 + length, *(8 + length + end - 1 for end in ends)]:
        refuse(tmp_path / "cut.nvnmd", data[:size], "damaged")


def test_flipped_bits_never_crash(data: bytes, tmp_path: Path) -> None:
    rng, (length,) = np.random.default_rng(3), struct.unpack("<Q", data[:8])
    for _ in range(300):
        damaged, bit = bytearray(data), int(rng.integers(8 * (8 + length)))
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "flip.nvnmd").write_bytes(damaged)
        try:
            host.model_info(tmp_path / "flip.nvnmd")
        except host.Error as error:
            assert error.code == "model_file"  # noqa: PT017 - a flipped bit may also leave a valid model


def test_headers_that_lie(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lie.nvnmd"
    refuse(path, struct.pack("<Q", 1 << 63) + data[8:], "the header is longer than the file")
    for change, message in [
        ({"dtype": "F32"}, "tanh.coef"),
        ({"shape": [1 << 62, 3]}, "tanh.coef"),
        ({"shape": [-1, 3]}, "tanh.coef"),
        ({"data_offsets": [0, 384]}, "overlap"),
        ({"data_offsets": [10**15, 10**15 + 384]}, "out of range"),
        ({"data_offsets": 7}, "tanh.coef"),
    ]:
        header, tensors = split(data)
        header["tanh.coef"] |= change
        refuse(path, join(header, tensors), message)


def test_a_newer_version_is_named(data: bytes, tmp_path: Path) -> None:
    header, tensors = split(data)
    metadata = json.loads(header["__metadata__"]["nvnmd"]) | {"version": 99}
    header["__metadata__"]["nvnmd"] = json.dumps(metadata)
    refuse(tmp_path / "new.nvnmd", join(header, tensors), "version 99; this release reads version 1. Update nvnmd")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.nvnmd", tmp_path):
        with pytest.raises(host.Error, match="no such model file"):
            host.Potential(path)


@pytest.mark.parametrize("version", [1])
def test_files_of_every_version_evaluate_as_they_did(version: int) -> None:
    """Every neighbor is an atom of its own, so that its force is the pair force with the other sign."""
    potential = host.Potential(DATA / f"model_v{version}.nvnmd")
    for record in json.loads((DATA / f"model_v{version}.json").read_text(encoding="utf-8")):
        pairs = len(record["neighbor_type"])
        types, first = [record["center_type"], *record["neighbor_type"]], [0, *[pairs] * (pairs + 1)]
        displacement = np.array(record["displacement"], np.int64).reshape(-1, 3)
        found = potential.compute_words(types, first, np.arange(pairs) + 1, displacement)
        assert found.atom_energy[0] == record["energy"]
        assert (-found.force[1:]).tolist() == record["force"]
        assert (found.clipped, found.too_close) == (record["clipped"], record["too_close"])
