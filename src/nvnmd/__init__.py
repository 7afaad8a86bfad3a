"""Deep potentials quantized to one integer model that gives the same bits on every device."""

from importlib.metadata import version

__version__ = version("nvnmd")
