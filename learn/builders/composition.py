"""Compositions as text, and atoms in whole numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nvnmd.learn.errors import LearnError


def parse_composition(text: str) -> dict[str, float]:
    """Counts by element of a formula such as Ge2Sb2Te5 or Ge0.4Te0.6, in the order of the text.

    Raises:
        LearnError: no formula, or something that is no element.
    """
    from ase.data import atomic_numbers

    parts = re.findall(r"([A-Z][a-z]?)(\d*\.?\d*)", text)
    if not parts or "".join(a + b for a, b in parts) != text:
        raise LearnError(f"composition {text!r}: give a formula such as Ge2Sb2Te5")
    found: dict[str, float] = {}
    for element, number in parts:
        if element not in atomic_numbers or element == "X":
            raise LearnError(f"composition {text!r}: {element} is no element")
        found[element] = found.get(element, 0.0) + float(number or 1)
    return found


def apportion(shares: Mapping[str, float], total: int) -> list[str]:
    """So many symbols in these proportions, in whole numbers by the largest remainders; equal ones in a row."""
    whole = sum(shares.values())
    exact = {element: total * share / whole for element, share in shares.items()}
    counts = {element: int(value) for element, value in exact.items()}
    for element in sorted(exact, key=lambda e: counts[e] - exact[e])[: total - sum(counts.values())]:
        counts[element] += 1
    return [element for element, number in counts.items() for _ in range(number)]
