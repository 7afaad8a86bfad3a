"""The error that every room of the project derives its own from, and how settings that are wrong are told."""

from collections.abc import Mapping
from typing import Any


class NvnmdError(Exception):
    """A problem the user can do something about.

    The message is one sentence or a few: what was wrong, where (file, key, atom), what to try. Rooms derive their own
    error from this class and from ValueError or RuntimeError; the command line prints the message without a traceback.
    """


def problem_text(problem: Mapping[str, Any]) -> str:
    """One problem of a pydantic ValidationError as a line: the key's path, what is wrong, and what was given."""
    where = ".".join(str(part) for part in problem["loc"]) or "settings"
    message = str(problem["msg"]).removeprefix("Value error, ")
    given = problem.get("input")
    plain = problem["type"] in ("value_error", "missing") or isinstance(given, dict)
    return f"{where}: {message}" + ("" if plain else f" (given: {given!r})")
