"""What an HLS build can hold: sizes that are fixed when it is compiled; models that fit are loaded at run time."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.quantize.integer_model import IntegerModel

WORD_BITS = {"dx_bits": 18, "x_bits": 15, "weight_bits": 16, "a_bits": 18, "b_bits": 18, "v_bits": 18, "p_bits": 27}
"""Widths that the layers are written for; all but ``weight_bits`` (at most 16) must be these."""
HALF_WORDS = 16
"""32-bit words of one 512-bit beat."""
_EQUAL = ("m1", "m2", "widths", "skip", "seg_bits")


@dataclass(frozen=True)
class Sizes:
    """Sizes of a build.

    Attributes:
        m1, m2: channels and axis columns of the descriptor.
        widths, skip: neurons of every hidden layer, and whether it adds its input.
        seg_bits: input bits inside one segment of the tanh table.
        types: atom types held.
        segments: table segments from ``r² = 0`` to the cutoff.
        feature_tables, scalar_tables, guard_tables: tables held.
        guard_segments: segments of a guard table.
        gates: whether rows for the gates of the strip form are held.
        max_neighbors: most neighbors of an atom.
    """

    m1: int
    m2: int
    widths: tuple[int, ...]
    skip: tuple[bool, ...]
    seg_bits: int
    types: int
    segments: int
    feature_tables: int
    scalar_tables: int
    guard_tables: int
    guard_segments: int
    gates: bool
    max_neighbors: int

    @property
    def layer_inputs(self) -> tuple[int, ...]:
        """Inputs of every hidden layer."""
        return (self.m1 * self.m2, *self.widths[:-1])

    @property
    def packet_beats(self) -> int:
        """512-bit beats of the longest packet to the card; every packet is filled up to it."""
        return -(-(self.max_neighbors + 2) // 8)

    @property
    def answer_beats(self) -> int:
        """512-bit beats of the longest answer."""
        return -(-(2 * self.max_neighbors + 6) // 8)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the fitting network in one direction, the output row included."""
        return sum(a * b for a, b in zip(self.layer_inputs, self.widths, strict=True)) + self.widths[-1]

    def check(self, model: IntegerModel) -> None:
        """Check that a model can be loaded into a build of these sizes.

        Raises:
            HlsError: naming the first size that does not fit.
        """
        needs = asdict(sizes_of(model))
        for name, built in asdict(self).items():
            if name in _EQUAL and needs[name] != built:
                raise HlsError(f"the HLS project is built for {name} = {built}, the model has {needs[name]}")
            if name not in _EQUAL and needs[name] > built:
                raise HlsError(f"the HLS project holds {name} = {built}, the model needs {needs[name]}")


def sizes_of(model: IntegerModel, **larger: Any) -> Sizes:
    """The sizes that hold a model exactly; ``larger`` overrides, so that other models fit too.

    Raises:
        HlsError: the layers cannot hold such a model.
    """
    formats = model.formats
    odd = [
        f"{name} = {getattr(formats, name)} instead of {bits}"
        for name, bits in WORD_BITS.items()
        if name != "weight_bits" and getattr(formats, name) != bits
    ]
    if odd:
        raise HlsError(f"the HLS layers are written for other word widths: {', '.join(odd)}")
    widths = tuple(int(weight.shape[1]) for weight in model.weights)
    if sum(widths) + model.m1 * model.m2 >= 1 << 15:
        raise HlsError(f"layers of {widths} words overflow the 15-bit counters of clipped words")
    if model.n_types > 31:
        raise HlsError(f"packets of the stream protocol name 31 types, the model has {model.n_types}")
    sizes = Sizes(
        m1=model.m1,
        m2=model.m2,
        widths=widths,
        skip=tuple(bool(skip) for skip in model.skip),
        seg_bits=formats.tanh_seg_bits,
        types=model.n_types,
        segments=model.n_seg,
        feature_tables=len(model.feature_coef),
        scalar_tables=len(model.scalar_coef),
        guard_tables=max(1, len(model.guard_coef)),
        guard_segments=max(1, model.n_guard),
        gates=model.gate is not None,
        max_neighbors=model.max_neighbors,
    )
    return replace(sizes, **larger)
