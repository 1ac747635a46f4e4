"""HTML as values: what is not already markup is escaped, so that no text can become a tag."""

import html
from collections.abc import Iterable

VOID = frozenset({"meta", "img", "br", "line", "rect", "circle", "path"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(
    name: str, /, *children: "Html | str | int | float | None", **attributes: str | int | float | bool | None
) -> Html:
    """An element. Attributes end in an underscore where Python has the word, and have `-` for `_`; None and
    False leave them out, True stands without a value."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>") if name in {"meta", "img", "br"} else Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def _attribute(key: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'


def join(children: Iterable["Html | str | int | float | None"], separator: str = "") -> Html:
    """Children one after the other, escaped where they are plain."""
    written = [
        child if isinstance(child, Html) else html.escape(str(child), quote=False)
        for child in children
        if child is not None
    ]
    return Html(separator.join(written))


def table(head: Iterable["Html | str"], rows: Iterable[Iterable["Html | str"]], *, numbers: int = 0) -> Html:
    """A plain table in a box that scrolls sideways; columns from `numbers` on are set to the right."""

    def line(cells: Iterable["Html | str"], name: str) -> Html:
        placed = enumerate(cells)
        return tag(
            "tr", *(tag(name, cell, class_="number" if place >= numbers else None) for place, cell in placed)
        )

    body = tag("tbody", *(line(row, "td") for row in rows))
    return tag("div", tag("table", tag("thead", line(head, "th")), body, class_="line"), class_="scroll")
