"""Attachments: STIX that others read, CSV that no spreadsheet runs."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from dispatch.attachments import attachments, neutral, stix, table
from normalize import Observable
from tests.dispatch.items import an_indicator, marked
from tests.dispatch.views import a_report, a_view
from tlp import Label
from tlp.markings import definition


def test_a_view_with_objects_is_a_bundle_of_the_same_bytes() -> None:
    view = a_report(objects=(definition(Label.GREEN), marked(an_indicator(1), Label.GREEN)))
    bundle = json.loads(stix(view))
    assert stix(view) == stix(view)
    assert (bundle["type"], len(bundle["objects"])) == ("bundle", 2)
    assert bundle["id"] != json.loads(stix(a_report(objects=view.objects, reader="kvk-2")))["id"]
    assert [file.name for file in attachments(view)] == ["OKTT-2026-0433.json", "OKTT-2026-0433.csv"]


def test_nothing_to_attach_is_nothing() -> None:
    assert attachments(a_view(objects=(definition(Label.CLEAR),))) == ()


def test_the_table_has_a_row_for_each_and_its_label() -> None:
    rows = list(csv.DictReader(io.StringIO(table(a_report()).decode())))
    assert [row["value"] for row in rows] == [o.value for o in a_report().observables]
    assert {row["tlp"] for row in rows} == {"TLP:GREEN"}
    assert (rows[0]["port"], rows[1]["port"]) == ("443", "")


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_no_cell_is_a_formula_and_none_breaks_its_row(value: str) -> None:
    view = a_report(observables=(Observable("other", value), Observable("domain", "x.example")))
    rows = list(csv.reader(io.StringIO(table(view).decode(), newline="")))
    assert len(rows) == 3
    cell = rows[1][3]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == value.replace("\0", "").removeprefix("'")


def test_neutral_leaves_harmless_cells_alone() -> None:
    assert [neutral(cell) for cell in ("", "a=b", "=1", "\0=1")] == ["", "a=b", "'=1", "'=1"]
