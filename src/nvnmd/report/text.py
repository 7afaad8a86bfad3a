"""Numbers as text."""

from __future__ import annotations

from typing import Any

NONE = "–"


def fixed(value: float | None, digits: int = 2, factor: float = 1.0) -> str:
    """A number with so many decimals; a dash for None."""
    return NONE if value is None else f"{value * factor:.{digits}f}"


def count(value: float) -> str:
    """A whole number with thin spaces between the thousands."""
    return f"{value:,.0f}".replace(",", "\u2009")


def scientific(value: float | None) -> str:
    """A number as 2.7 × 10⁻⁷."""
    if value is None:
        return NONE
    mantissa, exponent = f"{value:.2e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} × 10{raised}"


def short_hash(digest: str | None) -> str:
    """The first twelve digits of a hash."""
    return digest[:12] if digest else NONE


def lines(value: Any, depth: int = 0) -> str:
    """A JSON value as indented text."""
    if isinstance(value, dict):
        return "\n".join(
            f"{'  ' * depth}{key}: {lines(inner, depth + 1)}"
            if not isinstance(inner, dict)
            else f"{'  ' * depth}{key}:\n{lines(inner, depth + 1)}"
            for key, inner in value.items()
        )
    return str(value)
