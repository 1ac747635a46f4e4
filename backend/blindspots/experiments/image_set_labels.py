"""Which pictures belong to an image set, and of which class each is."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from blindspots.errors import InvalidInput
from blindspots.experiments.facts import Pictures
from blindspots.experiments.image_set_parameters import CsvLabels, FolderLabels, NoLabels
from blindspots.experiments.parameters import Array

MOST_CLASSES = 10_000
MOST_ROWS = 200_000
LONGEST_CELL = 1000
LONGEST_NAME = 200
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Arrangement:
    """The pictures of a set in their order."""

    paths: tuple[str, ...]
    labels: Array  # (n,) int64, -1 where there are no classes
    class_names: tuple[str, ...]
    left_out: int  # pictures that the table does not name


def arrange(
    pictures: Pictures, labels: FolderLabels | CsvLabels | NoLabels, classes: Sequence[str] | None
) -> Arrangement:
    """The pictures that have a class, in the order of their paths. Raises InvalidInput naming the field."""
    if isinstance(labels, NoLabels):
        if classes is not None:
            raise InvalidInput("There are no classes without labels; leave the order empty.", field="classes")
        count = len(pictures.images)
        return Arrangement(pictures.images, np.full(count, -1, np.int64), (), 0)
    if isinstance(labels, FolderLabels):
        named = _by_folder(pictures.images)
        names = _in_order(set(named.values()), classes)
        position = {name: index for index, name in enumerate(names)}
        number = {path: position[name] for path, name in named.items()}
    else:
        number, names = _by_table(pictures, labels, classes)
    paths = tuple(path for path in pictures.images if path in number)
    chosen = np.array([number[path] for path in paths], np.int64)
    if len(set(number.values())) < 2:
        raise InvalidInput(
            "All pictures are of one class. A set with labels has two or more; or choose no labels.",
            field="labels",
        )
    return Arrangement(paths, chosen, names, len(pictures.images) - len(paths))


def _by_folder(paths: Sequence[str]) -> dict[str, str]:
    """The last folder of each path."""
    found = {path: folder_of(path) for path in paths}
    loose = next((path for path, name in found.items() if not name), None)
    if loose is not None:
        raise InvalidInput(
            f"{loose} lies in no folder, so its class is not known. Put the pictures of each class into a "
            "folder of that name, or give a table.",
            field="labels",
        )
    return found


def folders_of(paths: Iterable[str]) -> list[str]:
    """Names of the folders in which pictures lie, in their order."""
    return sorted({name for path in paths if (name := folder_of(path))})


def folder_of(path: str) -> str:
    """Name of the folder in which the file lies, empty where it lies in none."""
    return path.rpartition("/")[0].rpartition("/")[2]


def _in_order(found: set[str], classes: Sequence[str] | None) -> tuple[str, ...]:
    """The names in the order that the user gave, or sorted. Raises InvalidInput where they differ."""
    if len(found) > MOST_CLASSES:
        raise InvalidInput(
            f"There are {len(found):,} classes; at most {MOST_CLASSES:,} are told.", field="labels"
        )
    if long := next((name for name in found if len(name) > LONGEST_NAME), None):
        raise InvalidInput(f"The class {long[:60]}… has more than {LONGEST_NAME} characters.", field="labels")
    if classes is None:
        return tuple(sorted(found))
    if set(classes) != found or len(set(classes)) != len(classes):
        differ = sorted(found ^ set(classes))[:10] or sorted(classes)[:10]
        raise InvalidInput(
            f"The order names each class once. These are missing, unknown or repeated: {', '.join(differ)}.",
            field="classes",
        )
    return tuple(classes)


class _Rows:
    """The rows of a table, each checked; row 1 is the heading, as a spreadsheet counts."""

    def __init__(self, pictures: Pictures, labels: CsvLabels) -> None:
        if labels.file in pictures.unread:
            raise InvalidInput(pictures.unread[labels.file], field="labels.file")
        if labels.file not in pictures.tables:
            known = ", ".join(sorted(pictures.tables)[:10]) or "none"
            raise InvalidInput(f"There is no table {labels.file}. Tables here: {known}.", field="labels.file")
        text = pictures.tables[labels.file]
        heading = text.split("\n", 1)[0]
        delimiter = ";" if ";" in heading and "," not in heading else ","
        self._lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self.folder = PurePosixPath(labels.file).parent
        self._columns = [cell.strip() for cell in next(self._lines, [])]
        self._labels = labels

    def column(self, name: str, field: str) -> int:
        """Where the column stands. Raises InvalidInput."""
        if self._columns.count(name) != 1:
            shown = ", ".join(self._columns[:20])[:300] or "none"
            raise InvalidInput(
                f"The table has no column {name}, or two of it. Its columns: {shown}.", field=field
            )
        return self._columns.index(name)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Number of the row, and its cells."""
        row = 1
        try:
            for cells in self._lines:
                row += 1
                if row > MOST_ROWS:
                    raise InvalidInput(f"The table has more than {MOST_ROWS:,} rows.", field="labels.file")
                if cells:
                    yield row, cells
        except csv.Error as error:
            raise wrong(row + 1, f"cannot be read ({error})") from error


def wrong(row: int, problem: str) -> InvalidInput:
    """The complaint about one row."""
    return InvalidInput(f"Row {row} of the table {problem}.", field="labels.file")


def _by_table(
    pictures: Pictures, labels: CsvLabels, classes: Sequence[str] | None
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The class of each picture that the table names, and what the classes are called."""
    rows = _Rows(pictures, labels)
    image_at = rows.column(labels.image_column, "labels.image_column")
    label_at = rows.column(labels.label_column, "labels.label_column")
    name_at = rows.column(labels.name_column, "labels.name_column") if labels.name_column else label_at
    known = _Names(pictures.images, rows.folder)
    said: dict[str, tuple[int, str, str]] = {}  # path -> row, class, name
    for row, cells in rows:
        if len(cells) <= max(image_at, label_at, name_at):
            raise wrong(row, "has too few cells")
        image, label, name = (_cell(row, cells[at]) for at in (image_at, label_at, name_at))
        path = known.path(row, image)
        if path in said:
            raise wrong(row, f"names {path} again, after row {said[path][0]}")
        said[path] = (row, label, name)
    if said and all(label.isascii() and label.isdigit() for _, label, _ in said.values()):
        return _by_number(said, classes, named=labels.name_column is not None)
    if labels.name_column:
        row, label, _ = next(each for each in said.values() if not each[1].isdigit())
        raise wrong(row, f"has the class {label[:60]}, which is no number; names need no column of their own")
    names = _in_order({label for _, label, _ in said.values()}, classes)
    position = {name: index for index, name in enumerate(names)}
    return {path: position[label] for path, (_, label, _) in said.items()}, names


def _by_number(
    said: Mapping[str, tuple[int, str, str]], classes: Sequence[str] | None, *, named: bool
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Classes that are numbers: called by the table's names, the given ones, or by their numbers."""
    names: dict[int, str] = {}
    found: dict[str, int] = {}
    most = MOST_CLASSES if classes is None else len(classes)
    for path, (row, label, name) in said.items():
        if len(label) > 9 or int(label) >= most:
            raise wrong(row, f"has the class {label[:20]}; classes are 0 to {most - 1}")
        found[path] = number = int(label)
        if named and names.setdefault(number, name) != name:
            raise wrong(row, f"calls class {number} {name[:60]}, but an earlier row {names[number][:60]}")
    if classes is not None:
        return found, tuple(classes)
    return found, tuple(names.get(number, str(number)) for number in range(max(found.values()) + 1))


def _cell(row: int, text: str) -> str:
    """Raises InvalidInput for nothing, for too much, and for what a spreadsheet would run."""
    text = text.strip()
    if not text or len(text) > LONGEST_CELL:
        raise wrong(
            row, "has an empty cell" if not text else f"has a cell of more than {LONGEST_CELL} characters"
        )
    if text.startswith(FORMULA):
        raise wrong(row, f"has the cell {text[:40]}, which is a formula to a spreadsheet")
    if not text.isprintable():
        raise wrong(row, "has a cell with control characters")
    return text


class _Names:
    """What a table may call a picture."""

    def __init__(self, paths: Sequence[str], folder: PurePosixPath) -> None:
        self._ways: list[dict[str, str | None]] = [{}, {}, {}, {}, {}]
        for path in paths:
            whole = PurePosixPath(path)
            ways = [path, path.removeprefix(f"{folder}/"), whole.name, whole.stem]
            if whole.stem.isascii() and whole.stem.isdigit():
                ways.append(str(int(whole.stem)) if len(whole.stem) < 20 else whole.stem)
            for known, name in zip(self._ways, ways, strict=False):
                known[name] = None if name in known else path

    def path(self, row: int, name: str) -> str:
        """Raises InvalidInput where no picture, or more than one, is called so."""
        for known in self._ways:
            if name in known:
                path = known[name]
                if path is None:
                    raise wrong(
                        row, f"names {name[:100]}, as several pictures are called; give the whole path"
                    )
                return path
        raise wrong(row, f"names {name[:100]}, which is not among the pictures")
