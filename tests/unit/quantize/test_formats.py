"""Number formats: round trip and refusal of anything else."""

import json
from dataclasses import replace

import pytest

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.integer_model import IntegerModel


def test_formats_survive_json(model: IntegerModel) -> None:
    formats = model.formats
    assert NumberFormats.from_dict(json.loads(json.dumps(formats.to_dict()))) == formats


@pytest.mark.parametrize("key", ["x_frac", "weight_frac", "e_frac"])
def test_a_missing_field_is_named(model: IntegerModel, key: str) -> None:
    data = model.formats.to_dict()
    del data[key]
    with pytest.raises(QuantizeError, match=key):
        NumberFormats.from_dict(data)


def test_an_unknown_field_is_named(model: IntegerModel) -> None:
    with pytest.raises(QuantizeError, match="q_frac"):
        NumberFormats.from_dict(model.formats.to_dict() | {"q_frac": 3})


@pytest.mark.parametrize("value", [1.0, "1", True, None, [1, 2.5]])
def test_only_integers_are_formats(model: IntegerModel, value: object) -> None:
    with pytest.raises(QuantizeError, match="x_frac"):
        NumberFormats.from_dict(model.formats.to_dict() | {"x_frac": value})


def test_aligned_fractions(model: IntegerModel) -> None:
    f = model.formats
    parts = (f.s_frac + f.s_shift + f.a_frac, f.h_frac + f.h_shift + f.v_frac, f.env_frac + f.b_frac)
    assert {part + shift for part, shift in zip(parts, f.t_align, strict=True)} == {f.t_frac} == {max(parts)}
    assert min(f.f_align) == 0
    assert f.dx_frac + f.p_frac + f.f_align[0] == f.a_frac + f.h_frac + f.f_align[1] == f.f_acc


def test_the_guard_slope_is_in_units_of_p(model: IntegerModel) -> None:
    f = replace(model.formats, e_frac=21)
    assert f.e_frac + f.guard_shift == f.p_frac + f.seg_frac
