"""Settings that stand on the command line."""

from __future__ import annotations

from typing import Any

from nvnmd.training.errors import NvnmdError


def key_values(texts: list[str] | None, example: str) -> dict[str, Any]:
    """The texts of `--set KEY=VALUE`, values read as YAML.

    Raises:
        NvnmdError: a text without "=", told with the example.
    """
    import yaml

    found = {}
    for text in texts or []:
        key, equals, value = text.partition("=")
        if not equals:
            raise NvnmdError(f"--set {text}: a setting is KEY=VALUE, as in --set {example}")
        found[key.strip()] = yaml.safe_load(value)
    return found
