"""Which class a picture of an image set is of: what folders and tables may say."""

from pathlib import Path
from typing import Any

import pytest

from blindspots.errors import InvalidInput
from made_sets import laboratory, made, refusal, spec
from photographs import picture, two_classes


def test_the_last_folder_is_the_class(tmp_path: Path) -> None:
    files = {"x/train/cat/1.png": picture(1), "x/test/cat/2.png": picture(2), "x/train/ant/1.png": picture(3)}
    found, _ = made(files, tmp_path)
    assert found.facts().class_names == ("ant", "cat")
    assert list(found.load("test")[1]) == [1, 0, 1], "in the order of the paths"


def test_the_order_of_the_classes_can_be_given(tmp_path: Path) -> None:
    found, _ = made(two_classes(1), tmp_path, classes=["dog", "cat"])
    assert found.facts().class_names == ("dog", "cat")
    assert list(found.load("test")[1]) == [1, 0]
    problem = refusal(two_classes(1), tmp_path, classes=["dog", "cow"])
    assert problem.field == "classes"
    assert "cat, cow" in problem.message


def table(text: str, **columns: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Three loose pictures with a table, and how it is read."""
    files = {f"pictures/{name}": picture(number) for number, name in enumerate(("a.png", "b.png", "007.png"))}
    return {**files, "labels.csv": text.encode()}, {"source": "csv", **columns}


@pytest.mark.parametrize(
    "text",
    [
        "file,label\npictures/a.png,cat\npictures/b.png,ant\npictures/007.png,cat\n",
        "file,label\r\na.png,cat\r\nb.png,ant\r\n007.png,cat\r\n",
        "\ufefflabel;file\ncat;a\nant;b\ncat;7\n\n",
        'file,label,note\na,"cat",=1+1\nb,"ant",\n7,"cat","x,y"\n',
    ],
    ids=["paths", "names, CRLF", "stems, numbers, semicolons, BOM", "quotes and other columns"],
)
def test_a_table_names_the_classes(text: str, tmp_path: Path) -> None:
    files, labels = table(text)
    found, _ = made(files, tmp_path, labels=labels)
    assert found.facts().class_names == ("ant", "cat")
    assert list(found.load("test")[1]) == [1, 1, 0], "007, a, b"


def test_classes_can_be_numbers_with_names_beside_them(tmp_path: Path) -> None:
    columns = {"image_column": "i", "label_column": "c", "name_column": "n"}
    files, labels = table("i,c,n\na,2,crane\nb,0,ant\n7,2,crane\n", **columns)
    found, _ = made(files, tmp_path, labels=labels)
    assert found.facts().class_names == ("ant", "1", "crane")
    found, _ = made(files, tmp_path, labels={**labels, "name_column": None}, classes=["ant", "bee", "crane"])
    assert found.facts().class_names == ("ant", "bee", "crane")
    assert list(found.load("test")[1]) == [2, 2, 0]


def test_pictures_that_the_table_does_not_name_are_left_out_and_counted(tmp_path: Path) -> None:
    files, labels = table("file,label\na,cat\nb,ant\n")
    found, job = made(files, tmp_path, labels=labels)
    assert found.facts().sizes == {"test": 2}
    assert job.result.summary["left_out"] == 1


@pytest.mark.parametrize(
    ("text", "words", "field"),
    [
        ("name,label\na,cat\n", "no column file", "labels.image_column"),
        ("file,class\na,cat\n", "no column label", "labels.label_column"),
        ("file,file,label\na,a,cat\n", "two of it", "labels.image_column"),
        ("", "no column", "labels.image_column"),
        ("file,label\na,cat\nz,ant\n", "Row 3 .* not among", "labels.file"),
        ("file,label\na,cat\na.png,ant\n", "Row 3 .* again, after row 2", "labels.file"),
        ("file,label\na,cat\nb\n", "Row 3 .* too few", "labels.file"),
        ("file,label\na,cat\nb,\n", "Row 3 .* empty", "labels.file"),
        ("file,label\na,cat\nb,=cmd|'/c calc'!A1\n", "Row 3 .* formula", "labels.file"),
        ("file,label\na,0\nb,-1\n", "Row 3 .* formula", "labels.file"),
        ("file,label\na,0\nb,10000\n", "Row 3 .* 0 to 9999", "labels.file"),
        ("file,label\na,0\nb,99999999999999999999\n", "Row 3", "labels.file"),
        ('file,label\na,"cat\n', "Row 2 .* cannot be read", "labels.file"),
        ("file,label\na,cat\nb,ca\x07t\n", "Row 3 .* control", "labels.file"),
        ("file,label\na,cat\nb," + "x" * 1001 + "\n", "Row 3 .* 1000 characters", "labels.file"),
        ("file,label\na,cat\nb,cat\n", "one class", "labels"),
        ("file,label\n" + "a,cat\n" * 2, "Row 3", "labels.file"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_its_row(text: str, words: str, field: str, tmp_path: Path) -> None:
    files, labels = table(text)
    with pytest.raises(InvalidInput, match=words) as caught:
        spec(labels=labels).resolve(laboratory(files, tmp_path))
    assert caught.value.field == field


def test_a_table_of_another_encoding_is_refused_with_its_row(tmp_path: Path) -> None:
    files, labels = table("file,label\na,cat\n")
    files["labels.csv"] += "b,Kätzchen\n".encode("latin-1")
    problem = refusal(files, tmp_path, labels=labels)
    assert problem.field == "labels.file"
    assert "Row 3" in problem.message


def test_a_table_of_too_many_rows_is_refused(tmp_path: Path) -> None:
    files, labels = table("file,label\n" + "\n" * 200_001)
    assert "200,000 rows" in refusal(files, tmp_path, labels=labels).message


def test_a_class_beyond_the_given_names_is_refused(tmp_path: Path) -> None:
    files, labels = table("file,label\na,0\nb,2\n")
    assert "Row 3" in refusal(files, tmp_path, labels=labels, classes=["ant", "bee"]).message


@pytest.mark.parametrize(
    ("files", "words", "field"),
    [
        ({"a.png": picture(), "b/c.png": picture()}, "lies in no folder", "labels"),
        ({"a/1.png": picture(), "a/2.png": picture()}, "one class", "labels"),
        ({"a/1.png": picture(), "b/2.png": picture()[:30]}, "b/2.png is damaged", "skip_broken"),
    ],
)
def test_pictures_that_make_no_set_are_refused(files: Any, words: str, field: str, tmp_path: Path) -> None:
    problem = refusal(files, tmp_path)
    assert words in problem.message
    assert problem.field == field


@pytest.mark.parametrize("name", ["digits", "mnist", "fashion-mnist"])
def test_a_name_that_is_taken_is_refused(name: str, tmp_path: Path) -> None:
    assert refusal(two_classes(), tmp_path, name=name).field == "name"


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a:P1:0", "x" * 101, "a b"])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        spec(name=name)
