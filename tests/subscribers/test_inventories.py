import bz2
import gzip
import json
import lzma
import tracemalloc
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from subscribers import Software, SubscriberError, bounds
from subscribers.components import repair
from subscribers.inventories import Listing, difference, parse, read
from tests.subscribers.sboms import FORMS, MAIL, PERSON, PHONE, cyclonedx_json, cyclonedx_xml, spdx_json

FORTI = Software("Fortinet", "FortiOS", "7.2.3", "cpe:2.3:o:fortinet:fortios:7.2.3:*:*:*:*:*:*:*")
DJANGO = Software("", "django", "4.2.1", None, "pkg:pypi/django@4.2.1")
ODD = Software("", "Intranet", "voorjaar")
WEEK = (FORTI, DJANGO, ODD)
NOTHING = {"-", "*", "?", "n/a", "n.v.t.", "nvt", "none", "null", "unknown", "onbekend", "noassertion"}

words = (
    st.text("abcXYZ019 .-_+&éß", min_size=1, max_size=12)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: text and text.casefold() not in NOTHING)
)


@st.composite
def software(draw: st.DrawFn) -> Software:
    product, version = draw(words), draw(st.none() | words)
    purl = draw(st.none() | st.just(PackageURL("generic", None, product, version).to_string()))
    return Software(draw(st.just("") | words), product, version, None, purl)


def error(data: bytes) -> str:
    with pytest.raises(SubscriberError) as caught:
        parse(data)
    return str(caught.value)


def bom(*components: Any, **more: Any) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components} | more).encode()


def names(data: bytes) -> list[str]:
    return [one.product for one in parse(data).software]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_one_profile_and_nobodys_name(form: str) -> None:
    found = parse(FORMS[form]([*WEEK, *WEEK]))
    assert found == Listing("csv" if form == "table" else "sbom", WEEK)
    assert not any(each in str(found) for each in (*PERSON.split(), MAIL, PHONE, "geheim"))


@given(st.lists(software(), min_size=1, max_size=6, unique=True))
def test_what_is_written_is_read(given_: list[Software]) -> None:
    for form in FORMS.values():
        assert parse(form(given_)).software == tuple(given_)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    heads = (b"", b"<bom xmlns='http://cyclonedx.org/schema/bom/1.4'>", b"SPDXVersion: SPDX-2.3\nPackageName: ", b"{")
    for whole in (head + data for head in (*heads, b'{"bomFormat":"CycloneDX","components":[', b"product;versie\n")):
        found: tuple[Software, ...] = ()
        with suppress(SubscriberError):
            found = parse(whole).software
        assert all(one.product or one.cpe or one.purl for one in found)


def test_components_below_components_and_services() -> None:
    inner = {"name": "b", "version": 2, "components": [{"name": "c", "type": "operating-system"}]}
    services = [{"name": "d", "provider": {"name": "Acme"}, "services": [{"name": "e"}]}]
    about = {"name": "z", "components": [{"name": "y"}]}
    data = bom({"name": "a", "components": [inner]}, services=services, metadata={"component": about})
    assert names(data) == ["z", "y", "a", "b", "c", "d", "e"]
    assert Software("Acme", "d") in parse(data).software
    xml = b"""<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><metadata><component><name>z</name><components><component>
    <name>y</name></component></components></component></metadata><components><component><name>a</name><components>
    <component><name>b</name><version>2</version><components><component type="operating-system"><name>c</name>
    </component></components></component></components></component></components><services><service><provider><name>Acme</name>
    </provider><name>d</name><services><service><name>e</name></service></services></service></services></bom>"""
    assert parse(xml) == parse(data)


def test_what_is_not_in_use_is_not_read() -> None:
    kinds = [{"name": kind, "type": kind} for kind in ("file", "data", "cryptographic-asset", "firmware")]
    assert names(bom(*kinds, {"name": "test", "scope": "excluded"}, {"name": "b", "scope": "optional"})) == [
        "firmware",
        "b",
    ]


def test_who_made_it() -> None:
    def vendor(**keys: Any) -> str:
        return parse(bom({"name": "a"} | keys)).software[0].vendor

    assert vendor(supplier={"name": "S"}, publisher="P", group="g") == "S"
    assert vendor(manufacturer={"name": "M"}, publisher="P") == "M"
    assert vendor(publisher="The Netty Project", group="io.netty") == "The Netty Project"
    assert vendor(publisher="Gerda Geheim, Jan Jansen", group="nl.geheim") == "nl.geheim"
    assert vendor(publisher="Gerda Geheim <g@geheim.example>") == ""
    assert vendor(publisher="Gerda") == vendor(publisher="geheim99", purl="pkg:npm/a@1") == ""
    assert vendor(publisher="Fortinet") == "Fortinet"
    assert vendor(publisher="QOS.ch", group="ch.qos.logback") == "QOS.ch"
    assert vendor(publisher="FasterXML", purl="pkg:maven/com.fasterxml.jackson.core/a@1") == "FasterXML"
    assert vendor(supplier={"name": "Acme (info@acme.example)"}) == "Acme"


def test_a_purl_is_kept_without_what_may_hold_a_login() -> None:
    purl = "pkg:generic/openssl@3.0.7?download_url=https://gerda:geheim@example.org/x#sub/path"
    [one] = parse(bom({"name": "openssl", "version": "3.0.7", "purl": purl})).software
    assert one.purl == "pkg:generic/openssl@3.0.7"


def test_names_that_tell_of_another_version_stand_apart() -> None:
    data = bom({"name": "openssl", "version": "3.0.7-18.el9", "purl": "pkg:generic/openssl@3.0.7",
                "cpe": "cpe:/o:redhat:enterprise_linux:9"})  # fmt: skip
    assert parse(data).software == (
        Software("", "openssl", "3.0.7-18.el9"),
        Software(cpe="cpe:/o:redhat:enterprise_linux:9"),
        Software(purl="pkg:generic/openssl@3.0.7"),
    )


def test_what_cannot_be_parsed_is_kept_as_text_and_listed() -> None:
    rows = b"product;versie;cpe;purl\nA;latest;;\nB;1.0;cpe:2.3:x:v:b:1.0;\n;;cpe:2.3:q:acme:firewall:7;\n"
    rows += b";;;pkg:npm/\nC;2;;\n"
    assert error(rows).startswith("line 5: names no product")
    found = parse(rows.replace(b";;;pkg:npm/\n", b"")).software
    assert [(one.product, one.version, repair(one)) for one in found] == [
        ("A", "latest", "version"),
        ("B", "1.0", "cpe"),
        ("firewall", None, "cpe"),
        ("C", "2", ""),
    ]
    assert found[2] == Software("acme", "firewall", None, "cpe:2.3:q:acme:firewall:7")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Leverancier;Product;Versie\nFortinet;FortiOS;7.2.3\n", [("Fortinet", "FortiOS", "7.2.3")]),
        ("sep=,\nApplicatie,Fabrikant,Versienummer\nWord,Microsoft,2019\n", [("Microsoft", "Word", "2019")]),
        ("name\tvendor\tversion\n7-Zip\tIgor\t23.01\n", [("Igor", "7-Zip", "23.01")]),
        ("Naam,Software\nGerda Geheim,Exchange\n", [("", "Exchange", None)]),
        ("Naam;E-mail;CPE\nGerda;g@x.example;cpe:2.3:a:v:b:1\n", [("", "", None)]),
        ("FortiOS\nWindows Server 2019\n", [("", "FortiOS", None), ("", "Windows Server 2019", None)]),
        ("FortiOS,7.2.3\nnginx,v1.25\n", [("", "FortiOS", "7.2.3"), ("", "nginx", "v1.25")]),
        ("Fortinet,FortiOS\nF5,BIG-IP\n", [("Fortinet", "FortiOS", None), ("F5", "BIG-IP", None)]),
        ("Fortinet|FortiOS|7.2.3\n\n|||\n", [("Fortinet", "FortiOS", "7.2.3")]),
        ("product;versie\nExact;onbekend\n", [("", "Exact", None)]),
        ('product,version\n"Office\n365",1\n', [("", "Office 365", "1")]),
    ],
)
def test_tables(text: str, expected: list[tuple[str, str, str | None]]) -> None:
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), text.replace("\n", "\r\n").encode()):
        assert [(one.vendor, one.product, one.version) for one in parse(data).software] == expected
        assert parse(data).source == "csv"


def test_a_table_as_excel_writes_it_in_western_europe() -> None:
    assert names("product\nDécor\n".encode("cp1252")) == ["Décor"]


def test_columns_of_names_and_purls_need_no_header() -> None:
    found = parse(b"pkg:pypi/django@4.2.1\ncpe:2.3:a:ivanti:connect_secure:22.7:*:*:*:*:*:*:*\n").software
    assert found == (
        Software(purl="pkg:pypi/django@4.2.1"),
        Software(cpe="cpe:2.3:a:ivanti:connect_secure:22.7:*:*:*:*:*:*:*"),
    )


GITHUB = {"sbom": json.loads(spdx_json([DJANGO]))}


def test_other_wrappings(tmp_path: Path) -> None:
    assert parse(json.dumps(GITHUB).encode()).software == (DJANGO,)
    assert parse(cyclonedx_json(WEEK).decode().encode("utf-16")).software == WEEK
    xml = cyclonedx_xml(WEEK).decode().replace('version="1.0"', 'version="1.0" encoding="UTF-16"')
    assert parse(xml.encode("utf-16")).software == WEEK
    for packed in (gzip.compress, bz2.compress, lzma.compress, zipped):
        (tmp_path / "bom").write_bytes(packed(cyclonedx_json(WEEK)))
        assert read(tmp_path / "bom").software == WEEK


def zipped(*bodies: bytes, name: str = "") -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, body in enumerate(bodies):
            archive.writestr(name or f"{n}.json", body)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "line 1: nothing in it"),
        (b'{"geheim":1}', "$: JSON that is no SBOM"),
        (b'[{"geheim":1}]', "$: expected object, got array"),
        (b'{"bomFormat":"CycloneDX",\n"geheim"', "line 2: not readable as JSON"),
        (b'{"bomFormat":"CycloneDX","specVersion":"2.0"}', "$.specVersion: a version that is not read"),
        (b'{"spdxVersion":"SPDX-1.2"}', "$.spdxVersion: a version that is not read"),
        (bom({"name": "a"}, {"name": ["geheim"]}), "$.components[1].name: expected"),
        (bom({"name": "a", "components": [{"purl": {"geheim": 1}}]}), "$.components[0].components[0].purl: expected"),
        (bom({"name": "g" * 400}), "$.components[0]: a text of more than 300 signs"),
        (bom({"name": "g" * 9_000_000}), "$.components[0]: a text of more than 300 signs"),
        (bom(), "it names no software"),
        (b'{"spdxVersion":"SPDX-2.3","packages":[{"name":1}]}', "$.packages[0].name: expected"),
        (b"<geheim/>", "line 1: XML that is no CycloneDX"),
        (b"<bom xmlns='http://cyclonedx.org/schema/bom/1.4'>\n<geheim></bom>", "line 2: not readable as XML (mism"),
        (b"SPDXVersion: SPDX-2.3\ngeheim\n", "line 2: no `Tag: value`"),
        (b"SPDXVersion: SPDX-2.3\nPackageName: a\nPackageComment: <text>geheim", "line 3: a <text> that never ends"),
        (b"eigenaar;versie\ngeheim;1\n", "line 1: no column for the product"),
        (b"a;b;c;d\ngeheim;f;g;h\n", "line 1: what its columns hold cannot be told"),
        (b"product;versie\nA;1\nB;2;geheim\n", "line 3: more cells than the header"),
        (b"vendor;product\nA;B\ngeheim;\n", "line 3: names no product"),
        (b'product\n"geheim', "line 2: a quote that does not end"),
        (b"\x00\x01geheim", "line 1: no text"),
        (zipped(b"{}", b"{}"), "an archive of 2 files"),
        (zipped(b"{}", name="[Content_Types].xml"), "a spreadsheet or the like"),
        (b"%PDF-1.4\ngeheim", "line 1: no text"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_place_and_never_its_value(data: bytes, told: str) -> None:
    said = error(data)
    assert said.startswith(told)
    assert "geheim" not in said.replace("geheim.", "")


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "ha"}{"x" * 10}">' for n in range(9))
    return f"<!DOCTYPE bom [{entities}]><bom xmlns='http://cyclonedx.org/schema/bom/1.4'>&l8;</bom>".encode()


def nested(depth: int) -> bytes:
    return (
        b'{"bomFormat":"CycloneDX","components":' + b'[{"name":"a","components":' * depth + b"[]" + b"}]" * depth + b"}"
    )


def nested_xml(depth: int) -> bytes:
    inner = "<components><component><name>a</name>" * depth + "</component></components>" * depth
    return f"<bom xmlns='http://cyclonedx.org/schema/bom/1.4'>{inner}</bom>".encode()


BOMBS = {
    "entities": laughs(),
    "nested": nested(60),
    "nested deep": nested(100_000),
    "brackets": b'{"bomFormat":"CycloneDX","x":' + b"[" * 1_000_000,
    "nested xml": nested_xml(100_000),
    "many objects": b'{"bomFormat":"CycloneDX","components":[' + b"{}," * (bounds.MOST_OBJECTS + 1) + b"{}]}",
    "many components": b'{"bomFormat":"CycloneDX","components":[' + b'{"name":"a"},' * bounds.MOST_COMPONENTS + b"{}]}",
    "many values": b'{"bomFormat":"CycloneDX","components":[' + b"0," * (bounds.MOST_VALUES + 1) + b"0]}",
    "many cells": b"product" + b";" * (bounds.MOST_VALUES + 1),
    "many lines": b"SPDXVersion: SPDX-2.3" + b"\n" * (bounds.MOST_VALUES + 1),
    "many rows": b"product;versie\n" + b"a;1\n" * (bounds.MOST_COMPONENTS + 1),
    "gzip": gzip.compress(b" " * (200 << 20)),
    "gzip in gzip": gzip.compress(gzip.compress(gzip.compress(b"{}"))),
    "many products": ("product\n" + "\n".join(f"p{n}" for n in range(bounds.MOST_PRODUCTS + 1))).encode(),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_within_bounds(bomb: str) -> None:
    tracemalloc.start()
    began = process_time()
    said = error(BOMBS[bomb])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert any(word in said for word in ("more than", "deeper", "larger", "entities", "no SBOM needs", "archive"))
    assert process_time() - began < 60
    assert peak < 700 << 20


def test_deep_but_within_bounds() -> None:
    assert parse(nested(bounds.DEEPEST)) == parse(nested_xml(bounds.DEEPEST))


def test_difference_of_two_imports() -> None:
    old = (
        Software("Fortinet", "FortiOS", "7.2.3"),
        Software("A", "a", "1"),
        Software(purl="pkg:pypi/django@4.2.1"),
        ODD,
    )
    new = (Software("FORTINET", "FortiOS", "7.2.4"), Software("B", "b"), Software(purl="pkg:pypi/django@4.2.2"), ODD)
    found = difference(old, new)
    assert found.added == (Software("B", "b"),)
    assert found.removed == (Software("A", "a", "1"),)
    assert found.changed == ((old[0], new[0]), (old[2], new[2]))
    assert difference(new, new) == difference((), ()) == ((), (), ())


@given(st.lists(software(), max_size=8), st.lists(software(), max_size=8))
def test_a_difference_leads_from_one_to_the_other(old: list[Software], new: list[Software]) -> None:
    found = difference(old, new)
    away = {*found.removed, *(before for before, _ in found.changed)}
    come = {*found.added, *(after for _, after in found.changed)}
    assert (set(old) - away) | come == set(new)
    assert away <= set(old)
    assert not away & set(new)
    assert not come & set(old)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.json", tmp_path):
        with pytest.raises(SubscriberError, match="no such file"):
            read(path)


# Real files


@pytest.mark.corpus
def test_every_real_file_is_read(corpus: Path) -> None:
    counts = {}
    for path in sorted((corpus / "sbom").glob("*/*")):
        found = read(path)
        counts[path.name] = len(found.software)
        assert found.source == "sbom"
        assert all(one.product or one.cpe or one.purl for one in found.software)
        assert "@example" not in str(found)
    assert len(counts) == 23
    # What the files say, counted by hand: components, what they are about, and services; without repetitions.
    assert counts["saasbom.json"] == 7
    assert counts["hbom.json"] == 7
    assert counts["dropwizard-1.3.15.json"] == 168
    assert counts["cdx-zookeeper-3.9.2-cyclonedx.json"] == 36
    assert counts["example1.spdx"] == counts["hello-source.spdx.json"] == counts["bom-no-purl.json"] == 1


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cyclonedx/cern-lhc-vdm-editor.json", "cyclonedx/cern-lhc-vdm-editor.xml"),
        ("cyclonedx/laravel-7.12.0.1.2.json", "cyclonedx/laravel-7.12.0.1.4.json"),
        ("trustify/cdx-openssl-3.0.7-18.el9_2.cdx_1.6.sbom.json", "trustify/spdx-openssl-3.0.7-18.el9_2.spdx.json"),
    ],
)
def test_one_program_in_two_formats_gives_one_profile(corpus: Path, one: str, other: str) -> None:
    found = [set(read(corpus / "sbom" / name).software) for name in (one, other)]
    assert found[0] == found[1]
    assert len(found[0]) > 7


@pytest.mark.corpus
def test_people_in_real_files_are_not_read(corpus: Path) -> None:
    said = " ".join(str(read(path)) for path in (corpus / "sbom").glob("*/*"))
    for person in ("Samantha", "Joane", "Steve Winslow", "Nisha", "Stark", "Shigeru", "Walnes", "800-555", "swinslow"):
        assert person not in said
