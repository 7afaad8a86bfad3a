"""Named builders of structures; the same seed gives the same structures.

A builder is a function that takes a count, a random generator and options of its own, and returns that many
`ase.Atoms` (lengths in angstrom). Those of molecular dynamics return what is to be run instead, see `md`.
"""

from nvnmd.learn.builders.registry import BUILDERS, Builder, build, check_options

__all__ = ["BUILDERS", "Builder", "build", "check_options"]
