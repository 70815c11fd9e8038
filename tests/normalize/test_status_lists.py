"""Lists of software by status: what a row says of which versions, and rows that are refused by themselves."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtering.software import products_of
from ingest import RawDocument, Source
from normalize import Draft, NormalizeError, Problem, markdown, status_lists
from normalize.read import normalize
from normalize.recognise import recognise
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NCSC = Source("ncsc-nl", "NCSC-NL", public=True)
ONE = ("Supplier", "Product", "Version", "Status", "Notes", "Links")
TWO = ("Vendor", "Product", "Version (see Status)", "Status CVE-2021-4104", "Status CVE-2021-44228", "Reference")
PROSE = "# Software and the flaw\nThis page tells what is known.\n\n## A\n"


def page(*rows: str, heads: tuple[str, ...] = ONE, before: str = PROSE) -> bytes:
    rule = "|".join(":---:" for _ in heads)
    return "\n".join((before, f"| {' | '.join(heads)} |", f"|{rule}|", *rows, "", "The end.")).encode()


def read(*rows: str, heads: tuple[str, ...] = ONE, before: str = PROSE) -> tuple[Draft, list[Problem]]:
    found = status_lists.drafts(page(*rows, heads=heads, before=before), NCSC, NOW)
    return found.drafts[0], list(found.problems)


def stated(*rows: str, heads: tuple[str, ...] = ONE) -> list[tuple[str, str, str]]:
    """Status, product and versions of each entry."""
    draft, problems = read(*rows, heads=heads)
    assert problems == []
    return [(each.status, each.product, each.versions) for each in draft.facts.affected]


def warned(rows: tuple[str, ...], version: str | None) -> bool:
    """Does who uses this version of the one product hear of it?"""
    (product,) = products_of(read(*rows)[0].facts.affected)
    return product.verdict(version, direct=True) is not None


def test_a_page_is_one_advisory() -> None:
    draft, problems = read("| Acme B.V. | Thing | <= 2.1 | Vulnerable | | [source](https://acme.example/a_(b)) |")
    assert problems == []
    assert (draft.kind, draft.title, draft.language) == ("advisory", "Software and the flaw", "en")
    assert (draft.summary, draft.facts.cves, draft.label) == ("This page tells what is known.", (), None)
    (entry,) = draft.facts.affected
    assert (entry.vendor, entry.product, entry.versions, entry.status) == ("Acme B.V.", "Thing", "<= 2.1", "affected")
    assert [each.constraints for each in entry.ranges] == [(("<=", "2.1"),)]
    assert draft.references == ("https://acme.example/a_(b)",)
    assert {thing["type"] for thing in draft.objects} == {"report", "identity", "software"}


def test_statuses() -> None:
    rows = [f"|A|b {word}|1.2.3|{word}|||" for word in ("Vulnerable", "Not vuln", "Investigation", "Workaround", "")]
    assert [status for status, *_ in stated(*rows)] == ["affected", "not-affected", "unknown", "affected", "unknown"]


def test_a_workaround_is_a_remedy_with_its_cve() -> None:
    heads = (*TWO[:5], "Notes", "Links")
    draft, _ = read("|A|B|1.0|Not vuln|Workaround|Set x.|<https://a.example/b>|", heads=heads)
    assert draft.facts.remedies == ("A B 1.0: Set x. https://a.example/b",)
    (vulnerability,) = [each["id"] for each in draft.objects if each.get("name") == "CVE-2021-44228"]
    assert [each["target_ref"] for each in draft.objects if each["type"] == "relationship"] == [vulnerability]
    assert read("|A|B|1.0|Workaround||")[0].facts.remedies == ("A B 1.0: there are mitigation steps.",)


@pytest.mark.parametrize("versions", ["2.5.1", "v2.5.1", "< 2.5.1", "<2.5.1", ">= 2.5.1"])
def test_a_fix_is_fixed_from_that_version_and_what_lies_before_is_possibly_affected(versions: str) -> None:
    rows = (f"|A|B|{versions}|Fix|||",)
    assert [each.status for each in read(*rows)[0].facts.affected] == ["fixed", "unknown"]
    assert [warned(rows, version) for version in ("2.5.0", "2.5.1", "2.6", None)] == [True, False, False, True]


@pytest.mark.parametrize("versions", ["", "All", "36", "15 SP4", "8.x", "Rawhide", "3.15, 3.16"])
def test_where_it_is_not_said_in_which_version_a_fix_is_every_one_is_possibly_affected(versions: str) -> None:
    assert all(warned((f"|A|B|{versions}|Fix|||",), version) for version in ("8", "15.1", "36", None))


def test_of_several_fixes_none_is_for_later_branches() -> None:
    rows = ("|Node|js|<18.12.1|Fix|||", "|Node|js|<19.0.1|Fix|||")
    versions = ("18.12.0", "18.12.1", "19.0.0", "19.0.1", "19.1")
    assert [warned(rows, version) for version in versions] == [True, False, True, False, False]


def test_a_fix_does_not_hide_a_later_version_that_is_vulnerable() -> None:
    rows = ("|A|B|1.2.3|Fix|||", "|A|B|2.0.0|Vulnerable|||")
    assert [warned(rows, version) for version in ("1.2.3", "2.0.0")] == [False, True]


def test_of_several_cves_the_graver_status_counts() -> None:
    rows = ("|A|b|1.0|Not vuln|Fix||", "|A|c|1.0|Fix|Vulnerable||", "|A|d|1.0||Not vuln||", "|A|e|1.0|||")
    draft, _ = read(*rows[:3], rows[3] + "|", heads=TWO)
    assert draft.facts.cves == ("CVE-2021-4104", "CVE-2021-44228")
    assert [(each.product, each.status) for each in draft.facts.affected] == [
        ("b", "fixed"), ("b", "unknown"), ("c", "affected"), ("d", "not-affected"), ("e", "unknown"),
    ]  # fmt: skip


def test_what_is_safe_of_one_cve_hides_nothing_of_another() -> None:
    rows = ("|A|b|1.0|Vulnerable|Vulnerable||", "|A|b|1.1||Not vuln||", "|A|b|1.2|Not vuln|Not vuln||")
    assert stated(*rows, heads=TWO) == [("affected", "b", "1.0"), ("not-affected", "b", "1.2")]


def test_the_same_product_and_version_twice_has_the_graver_status() -> None:
    assert stated("|A|b|1.0|Not vuln|||", "|A|b|1.0|Investigation|||") == [("unknown", "b", "1.0")]


def test_cells_as_a_reader_sees_them() -> None:
    draft, problems = read(
        r"| A &amp; Co | x \| `y` **z** | 12.0.0<br/>  12.1.0 | **Vulnerable** | | <https://a.example/?a=1&amp;b=2> |",
        r"| A&B | [link](https://b.example) \*  | * | vulnerable | | no address |  ",
    )
    assert problems == []
    assert [(each.vendor, each.product, each.versions) for each in draft.facts.affected] == [
        ("A & Co", "x | y z", "12.0.0, 12.1.0"),
        ("A&B", "link *", "*"),
    ]
    assert len(draft.facts.affected[0].ranges) == 2
    assert draft.references == ("https://a.example/?a=1&b=2",)


def test_rows_are_refused_by_themselves_with_their_line_and_no_value() -> None:
    long = "x" * 4001
    draft, problems = read(
        "|A|B|geheim|", "|A||1|Fix|||", "|A|B|1|geheim|||", f"|A|{long}|1|Vulnerable|||",
        "|A|short of links|1.0|Vulnerable|", "|A|too many|1.0|Vulnerable||||||",
    )  # fmt: skip
    assert [each.product for each in draft.facts.affected] == ["short of links", "too many"]
    assert [(each.reason, each.path) for each in problems] == [
        ("a row that ends before its status", "line 8"),
        ("a row without a product", "line 9"),
        ("a row with a status that is not known", "line 10"),
        ("a cell that is longer than is read", "line 11"),
    ]


def test_rows_are_bounded() -> None:
    draft, problems = read(*(f"|A|b|1.{number}|Not vuln|||" for number in range(10_001)))
    assert len(draft.facts.affected) == 10_000
    assert [each.reason for each in problems] == ["more than 10,000 rows; the others are not read"]


def test_cves_of_the_page_itself_where_no_column_names_one() -> None:
    row = "|A|B|1.0|Vulnerable|CVE-2020-0001|https://a.example/CVE-2020-0002|"
    before = "# CVE-2022-3602\nAnd cve-2022-3786, see https://b.example/CVE-2020-0003 too.\n"
    assert read(row, before=before)[0].facts.cves == ("CVE-2022-3602", "CVE-2022-3786"), "a note is of one product"


def test_a_label_anywhere_on_the_page_counts() -> None:
    assert read("|A|B|1|Fix|TLP:AMBER||", before="TLP:GREEN\n")[0].label is Label.AMBER


def test_a_page_that_changes_is_one_item_and_other_pages_are_others() -> None:
    def key(row: str, series: str, before: str = PROSE) -> tuple[str, str]:
        document = RawDocument(NCSC, page(row, before=before), "x.md", NOW, "auto", series=series)
        draft = normalize(document).drafts[0]
        return draft.key, next(each["id"] for each in draft.objects if each["type"] == "report")

    one, two = "|A|B|1.0|Vulnerable|||", "|A|B|1.0|Fix|||"
    assert key(one, "0a") == key(two, "0a")
    assert key(one, "") == key(two, ""), "without a name by its headings"
    assert key(one, "0a")[0] != key(one, "0b")[0]
    assert key(one, "")[0] != key(one, "", PROSE.replace("## A", "## B"))[0]


@pytest.mark.parametrize("body", [page("|A|B|1|Fix|||"), page(heads=TWO, before="")])
def test_it_is_known_by_its_table(body: bytes) -> None:
    assert recognise(body) == "list"
    assert recognise(body.replace(b"\n", b"\r\n")) == "list"


@pytest.mark.parametrize(
    "body",
    [
        b"# Heading\n\n| Status | Description |\n|---|---|\n| Fix | x |\n",
        page("|A|B|1|Fix|||").replace(b":---:", b"x", 1),
        page("|A|B|1|Fix|||").replace(b"|:---:", b"", 1),
        page("|A|B|1|Fix|||", heads=("Supplier", "Product", "Version", "Since", "Notes", "Links")),
    ],
)
def test_other_tables_are_pages_for_people(body: bytes) -> None:
    with pytest.raises(NormalizeError, match="no table with supplier"):
        status_lists.drafts(body, NCSC, NOW)
    with pytest.raises(NormalizeError, match="Markdown"):
        recognise(body)


def test_without_a_row_that_can_be_read_there_is_no_item() -> None:
    found = status_lists.drafts(page("|A|B|1|?|||"), NCSC, NOW)
    assert found.drafts == ()
    assert found.problems[-1].reason == "a list of statuses without a row that can be read"


@given(st.lists(st.text("|\\ []()<>*`#&;!\nab1.", max_size=60), max_size=8))
def test_any_text_is_read_or_refused_in_words(rows: list[str]) -> None:
    found = status_lists.drafts(page(*rows), NCSC, NOW)
    assert found.format == "list"


@pytest.mark.parametrize(
    "part", ["[a](" + "x" * 99, "[", "[a](b ", "*", "`", "<a ", " ", "<br>", "https://x(", "&", "\\", "[a]((x)"]
)
def test_a_hostile_cell_takes_linear_time(part: str) -> None:
    begun = process_time()
    markdown.plain(part * (200_000 // len(part)) + "x")
    assert process_time() - begun < 2


@pytest.mark.corpus
def test_the_lists_of_ncsc_nl(corpus: Path) -> None:
    counts = {}
    for name in ("openssl-2022-software.md", "software_list_k.md"):
        found = status_lists.drafts((corpus / "ncsc-nl" / name).read_bytes(), NCSC, NOW)
        (draft,) = found.drafts
        assert found.problems == ()
        counts[name] = Counter(each.status for each in draft.facts.affected), len(draft.references), draft.facts.cves
    assert counts == {
        # 60 rows under investigation; the others are what lies before the 42 fixes, which share it where none is exact
        "openssl-2022-software.md": (
            {"affected": 32, "fixed": 42, "unknown": 97, "not-affected": 527}, 155, (),
        ),
        # nine rows state nothing; a fix in no version that is named is unknown
        "software_list_k.md": (
            {"affected": 3, "fixed": 3, "unknown": 14, "not-affected": 16},
            16,
            ("CVE-2021-4104", "CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105"),
        ),
    }  # fmt: skip
