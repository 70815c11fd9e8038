# ruff: noqa: E501 - tables of documents
"""CSAF, KEV, CVE, RSS, Atom and Shadowserver documents with canaries.

Public sources (KEV, CVE, news, NCSC) carry no names in their prose by policy; what recognisers know is planted there
too, names only where the format has a place for them.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from tests.app import canary_abuse, canary_misp
from tests.app.canary import Document, Planter

AT = "2026-03-02T08:00:00.000Z"
RDP = (
    "timestamp", "ip", "port", "hostname", "tag", "asn", "geo", "region", "city", "subject_common_name",
    "issuer_common_name", "sector", "username", "servername", "url", "device_model", "onbekend",
)  # fmt: skip


def documents(planter: Planter) -> Iterator[Document]:
    """All of them, and some that cannot be read."""
    for source in ("ncsc-nl", "market"):
        yield _json(source, "csaf", f"csaf-{source}.json", _csaf(planter, source))
    yield _json("kev", "kev", "kev.json", _kev(planter))
    yield _json("cve", "cve", "CVE-2024-55591.json", _cve(planter))
    yield Document("news", _rss(planter).encode(), "rss", "news.xml")
    yield Document("news", _atom(planter).encode(), "rss", "news.atom")
    name = f"2026-03-02-scan_rdp-{planter.user('shadowserver file name')}.csv"
    yield Document("shadowserver", _rows(planter).encode(), "shadowserver", name)
    yield Document("shadowserver", _broken_rows(planter).encode(), "shadowserver", "2026-03-02-scan_smb-nl.csv")
    yield Document("shadowserver", _events(planter).encode(), "shadowserver", "2026-03-02-event4_sinkhole_http-nl.csv")
    odd = f'"timestamp","ip","src_ip","asn"\n"2026-03-02 01:02:03","192.0.2.5","{planter.ipv4("shadowserver two addresses")}",64500\n'
    yield Document("shadowserver", odd.encode(), "shadowserver", "2026-03-02-scan_dns-nl.csv")
    yield Document("market", f"geen formaat, wel {planter.email('unknown format')}\n".encode(), "auto", "onbekend.txt")
    yield Document("market", b"\xff\xfe{" + planter.email("not UTF-8").encode(), "auto", "bytes.json")
    yield Document(
        "news", f"<rss><channel><item><title>{planter.email('broken XML')}</tit".encode(), "rss", "kapot.xml"
    )
    entity = planter.email("XML entity")
    yield Document(
        "news", f'<!DOCTYPE r [<!ENTITY a "{entity}">]><rss><channel><item><title>&a;'.encode(), "rss", "e.xml"
    )
    yield from canary_misp.documents(planter)
    yield from canary_abuse.documents(planter)


def _json(source: str, kind: str, name: str, document: dict[str, Any]) -> Document:
    return Document(source, json.dumps(document, ensure_ascii=False).encode(), kind, name)


def _csaf(planter: Planter, source: str) -> dict[str, Any]:
    def at(where: str) -> str:
        return f"csaf {source} {where}"

    def thanks(where: str) -> list[dict[str, Any]]:
        return [{"names": [planter.name(at(f"{where} names"))], "summary": planter.prose(at(f"{where} summary")),
                 "organization": planter.email(at(f"{where} organization")),
                 "urls": [f"https://x.example/?m={planter.email(at(f'{where} urls'))}"]}]  # fmt: skip

    return {
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "lang": "nl",
            "title": f"Lek in FortiOS, gemeld door {planter.email(at('title'))}",
            "distribution": {"text": planter.prose(at("distribution")), "tlp": {"label": "WHITE"}},
            "publisher": {"category": "coordinator", "name": "Nationaal Cyber Security Centrum", "namespace": "https://www.ncsc.nl/",
                          "contact_details": planter.email(at("contact_details")), "issuing_authority": planter.prose(at("authority"))},
            "acknowledgments": thanks("acknowledgments"),
            "notes": [{"category": "description", "title": title, "text": planter.prose(at(title))}
                      for title in ("Feiten", "Interpretaties", "Oplossingen", "Anders")]
                     + [{"category": "general", "title": planter.email(at("note title")), "text": "x", "audience": planter.email(at("audience"))}],
            "references": [{"summary": planter.email(at("reference")), "url": f"https://x.example/?m={planter.email(at('url'))}"}],
            "source_lang": "nl",
            "tracking": {"id": f"NCSC-2026-99{'01' if source == 'market' else '02'}", "status": "final", "version": "1.0.0",
                         "aliases": [planter.email(at("alias"))], "current_release_date": AT, "initial_release_date": AT,
                         "generator": {"engine": {"name": planter.email(at("engine"))}},
                         "revision_history": [{"date": AT, "number": "1.0.0", "summary": planter.prose(at("revision"))}]},
            planter.user(at("key")): 1,
        },
        "product_tree": {"branches": [{"category": "vendor", "name": "Fortinet", "branches": [
            {"category": "product_name", "name": "FortiOS", "branches": [{"category": "product_version_range", "name": "vers:unknown/7.2.3",
             "product": {"name": planter.email(at("product")), "product_id": "P1"}}]}]}]},
        "vulnerabilities": [{
            "cve": "CVE-2024-55591", "title": planter.email(at("vulnerability title")), "acknowledgments": thanks("vulnerability"),
            "ids": [{"system_name": planter.email(at("system")), "text": planter.email(at("id"))}],
            "notes": [{"category": "other", "title": "CWE-288", "text": planter.prose(at("vulnerability note"))}],
            "involvements": [{"party": "vendor", "status": "open", "summary": planter.prose(at("involvement"))}],
            "product_status": {"known_affected": ["P1"]},
            "references": [{"summary": "x", "url": f"https://u{planter.user(at('userinfo'))}:p@x.example/"}],
            "remediations": [{"category": "vendor_fix", "details": planter.prose(at("remediation")), "product_ids": ["P1"]}],
            "threats": [{"category": "impact", "details": planter.prose(at("threat"))}],
        }],
    }  # fmt: skip


def _kev(planter: Planter) -> dict[str, Any]:
    entry = {
        "cveID": "CVE-2024-21762", "vendorProject": "Fortinet", "product": "FortiOS",
        "vulnerabilityName": f"FortiOS {planter.email('kev name')}", "dateAdded": "2026-03-02", "dueDate": "2026-03-09",
        "shortDescription": planter.prose("kev description"), "requiredAction": planter.prose("kev action"),
        "knownRansomwareCampaignUse": "Known", "notes": planter.prose("kev notes"), "cwes": [planter.email("kev cwes")],
    }  # fmt: skip
    broken = entry | {"cveID": planter.email("kev broken id"), "notes": planter.name("kev broken entry")}
    return {"title": planter.email("kev title"), "catalogVersion": "2026.03.02", "dateReleased": AT, "count": 2,
            "vulnerabilities": [entry, broken]}  # fmt: skip


def _cve(planter: Planter) -> dict[str, Any]:
    return {
        "dataType": "CVE_RECORD", "dataVersion": "5.1",
        "cveMetadata": {"cveId": "CVE-2024-55591", "state": "PUBLISHED", "assignerShortName": planter.email("cve assigner"),
                        "requesterUserId": planter.user("cve requester"), "dateUpdated": AT},
        "containers": {"cna": {
            "providerMetadata": {"orgId": "00000000-0000-4000-9000-000000000000", "shortName": planter.email("cve provider")},
            "title": planter.email("cve title"),
            "descriptions": [{"lang": "en", "value": planter.prose("cve description"),
                              "supportingMedia": [{"type": "text/html", "value": f"<p>{planter.prose('cve media')}</p>"}]}],
            "affected": [{"vendor": "Fortinet", "product": "FortiOS", "repo": f"https://{planter.user('cve repo')}@x.example/r",
                          "versions": [{"version": "7.0.0", "lessThan": "7.0.17", "status": "affected"}]}],
            "credits": [{"lang": "en", "type": "finder", "user": planter.user("cve credit user"), "value": planter.name("cve credits")}],
            "solutions": [{"lang": "en", "value": planter.prose("cve solution")}],
            "workarounds": [{"lang": "en", "value": planter.prose("cve workaround")}],
            "timeline": [{"lang": "en", "time": AT, "value": planter.prose("cve timeline")}],
            "references": [{"url": f"https://x.example/?m={planter.email('cve url')}", "name": planter.email("cve reference"),
                            "tags": [planter.email("cve tag")]}],
            "source": {"discovery": planter.email("cve discovery")}, "x_generator": {"engine": planter.user("cve generator")},
        }},
    }  # fmt: skip


def _rss(planter: Planter) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>{planter.email("rss channel")}</title><link>https://bode.example/</link><description>x</description>
<managingEditor>{planter.email("rss editor")} ({planter.name("rss editor name")})</managingEditor>
<item><title>Lek bij {planter.email("rss title")}</title>
<link>https://bode.example/lek?lezer={planter.email("rss link")}</link>
<description><![CDATA[<p>{planter.prose("rss description")}</p><!-- {planter.email("rss comment")} -->]]></description>
<content:encoded><![CDATA[<img alt="{planter.email("rss alt")}" src="x">{planter.prose("rss content")}]]></content:encoded>
<author>{planter.email("rss author")} ({planter.name("rss author name")})</author><dc:creator>{planter.name("rss creator")}</dc:creator>
<category>{planter.email("rss category")}</category><comments>https://bode.example/?m={planter.email("rss comments")}</comments>
<enclosure url="https://bode.example/a.mp3?m={planter.email("rss enclosure")}" length="1" type="audio/mpeg"/>
<guid isPermaLink="false">{planter.email("rss guid")}</guid><pubDate>Mon, 02 Mar 2026 08:00:00 +0100</pubDate></item>
</channel></rss>"""


def _atom(planter: Planter) -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>tag:krant.example,2026:f</id><title>Krant</title><updated>{AT}</updated>
<entry><id>tag:krant.example,2026:{planter.user("atom id")}</id><title>Storing</title><updated>{AT}</updated>
<author><name>{planter.name("atom author")}</name><email>{planter.email("atom email")}</email></author>
<contributor><name>{planter.name("atom contributor")}</name></contributor><rights>{planter.name("atom rights")}</rights>
<link href="https://krant.example/1?m={planter.email("atom link")}" title="{planter.email("atom link title")}"/>
<summary type="html">&lt;p&gt;{planter.prose("atom summary")}&lt;/p&gt;</summary>
<content type="html">{planter.prose("atom content")}</content></entry></feed>"""


def _rows(planter: Planter) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, RDP, lineterminator="\n")
    writer.writeheader()
    plain = {"timestamp": "2026-03-02 01:02:03", "port": 3389, "tag": "rdp", "asn": 64500, "geo": "NL"}
    for column in RDP:
        if column in plain and column != "tag":
            continue
        place = f"shadowserver {column}"
        value = planter.ipv4(place) if column.endswith("ip") else planter.email(place)
        value = f"https://x.example/?m={value}" if column == "url" else value
        writer.writerow(plain | {"ip": "192.0.2.5"} | {column: value})
    writer.writerow(
        plain
        | {"ip": planter.ipv6("shadowserver ipv6"), "hostname": planter.user("shadowserver host") + ".dsl.example"}
    )
    dashed = planter.ipv4("shadowserver address in hostname").replace(".", "-")
    writer.writerow(plain | {"ip": "192.0.2.5", "hostname": f"static-{dashed}.dsl.example"})
    writer.writerow(plain | {"ip": "192.0.2.5", "onbekend": planter.user("shadowserver unknown column")})
    writer.writerow(plain | {"ip": "192.0.2.5", "onbekend": planter.name("shadowserver unknown column")})
    writer.writerow(plain | {"ip": "192.0.2.5", "subject_common_name": f"PC-{planter.user('shadowserver machine')}"})
    return out.getvalue()


def _events(planter: Planter) -> str:
    """Two addresses a row: an infected machine, and the sinkhole it called."""
    columns = (
        "timestamp",
        "src_ip",
        "src_asn",
        "src_geo",
        "src_hostname",
        "dst_ip",
        "dst_hostname",
        "http_url",
        "http_agent",
        "http_referer",
        "tag",
    )
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerow({
        "timestamp": "2026-03-02 01:02:03", "src_ip": planter.ipv4("event src_ip"), "src_asn": 64500, "src_geo": "NL",
        "src_hostname": planter.user("event src_hostname") + ".dsl.example", "dst_ip": planter.ipv4("event dst_ip"),
        "dst_hostname": planter.email("event dst_hostname"), "http_url": f"/?m={planter.email('event http_url')}",
        "http_agent": planter.email("event http_agent"), "http_referer": planter.email("event http_referer"), "tag": "andromeda",
    })  # fmt: skip
    return out.getvalue()


def _broken_rows(planter: Planter) -> str:
    return (
        f'"timestamp","ip","port","hostname","{planter.user("shadowserver column name")}"\n'
        f'"2026-03-02 01:02:03","{planter.ipv4("shadowserver five octets")}.7",445,"h","x"\n'
        f'"2026-03-02 01:02:03","{planter.email("shadowserver not an address")}",445\n'
        f'"{planter.email("shadowserver not a time")}","192.0.2.5","{planter.email("shadowserver not a port")}","",""\n'
        f'"2026-03-02 01:02:03","192.0.2.5",445,"h","x","{planter.email("shadowserver one cell too many")}"\n'
        f'"2026-03-02 01:02:03","{planter.email("shadowserver open quote")}'
    )
