"""Small models and the traffic patterns that every RTL test plays."""

import pytest

from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.testing import random_model

TRAFFIC = [
    pytest.param({"idle": 0.0, "stall": 0.0}, id="full rate"),
    pytest.param({"idle": 0.6, "stall": 0.0, "seed": 1}, id="idle source"),
    pytest.param({"idle": 0.0, "stall": 0.6, "seed": 2}, id="stalling sink"),
    pytest.param({"idle": 0.4, "stall": 0.4, "seed": 3}, id="both"),
]


def small_model(seed: int = 0) -> IntegerModel:
    """Two types, 4 channels, two hidden layers of 8 with a skip connection."""
    return random_model(seed, m1=4, m2=2, neuron=(8, 8))
