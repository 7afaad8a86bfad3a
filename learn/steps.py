"""Steps that are done once: the result of each is on disk before the next begins."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nvnmd.learn.errors import LearnError
from nvnmd.training.files import write_json


class Steps:
    """The finished steps of a round, in a JSON file.

    Args:
        path: of the file.

    Raises:
        LearnError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._results: dict[str, Any] = {}
        if path.exists():
            try:
                self._results = dict(json.loads(path.read_text(encoding="utf-8")))
            except ValueError as error:
                raise LearnError(
                    f"{path} is damaged ({error}); delete it to do the steps of this round again"
                ) from None

    def do(self, name: str, function: Callable[[], Any]) -> Any:
        """The result (JSON values) of a step, which is done now unless it was before; with the CPU and wall time."""
        if name not in self._results:
            started, spent = time.monotonic(), _cpu_s()
            result = function()
            times = {"cpu_s": round(_cpu_s() - spent, 1), "wall_s": round(time.monotonic() - started, 1)}
            self._results[name] = {"result": result, **times}
            write_json(self._path, self._results)
        return self._results[name]["result"]

    def done(self, name: str) -> bool:
        """Whether a step is finished."""
        return name in self._results

    def times(self) -> dict[str, dict[str, float]]:
        """CPU and wall seconds of each step, of the session that finished it."""
        return {name: {key: value[key] for key in ("cpu_s", "wall_s")} for name, value in self._results.items()}


def _cpu_s() -> float:
    """CPU seconds of this process and of those that it waited for."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system
