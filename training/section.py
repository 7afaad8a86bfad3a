"""What every section of a settings file does with keys that are unknown or do not apply."""

from __future__ import annotations

import difflib
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator


class Section(BaseModel):
    """A section of the file; `ignored` and `refused` say what becomes of DeePMD-kit keys that do not apply."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
    ignored: ClassVar[dict[str, str]] = {}
    refused: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _screen(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict):
            raise ValueError("expected a section with keys")
        known = set(cls.model_fields) | {f.alias for f in cls.model_fields.values() if f.alias}
        kept = {}
        for key, value in data.items():
            if key.startswith("_"):
                continue
            if key in cls.refused and value not in (None, False, 0, 0.0, [], {}):
                raise ValueError(f"{key!r} cannot be used here: {cls.refused[key]}")
            if key in cls.ignored or key in cls.refused:
                if key in cls.ignored and info.context is not None:
                    info.context["notes"].append(f"{key!r} has no effect: {cls.ignored[key]}")
                continue
            if key not in known:
                raise ValueError(_unknown(key, sorted(known | set(cls.ignored))))
            kept[key] = value
        return kept


def _unknown(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys are {', '.join(known)}"
    return f"unknown key {key!r}; {hint}"
