"""`subscribers sbom` and `subscribers software`: what a subscriber has in use, from where, and what differs."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from subscribers import Software
from tests.app.instance import WEEK, done, make, oktt, person
from tests.subscribers.sboms import MAIL, PERSON, cyclonedx_json, cyclonedx_xml

FORTI = Software("Fortinet", "FortiOS", "7.2.3")
DJANGO = Software("", "django", "4.2.1", None, "pkg:pypi/django@4.2.1")
ODD = Software("", "Intranet", "voorjaar")
IN_JUNE = "2026-06-30T08:00:00Z"


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return make(
        tmp_path / "i", people=[person("een", software=[{"vendor": "Exact", "product": "Globe"}]), person("twee")]
    )


def written(instance: Path, data: bytes, name: str = "bom") -> Path:
    file = instance / name
    file.write_bytes(data)
    return file


def software(instance: Path, *more: str) -> list[tuple[str, str | None]]:
    """Product and list of every line."""
    return [
        (row["product"], row["list"])
        for row in done(instance, "subscribers", "software", "kvk-een", *more, "--json").rows
    ]


def test_an_sbom_stands_beside_the_profile_and_again_gives_the_difference(instance: Path) -> None:
    first = written(instance, cyclonedx_json([FORTI, DJANGO, ODD]))
    told = done(instance, "subscribers", "sbom", "kvk-een", first, "--json").row
    assert (told["subscriber"], told["list"], told["source"], told["products"]) == ("kvk-een", "sbom", "sbom", 3)
    assert [each["product"] for each in told["added"]] == ["FortiOS", "django", "Intranet"]
    assert [(each["product"], each["repair"]) for each in told["repair"]] == [("Intranet", "version")]
    newer = Software("Fortinet", "FortiOS", "7.2.4")
    second = written(instance, cyclonedx_xml([newer, DJANGO, Software("", "nginx", "1.25")]))
    again = done(instance, "subscribers", "sbom", "kvk-een", second, "--json").row
    assert [each["product"] for each in again["added"]] == ["nginx"]
    assert [each["product"] for each in again["removed"]] == ["Intranet"]
    assert [(each["from"]["version"], each["to"]["version"]) for each in again["changed"]] == [("7.2.3", "7.2.4")]
    assert again["repair"] == []
    same = done(instance, "subscribers", "sbom", "kvk-een", second).out
    assert "3 products; 0 added, 0 removed, 0 in another version" in same
    assert software(instance) == [("Globe", None), ("FortiOS", "sbom"), ("django", "sbom"), ("nginx", "sbom")]


def test_an_operators_import_leaves_it(instance: Path) -> None:
    done(instance, "subscribers", "sbom", "kvk-een", written(instance, cyclonedx_json([FORTI])))
    file = written(instance, json.dumps(person("een", software=[])).encode(), "people.ndjson")
    done(instance, "subscribers", "import", file)
    assert software(instance) == [("FortiOS", "sbom")]
    shown = done(instance, "subscribers", "show", "kvk-een", "--json").row
    assert [each["product"] for each in shown["profile"]["software"]] == ["FortiOS"]
    [listed] = shown["inventories"]
    assert (listed["name"], listed["source"], listed["products"], listed["stale"]) == ("sbom", "sbom", 1, False)
    assert datetime.fromisoformat(listed["at"]).year == 2026


def test_a_list_of_which_nothing_is_left_may_be_of_another_system(instance: Path) -> None:
    done(instance, "subscribers", "sbom", "kvk-een", written(instance, cyclonedx_json([FORTI])))
    said = done(instance, "subscribers", "sbom", "kvk-een", written(instance, cyclonedx_json([DJANGO]))).out
    assert "Nothing of the earlier list is left" in said
    said = done(instance, "subscribers", "sbom", "kvk-een", written(instance, cyclonedx_json([DJANGO, ODD]))).out
    assert "Nothing of the earlier list is left" not in said


def test_several_lists_by_name_and_one_forgotten(instance: Path) -> None:
    done(instance, "subscribers", "sbom", "kvk-een", written(instance, cyclonedx_json([FORTI])), "--as", "server-1")
    done(instance, "subscribers", "sbom", "kvk-een", written(instance, cyclonedx_json([DJANGO])), "--as", "server-2")
    done(instance, "subscribers", "sbom", "kvk-een", written(instance, b"product;versie\nWord;2019\n"))
    assert software(instance)[1:] == [("FortiOS", "server-1"), ("django", "server-2"), ("Word", "csv")]
    told = done(instance, "subscribers", "software", "kvk-een", "--forget", "server-1", "--json").row
    assert [each["product"] for each in told["removed"]] == ["FortiOS"]
    assert software(instance)[1:] == [("django", "server-2"), ("Word", "csv")]
    ran = oktt(instance, "subscribers", "software", "kvk-een", "--forget", "server-1")
    assert (ran.code, "no list of that name" in ran.err) == (1, True)


def test_by_hand(instance: Path) -> None:
    add = ("subscribers", "software", "kvk-een", "--add")
    done(instance, *add, "Fortinet|FortiOS|7.2.3", "--add", "pkg:pypi/django@4.2.1")
    told = done(instance, *add, "Fortinet|FortiOS|7.4.1", "--drop", "Fortinet|FortiOS|7.2.3", "--json").row
    assert (told["list"], told["source"], told["products"]) == ("hand", "hand", 2)
    assert [(each["from"]["version"], each["to"]["version"]) for each in told["changed"]] == [("7.2.3", "7.4.1")]
    done(instance, "subscribers", "software", "kvk-een", "--drop", "Fortinet|FortiOS|7.4.1")
    done(instance, "subscribers", "software", "kvk-een", "--drop", "pkg:pypi/django@4.2.1")
    assert software(instance) == [("Globe", None)]
    assert done(instance, "subscribers", "show", "kvk-een", "--json").row["inventories"] == []
    for wrong, code in (("FortiOS", 2), ("cpe:nonsense", 2)):
        assert oktt(instance, *add, wrong).code == code
    assert "not added by hand" in oktt(instance, "subscribers", "software", "kvk-een", "--drop", "a|b").err


def test_what_waits_for_repair(instance: Path) -> None:
    rows = b"leverancier;product;versie;cpe\nA;Oud;voorjaar;\nB;Nieuw;1.0;\n;;;cpe:2.3:q:acme:muur:7\n"
    said = done(instance, "subscribers", "sbom", "kvk-een", written(instance, rows)).out
    assert "2 cannot be parsed whole, kept as text and matched as possibly affected" in said
    assert software(instance, "--repair") == [("Oud", "csv"), ("muur", "csv")]
    assert "Oud" in done(instance, "subscribers", "software", "kvk-een", "--repair").out


def test_what_cannot_be_parsed_is_matched_as_possible_and_listed(instance: Path) -> None:
    """From an operator's file, of all subscribers."""
    lines = [{"cpe": "cpe:2.3:q:fortinet:fortios:7"}, {"vendor": "Fortinet", "product": "FortiOS", "version": "najaar"}]
    people = [person(f"muur{n}", software=[line]) for n, line in enumerate(lines)]
    file = instance.parent / "muren.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in people))
    told = done(instance, "subscribers", "import", file)
    assert "2 lines of software cannot be parsed whole" in told.out
    assert done(instance, "subscribers", "import", file, "--json").row["repair"] == 2
    rows = done(instance, "subscribers", "software", "--repair", "--json").rows
    assert [(row["subscriber"], row["repair"]) for row in rows] == [("kvk-muur0", "cpe"), ("kvk-muur1", "version")]
    assert "najaar" in done(instance, "subscribers", "software", "--repair").out
    assert oktt(instance, "subscribers", "software").code == 2
    advisory = instance.parent / "fortios.md"
    product = '[[affected]]\nvendor = "Fortinet"\nproduct = "FortiOS"\nversions = "<7.2.8"\n'
    advisory.write_text(f'+++\ntitle = "a"\n{product}+++\n')
    item = done(instance, "compose", advisory, "--by", "anna", "--json").row["item"]
    for one in ("kvk-muur0", "kvk-muur1"):
        reasons = done(instance, "why", item, one, "--json").row["reasons"]
        software_ = next(each for each in reasons if each["criterion"] == "software")
        assert (software_["matched"], software_["confidence"]) == (True, "possible")


def test_what_is_stale_is_shown(instance: Path) -> None:
    done(instance, "subscribers", "sbom", "kvk-een", written(instance, cyclonedx_json([FORTI])))
    assert "older than" not in done(instance, "subscribers", "list").out
    listed = done(instance, "subscribers", "list", now=IN_JUNE).out
    assert "1 of 1 lists older than" in " ".join(listed.split())
    assert "older than 90 days" in done(instance, "subscribers", "software", "kvk-een", now=IN_JUNE).out
    shown = done(instance, "subscribers", "show", "kvk-een", "--json", now=IN_JUNE).row
    assert shown["inventories"][0]["stale"]


def test_a_file_that_is_not_understood_changes_nothing(instance: Path) -> None:
    done(instance, "subscribers", "sbom", "kvk-een", written(instance, cyclonedx_json([FORTI])))
    before = software(instance)
    bad = written(
        instance, b'{"bomFormat":"CycloneDX","components":[{"name":"nginx"},{"name":["geheim"]}]}', "slecht.json"
    )
    ran = oktt(instance, "subscribers", "sbom", "kvk-een", bad)
    assert ran.code == 1
    assert "slecht.json: $.components[1].name: expected" in ran.err
    assert "geheim" not in ran.err
    assert software(instance) == before
    assert "no subscriber" in oktt(instance, "subscribers", "sbom", "kvk-nul", written(instance, b"product\nA\n")).err


def test_people_in_an_sbom_are_nowhere(instance: Path) -> None:
    file = instance.parent / "bom.json"
    file.write_bytes(cyclonedx_json([FORTI]))
    ran = done(instance, "--verbose", "subscribers", "sbom", "kvk-een", file)
    kept = b"".join(path.read_bytes() for path in instance.rglob("*") if path.is_file())
    for each in (*PERSON.split(), MAIL):
        assert each.encode() not in kept
        assert each not in ran.out + ran.err


def test_it_decides_whom_an_item_concerns(instance: Path) -> None:
    advisory = WEEK / "1-monday" / "ncsc-nl" / "ncsc-2026-9001.json"
    assert done(instance, "ingest", advisory, "--source", "ncsc-nl", "--json").row["new"] == 1
    item = done(instance, "items", "--json").row["id"]

    def confidence() -> str | None:
        """How sure it is that the item concerns the subscriber by its software; None: it does not."""
        reasons = done(instance, "why", item, "kvk-een", "--json").row["reasons"]
        found = [each["confidence"] for each in reasons if each["criterion"] == "software" and each["matched"]]
        return found[0] if found else None

    assert confidence() is None
    for version, sure in (("7.0.3", "exact"), ("voorjaar", "possible"), ("9.9.9", None)):
        file = written(instance, cyclonedx_json([Software("Fortinet", "FortiOS", version)]))
        done(instance, "subscribers", "sbom", "kvk-een", file)
        assert confidence() == sure
    cpe = "cpe:2.3:q:fortinet:fortios:7.0.3"
    done(instance, "subscribers", "software", "kvk-een", "--forget", "sbom")
    done(instance, "subscribers", "software", "kvk-een", "--add", cpe)
    assert confidence() == "possible"
    assert software(instance, "--repair") == [("fortios", "hand")]
