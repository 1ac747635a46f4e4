"""Where a validation error is, in the words of the document that the user wrote.

Pydantic's locations contain the tags of unions (`images.dataset.count` where the user wrote `images.count`)
and of alternatives (`target_class.int`). Walking the JSON Schema alongside tells them from real keys.
"""

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]


def _resolve(root: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _alternatives(root: Schema, schema: Schema) -> list[Schema]:
    """The schema itself, or every branch of its union."""
    schema = _resolve(root, schema)
    branches = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
    if not branches:
        return [schema]
    return [each for branch in branches for each in _alternatives(root, branch)]


def _chosen(root: Schema, schema: Schema, tag: str) -> Schema | None:
    """The branch of a discriminated union that this tag names."""
    schema = _resolve(root, schema)
    if "discriminator" in schema:
        reference = schema["discriminator"]["mapping"].get(tag)
        return {"$ref": reference} if reference else None
    branches = schema.get("oneOf") or schema.get("anyOf") or []
    found = (_chosen(root, branch, tag) for branch in branches)
    return next((each for each in found if each is not None), None)


def _below(root: Schema, schema: Schema, step: str | int) -> Schema | None:
    """The schema of a member, or None where no branch has such a member."""
    for branch in _alternatives(root, schema):
        if isinstance(step, int) and "array" in str(branch.get("type")):
            items = branch.get("items")
            return items if isinstance(items, dict) else {}
        if step in branch.get("properties", {}):
            return dict(branch["properties"][step])
        extra = branch.get("additionalProperties")
        if isinstance(extra, dict):
            return extra
    return None


def field_path(schema: Schema, location: Sequence[str | int], document: Any) -> str:
    """`("attack", "images", "dataset", "count")` becomes `images.count`.

    A step is kept when it is a tag of no union and the schema, or else the document, has such a member.
    """
    root, here, node = schema, schema, document
    path: list[str] = []
    for step in location:
        branch = _chosen(root, here, step) if isinstance(step, str) else None
        if branch is not None:
            here = branch
            continue
        below = _below(root, here, step)
        written = isinstance(node, dict) and step in node
        if below is None and not written:
            continue
        path.append(str(step))
        here = below or {}
        if written or (isinstance(node, list) and isinstance(step, int) and step < len(node)):
            node = node[step]
        else:
            node = None
    return ".".join(path)
