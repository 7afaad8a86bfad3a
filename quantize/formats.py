"""Number formats of one integer model: every width and binary point, named (docs/numerics.md, section 9)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from nvnmd.quantize.errors import QuantizeError


@dataclass(frozen=True)
class NumberFormats:
    """Widths and fraction bits of every word of the integer model.

    A word with ``f`` fraction bits stands for ``word * 2**-f``. Lists are indexed by layer: ``weight_frac[l-1]``
    belongs to hidden layer ``l = 1 … L`` and ``weight_frac[L]`` to the output row; ``act_frac`` and ``grad_frac`` have
    indices ``0 … L``.
    """

    feature_frac: int
    feature_shift: int
    s_frac: int
    s_shift: int
    h_frac: int
    h_shift: int
    env_frac: int
    norm_shift: int
    x_frac: int
    d_frac: int
    weight_frac: tuple[int, ...]
    act_frac: tuple[int, ...]
    grad_frac: tuple[int, ...]
    y_frac: int
    a_frac: int
    b_frac: int
    v_frac: int
    dx_bits: int = 18
    dx_frac: int = 14
    u_frac: int = 18
    x_bits: int = 15
    weight_bits: int = 16
    z_frac: int = 13
    tanh_seg_bits: int = 9
    tanh_shift: int = 6
    a_bits: int = 18
    b_bits: int = 18
    v_bits: int = 18
    p_bits: int = 27
    p_frac: int = 20
    f_bits: int = 32
    f_frac: int = 20
    e_frac: int = 22
    w_frac: int = 20

    @property
    def seg_frac(self) -> int:
        """A table segment is ``2**-seg_frac`` Å² wide."""
        return self.u_frac - 15

    @property
    def guard_shift(self) -> int:
        """Slope shift of the guard table, tied so that its slope is in units of P."""
        return self.p_frac + self.seg_frac - self.e_frac

    @property
    def t_frac(self) -> int:
        """Fraction bits of the sum T (section 8)."""
        return max(self._t_parts)

    @property
    def t_align(self) -> tuple[int, int, int]:
        """Left shifts e1, e2, e3 of the parts of T."""
        e1, e2, e3 = (self.t_frac - part for part in self._t_parts)
        return e1, e2, e3

    @property
    def _t_parts(self) -> tuple[int, int, int]:
        return (
            self.s_frac + self.s_shift + self.a_frac,
            self.h_frac + self.h_shift + self.v_frac,
            self.env_frac + self.b_frac,
        )

    @property
    def f_acc(self) -> int:
        """Fraction bits of the force sum before rounding."""
        return max(self.dx_frac + self.p_frac, self.a_frac + self.h_frac)

    @property
    def f_align(self) -> tuple[int, int]:
        """Left shifts e4, e5 of the parts of the force sum."""
        return self.f_acc - self.dx_frac - self.p_frac, self.f_acc - self.a_frac - self.h_frac

    @property
    def t_bits(self) -> int:
        """Bits that the sum T can need."""
        e1, e2, e3 = self.t_align
        return max(27 + self.a_bits + e1, 27 + self.v_bits + e2, 16 + self.b_bits + e3 + 2) + 1

    @property
    def f_bits_needed(self) -> int:
        """Bits that the force sum can need before rounding."""
        e4, e5 = self.f_align
        return max(self.dx_bits + self.p_bits + e4 + 1, self.a_bits + 27 + e5) + 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NumberFormats:
        """Build from JSON data.

        Raises:
            QuantizeError: a field is missing, unknown, or not an integer (or list of integers).
        """
        known = {field.name for field in fields(cls)}
        missing, extra = known - data.keys(), data.keys() - known
        if missing or extra:
            raise QuantizeError(
                f"number formats: missing {sorted(missing)}, unknown {sorted(extra)}; "
                "was the file written by this version?"
            )
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        for key, value in values.items():
            listed = key in ("weight_frac", "act_frac", "grad_frac")
            words = value if isinstance(value, tuple) else (value,)
            if listed is not isinstance(value, tuple) or not all(type(word) is int for word in words):
                raise QuantizeError(
                    f"number formats: {key} must be {'a list of integers' if listed else 'an integer'}, not {value!r}"
                )
        return cls(**values)
