"""Data held against a JSON schema, with the path of the first thing that is wrong.

Only the keywords that this part's own schemas use are known, because 3D Slicer brings no schema library; an unknown
keyword is an error of the schema, so that nothing is silently unchecked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TYPES = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
    "null": type(None),
}  # fmt: skip
WORDS = {
    "object": "an object", "array": "a list", "string": "a text", "integer": "a whole number", "number": "a number",
    "boolean": "true or false", "null": "null",
}  # fmt: skip
NOTES = ("$schema", "$id", "$defs", "title", "description")
KEYWORDS = (
    "type", "enum", "required", "properties", "additionalProperties", "items", "minItems", "maxItems", "minLength",
    "minimum", "maximum", "$ref",
)  # fmt: skip


def fault(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str = "") -> tuple[str, str] | None:
    """The JSON path of the first fault and what is wanted there, or None where value fits the schema."""
    unknown = set(schema) - set(KEYWORDS) - set(NOTES)
    if unknown:
        raise ValueError(f"keywords that are not checked: {sorted(unknown)}")
    if "$ref" in schema:
        return fault(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, path)
    if "enum" in schema and value not in schema["enum"]:
        return path, "one of " + ", ".join(map(str, schema["enum"]))
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return path, " or ".join(WORDS[kind] for kind in kinds)
    if isinstance(value, dict):
        return _object_fault(value, schema, root, path)
    if isinstance(value, list):
        return _list_fault(value, schema, root, path)
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return path, "a text that is not empty"
    if _is(value, "number"):
        low, high = schema.get("minimum"), schema.get("maximum")
        if (low is not None and value < low) or (high is not None and value > high):
            return path, f"a number from {low}" + ("" if high is None else f" to {high}")
    return None


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _object_fault(value: dict, schema: Mapping[str, Any], root: Mapping[str, Any], path: str):
    within = f"{path}." if path else ""
    known = schema.get("properties", {})
    for key in schema.get("required", []):
        if key not in value:
            return within + key, "given"
    for key, inner in value.items():
        if key not in known:
            return within + key, "one of " + ", ".join(known)
        found = fault(inner, known[key], root, within + key)
        if found:
            return found
    return None


def _list_fault(value: list, schema: Mapping[str, Any], root: Mapping[str, Any], path: str):
    fewest, most = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < fewest or (most is not None and len(value) > most):
        return path, f"a list of {fewest}" + (" or more" if most is None else f" to {most}" if most != fewest else "")
    for number, inner in enumerate(value):
        found = fault(inner, schema["items"], root, f"{path}[{number}]")
        if found:
            return found
    return None
