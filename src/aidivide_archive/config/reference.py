"""The profile format, described from its models: JSON Schema for editors, tables for readers."""

from __future__ import annotations

import json
from typing import cast, get_origin

from pydantic.fields import FieldInfo

from aidivide_archive.config.profile import Profile
from aidivide_archive.config.sections import Section, section_of

JsonSchema = dict[str, object]


def profile_schema() -> JsonSchema:
    """JSON Schema (2020-12) of a profile file, for editors that complete and check TOML."""
    schema = Profile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def profile_reference() -> str:
    """Every table and key of a profile as Markdown; ends with a newline."""
    definitions = cast("dict[str, JsonSchema]", profile_schema()["$defs"])
    lines = ["| table | times | meaning |", "|---|---|---|"]
    tables: list[str] = []
    for name, info in Profile.model_fields.items():
        key = info.alias or name
        section = section_of(info.annotation)
        if section is None:
            continue
        repeated = get_origin(info.annotation) is tuple
        head = f"[[{key}]]" if repeated else f"[{key}]"
        times = "any number" if repeated else ("one" if info.is_required() else "one, optional")
        lines.append(f"| `{head}` | {times} | {info.description} |")
        tables += ["", f"### `{head}`", *_section_lines(section, definitions)]
    top = (
        "The only key outside a table is `schema = 1`, the version of this format; it is required."
    )
    return "\n".join([top, "", *lines, *tables]) + "\n"


def _section_lines(section: type[Section], definitions: dict[str, JsonSchema]) -> list[str]:
    properties = cast("dict[str, JsonSchema]", definitions[section.__name__]["properties"])
    rows = []
    for name, info in section.model_fields.items():
        key = info.alias or name
        kind = _kind(properties[key]).replace("|", "\\|")
        meaning = (info.description or "").replace("|", "\\|")
        rows.append(f"| `{key}` | {kind} | {_default(info)} | {meaning} |")
    about = " ".join((section.__doc__ or "").split())
    return [about, "", "| key | type | default | meaning |", "|---|---|---|---|", *rows]


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default()
    if value is None or value in ((), {}):
        return "–"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _kind(schema: JsonSchema) -> str:
    """A JSON Schema node in a few words: "text", "array of text", "integer ≥ 1"."""
    if "anyOf" in schema:
        options = cast("list[JsonSchema]", schema["anyOf"])
        return " or ".join(_kind(option) for option in options if option.get("type") != "null")
    if schema.get("type") == "array":
        return f"array of {_kind(cast('JsonSchema', schema.get('items', {})))}"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"table of {_kind(cast('JsonSchema', inner))}" if inner else "table"
    if schema.get("format") == "date":
        return "date"
    names = {"string": "text", "boolean": "true or false", None: "any value"}
    kind = names.get(cast("str | None", schema.get("type")), str(schema.get("type")))
    bounds = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
    return kind + ",".join(f" {sign} {schema[word]}" for word, sign in bounds if word in schema)
