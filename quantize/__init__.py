"""Fixed point: number formats, the integer reference, quantization-aware training and the model file.

The public names load what they need when they are first used; ``import nvnmd.quantize`` itself is light.
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "CompileOptions": "choose",
    "IntegerModel": "integer_model",
    "ModelFileError": "errors",
    "NumberFormats": "formats",
    "QuantizeError": "errors",
    "float_spec": "from_float",
    "load_model": "model_file",
    "measured_errors": "provenance",
    "model_card": "provenance",
    "quantize_model": "ptq",
    "read_header": "model_file",
    "save_model": "model_file",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
