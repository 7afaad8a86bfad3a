"""The accelerator in SystemVerilog (``rtl/``) and what builds and simulates it with open tools.

``import nvnmd.fpga`` is light: the RTL tools are looked for when something is built.
"""

from pathlib import Path

RTL = Path(__file__).with_name("rtl")
"""Folder of the SystemVerilog sources, one module a file; ``fixed_pkg.sv`` is read first."""
