"""The report of a reproduction: one HTML file to keep or send, without script or outside resources."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from blindspots.experiments.base import Outcome
from blindspots.experiments.record import Record
from blindspots.experiments.report_appendix import comparison, networks, repeat, steps
from blindspots.experiments.report_charts import heat_maps, scatter
from blindspots.experiments.report_markup import Html, tag
from blindspots.experiments.report_pictures import figure7
from blindspots.experiments.report_style import STYLE
from blindspots.experiments.report_tables import differences, figures, key, open_questions, paper_table
from blindspots.experiments.reproduce_conclusion import without

if TYPE_CHECKING:
    from blindspots.experiments.reproduce import Reproduce

PAPER = (
    "Szegedy, Zaremba, Sutskever, Bruna, Erhan, Goodfellow & Fergus 2013, "
    "“Intriguing properties of neural networks”"
)
TITLES = {
    "table1": "Table 1",
    "table2": "Table 2",
    "table3": "Table 3",
    "table4": "Table 4",
    "figure7": "Figure 7",
    "tables": "Tables 1 to 4 and figure 7",
    "adversarial_training": "Adversarial training",
}


def report(spec: "Reproduce", outcome: Outcome) -> str:
    """The whole document."""
    found: Mapping[str, Any] = outcome.result.summary
    title = f"{TITLES[spec.experiment]} of the paper, reproduced"
    comparable = bool(found["comparable"])
    body = [
        _head(spec, found, outcome.record, title),
        _verdict(found),
        *(_table(each, comparable=comparable) for each in found["tables"]),
    ]
    if found["figure7"] is not None:
        body.append(figure7(found["figure7"], outcome.result.array, comparable=comparable))
    if found["tables"] and comparable:
        body.append(comparison())
    body += [
        open_questions(_notes(found)) or Html(),
        networks(found["networks"]) or Html(),
        steps(found["steps"], found["seconds"]),
        repeat(outcome.record, spec.model_dump(mode="json")),
        tag("footer", f"{PAPER}, {found['edition']}. Made by Blindspots; job {outcome.record.job_id}."),
    ]
    return _document(title, tag("main", *body))


def _notes(found: Mapping[str, Any]) -> list[tuple[str, Sequence[str]]]:
    """What is noted of each table and of the figure, with their titles."""
    gathered = [(TITLES[table["name"]], table["notes"]) for table in found["tables"]]
    if found["figure7"] is not None:
        gathered.append((TITLES["figure7"], found["figure7"]["notes"]))
    return gathered


def _document(title: str, body: Html) -> str:
    # A policy of its own keeps the file harmless wherever it is opened.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(STYLE)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", body), lang="en") + "\n"


def _head(spec: "Reproduce", found: Mapping[str, Any], record: Record, title: str) -> Html:
    device = str(record.versions.get("device", spec.device))
    facts = (
        ("Date", record.finished_at[:16].replace("T", " ") + " UTC"),
        ("Images", f"{spec.sizes.title}"),
        ("Preset", spec.preset),
        ("Seed", str(spec.seed)),
        ("Device", device),
        ("Computing time", _computed(found)),
    )
    return tag(
        "header",
        tag("p", "Blindspots · reproduction report", class_="over"),
        tag("h1", title),
        tag("p", PAPER, ". ", found["edition"], ".", class_="muted"),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="facts"),
    )


def _computed(found: Mapping[str, Any]) -> str:
    """How long it computed, and how much of the work had been done before."""
    reused = sum(step["parts_reused"] for step in found["steps"])
    return _duration(found["seconds"]) + (f", {reused} parts found finished" if reused else "")


def _duration(seconds: float) -> str:
    """ "3 min 20 s"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _verdict(found: Mapping[str, Any]) -> Html:
    """The result in two sentences, and a tile for each table."""
    sentences: Sequence[str] = found["conclusion"]
    tiles = [_tile(table) for table in found["tables"] if table["figures"]]
    return tag(
        "div",
        *(
            tag("p", text, class_="second" if place and tiles else None)
            for place, text in enumerate(sentences)
        ),
        tag("div", *tiles, class_="tiles") if tiles else None,
        class_="verdict",
    )


def _tile(table: Mapping[str, Any]) -> Html:
    figures = table["figures"]
    agree, judged = figures["consistent"], figures["judged"]
    correlation = "" if figures["spearman"] is None else f", rank correlation {figures['spearman']:.3f}"
    left_out = without(figures["without"])
    bar = tag(
        "span", *(tag("i", style=f"flex:{part}") for part in (agree, judged - agree) if part), class_="bar"
    )
    return tag(
        "a",
        tag("strong", TITLES[table["name"]]),
        tag("div", str(agree), tag("small", f" of {judged} numbers agree"), class_="big"),
        bar,
        tag("span", f"errors {figures['mean_absolute_difference']:.2f} points apart{correlation}{left_out}"),
        class_="tile",
        href=f"#{table['name']}",
    )


def _table(found: Mapping[str, Any], *, comparable: bool) -> Html:
    return tag(
        "section",
        tag("h2", TITLES[found["name"]]),
        tag("p", f"{found['title']}.", class_="caption"),
        key() if comparable else None,
        paper_table(found, comparable=comparable),
        tag("p", found["conclusion"]) if "conclusion" in found else None,
        figures(found) if found["figures"] else None,
        differences(found),
        _drawings(found, comparable=comparable) if found["name"] in ("table2", "table4") else None,
        id=found["name"],
    )


def _drawings(found: Mapping[str, Any], *, comparable: bool) -> Html:
    """Both matrices side by side, and every cell against its printed number."""
    caption = "Each error cell with both 95 % intervals; on the dashed line, paper and measurement agree."
    title = tag("figcaption", tag("b", "Paper against measured"))
    points = tag("figure", title, scatter(found, comparable=comparable), tag("figcaption", caption))
    return tag("div", *heat_maps(found), points, class_="drawings")
