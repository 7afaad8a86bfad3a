"""Makes `quantize_cases` importable beside the tests, and the models that most of them use."""

import sys
from pathlib import Path

import pytest

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.ptq import quantize_model
from nvnmd.quantize.testing import random_model
from nvnmd.training.model import DeepPot

sys.path.insert(0, str(Path(__file__).parent))

from quantize_cases import FRAMES, SMALL, labeled, small_potential


@pytest.fixture(scope="session")
def model() -> IntegerModel:
    """A random integer model with skips and a guard."""
    return random_model(1, **SMALL)


@pytest.fixture(scope="session")
def gated() -> IntegerModel:
    """A random integer model with gates."""
    return random_model(2, gated=True, **SMALL)


@pytest.fixture(scope="session", params=["se_e2_a", "se_e2_a without skip", "se_atten", "se_atten without skip"])
def quantized(request: pytest.FixtureRequest) -> tuple[DeepPot, IntegerModel]:
    """A float potential and its integer model, in all forms."""
    form, _, rest = request.param.partition(" ")
    potential = small_potential(form, skip=not rest)
    systems = [labeled([FRAMES[name]], potential, name) for name in ("random", "liquid", "crystal", "small cell")]
    return potential, quantize_model(potential, systems, CompileOptions(max_neighbors=80))
