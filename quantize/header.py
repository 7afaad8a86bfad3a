"""The JSON text of a model file: sizes, number formats and provenance (docs/model_file.md)."""

from __future__ import annotations

from typing import Any

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.integer_model import IntegerModel

VERSION = 1


def write_header(model: IntegerModel) -> dict[str, Any]:
    """JSON data of everything in a model but its tensors."""
    return {
        "format": "nvnmd",
        "version": VERSION,
        "type_map": list(model.type_map),
        "rcut_A": model.rcut_A,
        "u_cut": model.u_cut,
        "u_min": model.u_min,
        "m2": model.m2,
        "max_neighbors": model.max_neighbors,
        "skip": list(model.skip),
        "formats": model.formats.to_dict(),
        "provenance": model.provenance,
    }


def parse_header(header: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``IntegerModel`` that the header holds; only their types are checked here.

    Raises:
        KeyError: a key is missing.
        QuantizeError: a value is of another type.
    """
    fields: dict[str, Any] = {key: _value(header, key, int) for key in ("u_cut", "u_min", "m2", "max_neighbors")}
    fields |= {"type_map": _list(header, "type_map", str), "skip": _list(header, "skip", bool)}
    rcut = header["rcut_A"]
    if type(rcut) not in (int, float):
        raise QuantizeError(f"rcut_A must be a number, not {rcut!r}")
    fields["rcut_A"] = float(rcut)
    fields["formats"] = NumberFormats.from_dict(_value(header, "formats", dict))
    return fields | {"provenance": _value(header, "provenance", dict)}


def _value(header: dict[str, Any], key: str, kind: type) -> Any:
    if type(header[key]) is not kind:  # True is no integer
        raise QuantizeError(f"{key} must be {_NAMES[kind]}, not {header[key]!r:.60}")
    return header[key]


def _list(header: dict[str, Any], key: str, kind: type) -> tuple[Any, ...]:
    values = _value(header, key, list)
    if not all(type(value) is kind for value in values):
        raise QuantizeError(f"{key} must be a list of {_NAMES[kind]} values, not {values!r:.60}")
    return tuple(values)


_NAMES: dict[type, str] = {int: "an integer", dict: "an object", list: "a list", str: "text", bool: "true or false"}
