"""Our hls4ml layers. This is the one place where they are registered: a new layer is a folder and a line in LAYERS."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hls4ml.backends import get_backend
from hls4ml.model.layers import register_layer

from nvnmd.fpga.hls.layers import (
    contraction,
    contraction_grad,
    energy,
    environment,
    feature,
    force_dots,
    force_pair,
    grad_round,
    grad_scale,
    guard,
    output_weights,
    packet_in,
    packet_out,
    radial,
    symmetric,
    tanh_slope,
    tanh_value,
    typed_dense,
    unpack,
)
from nvnmd.fpga.hls.layers.base import config_template, function_template

LAYERS: dict[str, tuple[type[Any], Callable[..., dict[str, Any]]]] = {
    "packet_in": (packet_in.PacketIn, packet_in.handler),
    "unpack": (unpack.Unpack, unpack.handler),
    "radial": (radial.Radial, radial.handler),
    "guard": (guard.Guard, guard.handler),
    "feature": (feature.Feature, feature.handler),
    "environment": (environment.Environment, environment.handler),
    "contraction": (contraction.Contraction, contraction.handler),
    "symmetric": (symmetric.Symmetric, symmetric.handler),
    "typed_dense": (typed_dense.TypedDense, typed_dense.handler),
    "tanh_value": (tanh_value.TanhValue, tanh_value.handler),
    "tanh_slope": (tanh_slope.TanhSlope, tanh_slope.handler),
    "output_weights": (output_weights.OutputWeights, output_weights.handler),
    "grad_scale": (grad_scale.GradScale, grad_scale.handler),
    "grad_round": (grad_round.GradRound, grad_round.handler),
    "contraction_grad": (contraction_grad.ContractionGrad, contraction_grad.handler),
    "energy": (energy.Energy, energy.handler),
    "force_dots": (force_dots.ForceDots, force_dots.handler),
    "force_pair": (force_pair.ForcePair, force_pair.handler),
    "packet_out": (packet_out.PacketOut, packet_out.handler),
}
"""Layer class and handler by folder; the folder's name is that of the C++ function."""

_HERE = Path(__file__).parent
_SHARED = ("nvnmd_words.h", "nvnmd_crc32.h", "nvnmd_tanh.h", "nvnmd_csim.h")


@cache
def register() -> None:
    """Make all layers known to hls4ml's Vitis backend, once."""
    backend = get_backend("Vitis")
    for folder, (layer, _) in LAYERS.items():
        register_layer(layer.__name__, layer)
        config = typed_dense.TypedDenseConfig if layer is typed_dense.TypedDense else config_template(layer)
        backend.register_template(config)
        backend.register_template(function_template(layer, folder))
        backend.register_source(_HERE / folder / layer.header)
    for header in _SHARED:
        backend.register_source(_HERE / header)
