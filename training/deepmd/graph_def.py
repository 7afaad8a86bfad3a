"""Constants of a frozen TensorFlow graph, read from the protocol-buffer bytes without TensorFlow.

A message is a row of fields; a field is a key, number * 8 + kind, and a value: a varint (0), eight bytes (1), a length
and that many bytes (2) or four bytes (5). Field numbers are those of TensorFlow's graph.proto, node_def.proto,
attr_value.proto and tensor.proto.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.deepmd.source import DeepmdError

GRAPH_NODE, NODE_NAME, NODE_OP, NODE_ATTR, ATTR_TENSOR = 1, 1, 2, 5, 8
TENSOR_DTYPE, TENSOR_SHAPE, TENSOR_BYTES, SHAPE_DIM, DIM_SIZE = 1, 2, 4, 2, 1
STRING, STRING_FIELD = 7, 8
MOST_VALUES = 10**8  # a few bytes can ask for any number of equal values
# TensorFlow's number of a type to numpy's, and the field with its values where they are not packed bytes.
NUMBERS = {1: ("<f4", 5), 2: ("<f8", 6), 3: ("<i4", 7), 9: ("<i8", 10), 10: ("?", 11)}


def constants(data: bytes) -> dict[str, NDArray[Any] | bytes]:
    """Every constant of a GraphDef by the name of its node; strings are bytes, types we never use are left out.

    Raises:
        DeepmdError: not a GraphDef.
    """
    found: dict[str, NDArray[Any] | bytes] = {}
    try:
        for number, node in _fields(memoryview(data)):
            if number == GRAPH_NODE:
                _add_constant(node, found)
    except (IndexError, ValueError, TypeError, OverflowError) as error:
        raise DeepmdError(f"it is not a frozen TensorFlow graph, or is cut short ({error})") from None
    return found


def _add_constant(node: memoryview, found: dict[str, NDArray[Any] | bytes]) -> None:
    fields = list(_fields(node))
    by_number = dict(fields)
    if bytes(by_number.get(NODE_OP, b"")) != b"Const":
        return
    for number, entry in fields:
        if number == NODE_ATTR and bytes((pair := dict(_fields(entry)))[1]) == b"value":
            value = _tensor(dict(_fields(pair[2]))[ATTR_TENSOR])
            if value is not None:
                found[bytes(by_number[NODE_NAME]).decode()] = value


def _tensor(data: memoryview) -> NDArray[Any] | bytes | None:
    fields = list(_fields(data))
    one = dict(fields)
    kind = one.get(TENSOR_DTYPE, 0)
    if kind == STRING:
        return bytes(one.get(STRING_FIELD, b""))
    if kind not in NUMBERS:
        return None
    dtype, field = NUMBERS[kind]
    shape = [
        _signed(dict(_fields(d)).get(DIM_SIZE, 0)) for n, d in _fields(one.get(TENSOR_SHAPE, b"")) if n == SHAPE_DIM
    ]
    content = bytes(one.get(TENSOR_BYTES, b""))
    values = np.frombuffer(content, dtype) if content else _listed([v for n, v in fields if n == field], dtype)
    size = math.prod(shape)
    if not 0 <= size <= MOST_VALUES:
        raise ValueError(f"a constant of shape {shape}")
    if values.size < size:  # the last value stands for all that follow
        values = np.concatenate([values, np.full(size - values.size, values[-1] if values.size else 0, dtype)])
    return values.reshape(shape)


def _listed(entries: list[Any], dtype: str) -> NDArray[Any]:
    """Values of a repeated field, packed or one by one."""
    values: list[Any] = []
    for entry in entries:
        if dtype[1:] in ("f4", "f8"):
            values.extend(np.frombuffer(entry, dtype))
        elif isinstance(entry, int):
            values.append(_signed(entry))
        else:
            at = 0
            while at < len(entry):
                number, at = _varint(entry, at)
                values.append(_signed(number))
    return np.array(values, dtype)


def _fields(data: Any) -> Iterator[tuple[int, Any]]:
    """(field number, value) of a message: an integer, or the bytes of the value."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(key & 7, -1)
        if key & 7 == 2:
            size, at = _varint(data, at)
        if size < 0 or at + size > len(data):
            raise ValueError(f"byte {at} does not begin a field")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: Any, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
