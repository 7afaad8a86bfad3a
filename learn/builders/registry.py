"""The builders by name, and how one is called."""

from __future__ import annotations

import difflib
import inspect
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nvnmd.learn.builders import crystals, interfaces, molecules, packings, runs
from nvnmd.learn.errors import LearnError

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True)
class Builder:
    """A builder.

    Attributes:
        make: the function; kind: "structures", "md" (start structure and stages of a run) or "relax" (structures that
            a potential is to relax).
    """

    make: Callable[..., Any]
    kind: Literal["structures", "md", "relax"] = "structures"

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        first = (inspect.getdoc(self.make) or "").splitlines()[0]
        return f"{first.rstrip('.')}; relaxed by the model." if self.kind == "relax" else first

    @property
    def options(self) -> dict[str, Any]:
        """Options and their defaults; `inspect.Parameter.empty` where one must be given."""
        parameters = inspect.signature(self.make).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


BUILDERS: dict[str, Builder] = {
    "atom": Builder(molecules.atoms),
    "dimer": Builder(molecules.dimers),
    "crystal": Builder(crystals.crystals),
    "rocksalt": Builder(crystals.rocksalt),
    "file": Builder(crystals.from_file),
    "random": Builder(packings.hard_spheres),
    "interface": Builder(interfaces.interfaces),
    "rss": Builder(packings.hard_spheres, "relax"),
    "melt-quench": Builder(runs.melt_quench, "md"),
    "crystallize": Builder(runs.crystallize, "md"),
    "heat": Builder(runs.heat, "md"),
    "hold": Builder(runs.hold, "md"),
}


def check_options(name: str, options: Mapping[str, Any]) -> Builder:
    """The builder of this name.

    Raises:
        LearnError: it is not known, or lacks or does not have one of the options; the nearest is named.
    """
    if name not in BUILDERS:
        raise LearnError(f"builder {name!r} is not known; {_hint(name, list(BUILDERS))}")
    found = BUILDERS[name]
    for key in options:
        if key not in found.options:
            raise LearnError(f"builder {name} has no option {key!r}; {_hint(key, list(found.options))}")
    for key, default in found.options.items():
        if default is inspect.Parameter.empty and key not in options:
            raise LearnError(f"builder {name} needs the option {key!r}")
    return found


def build(name: str, count: int, seed: int, **options: Any) -> list[Any]:
    """Structures, or runs, of a builder.

    Args:
        name: of the builder.
        count: how many.
        seed: of everything random; together with the builder's name it decides every digit.
        options: of the builder.

    Raises:
        LearnError: unknown names, or options that make no structure.
    """
    found = check_options(name, options)
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    try:
        return list(found.make(count, generator, **options))
    except TypeError as error:
        raise LearnError(f"builder {name}: {error}") from None


def structures(name: str, count: int, seed: int, **options: Any) -> list[Atoms]:
    """Like `build`, for builders that return structures (to relax, where that is what they are for)."""
    if check_options(name, options).kind == "md":
        raise LearnError(f"builder {name} runs molecular dynamics; give one that builds structures")
    return build(name, count, seed, **options)


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
