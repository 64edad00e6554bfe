"""From a TOML file to a `Profile`, and from a mistake in it to one line that names file and key."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aidivide_archive.config.profile import Profile
from aidivide_archive.config.sections import Section, section_of
from aidivide_archive.config.source_lists import merge_sources, read_source_list
from aidivide_archive.exceptions import ConfigError


def builtin_events() -> tuple[str, ...]:
    """Names of the events this package ships, sorted."""
    names = (entry.name for entry in files("aidivide_archive").joinpath("events").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_profile(name_or_path: str | os.PathLike[str]) -> Profile:
    """Read a built-in event by its name, or a profile file by its path, with its source lists.

    Raises ConfigError: nothing of that name, not readable, not TOML, or not valid; of several
    mistakes the first is reported and the others are counted.
    """
    name_or_path = os.fspath(name_or_path)
    if name_or_path in builtin_events():
        entry = files("aidivide_archive").joinpath("events", f"{name_or_path}.toml")
        return _parse(entry.read_bytes(), name_or_path, folder=None)
    path = Path(name_or_path)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise ConfigError(_not_found(name_or_path)) from error
    except OSError as error:
        msg = f"{name_or_path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    return _parse(content, name_or_path, folder=path.parent)


def _not_found(name: str) -> str:
    events = builtin_events()
    close = get_close_matches(name.removesuffix(".toml"), events, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"built-in events: {', '.join(events)}"
    return f"{name}: no such file and no built-in event of that name; {hint}"


def _parse(content: bytes, origin: str, folder: Path | None) -> Profile:
    raw = _read_toml(content, origin)
    try:
        # Through JSON, because its strict mode takes arrays for tuples and texts for dates.
        profile = Profile.model_validate_json(json.dumps(raw, default=_plain))
    except ValidationError as error:
        raise ConfigError(_one_line(origin, error)) from error
    except ValueError as error:  # a value JSON cannot hold
        msg = f"{origin}: not valid: {error}"
        raise ConfigError(msg) from error
    if not profile.source_lists:
        return profile
    sources = profile.sources
    for entry in profile.source_lists:
        path = (folder or Path()) / entry.file
        sources = merge_sources(sources, read_source_list(path, f"{origin}: [source_list.file]"))
    return profile.model_copy(update={"sources": sources})


def _read_toml(content: bytes, origin: str) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        msg = f"{origin}: not valid TOML: not UTF-8 (at line {line})"
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        msg = f"{origin}: not valid TOML: {reason[:1].lower()}{reason[1:]}"
    except RecursionError:
        msg = f"{origin}: not valid TOML: nested too deeply"
    raise ConfigError(msg)


def _plain(value: object) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    msg = f"a value of type {type(value).__name__} is not supported"
    raise ValueError(msg)


# --- one line per mistake ------------------------------------------------------------------------


def _one_line(origin: str, error: ValidationError) -> str:
    # Unknown keys first: a misspelt key also makes the right one missing.
    details = sorted(
        error.errors(include_url=False), key=lambda item: item["type"] != "extra_forbidden"
    )
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return f"{origin}: {_describe(details[0])}{more}".replace("\n", " ")


def _describe(detail: ErrorDetails) -> str:
    where, kind = detail["loc"], detail["type"]
    place = f"[{_key(where)}] " if where else ""
    if kind == "extra_forbidden":
        close = get_close_matches(str(where[-1]), _known_keys(where[:-1]), n=1)
        return f"{place}unknown key" + (f"; did you mean {close[0]!r}?" if close else "")
    if kind == "missing":
        return f"{place}is missing"
    if kind == "value_error":
        reason = detail["msg"].removeprefix("Value error, ")
        return reason if reason.startswith("[") else f"{place}{reason}"
    if kind == "string_pattern_mismatch":
        return f"{place}{detail['input']!r} does not fit {detail['ctx']['pattern']}"
    reason = detail["msg"].replace("Input should", "should").replace("an object", "a table")
    return f"{place}{reason[:1].lower()}{reason[1:]}{_shown(detail['input'])}"


def _shown(value: object) -> str:
    if isinstance(value, str | int | float):
        text = repr(value)
        return f", not {text if len(text) <= 60 else text[:57] + '...'}"
    names = {list: "an array", dict: "a table", type(None): "nothing"}
    return f", not {names.get(type(value), 'this')}"


def _key(where: Sequence[int | str]) -> str:
    """("source", 1, "domain") → "source #2.domain": tables of one name are counted from 1."""
    words = ""
    for part in where:
        if isinstance(part, int):
            words += f" #{part + 1}"
        elif part != "[key]":  # pydantic's mark for a key, not a value, of a mapping
            words += f".{part}" if words else part
    return words


def _known_keys(where: Sequence[int | str]) -> list[str]:
    """Keys allowed in the table at `where`; empty when it is no table of the profile."""
    model: type[Section] | None = Profile
    for part in where:
        if isinstance(part, int) or model is None:
            continue
        model = section_of(_fields(model).get(part))
    return [] if model is None else list(_fields(model))


def _fields(model: type[Section]) -> Mapping[str, object]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}
