# ruff: noqa: E501 - tables of documents
"""X-ARF reports, tables of indicators, newsletters and mails with reports, with canaries in every place.

Sent as they are, not in base64, so that a test can see that each value is there. Names stand where the format or its
use has a place for them: contacts, greetings, subjects, file names, descriptions of a market party.
"""

import json
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from tests.app.canary import Document, Planter

AT = "2026-03-02T08:00:00Z"


def documents(planter: Planter) -> Iterator[Document]:
    """All of them, some that cannot be read, and some inside of mails."""
    yield _json("xarf-3.json", _three(planter))
    yield _json("xarf-3-fout.json", _broken(planter))
    yield _json("xarf-3-account.json", _account(planter))
    yield _json("xarf-4.json", _four(planter))
    yield Document("market", _plain(planter).encode(), "xarf", "xarf-02.txt")
    yield Document("market", _table(planter).encode(), "csv", f"iocs-{planter.user('csv file name')}.csv")
    yield Document("market", _list(planter).encode(), "csv", "lijst.txt")
    for source in ("news", "market"):
        yield Document(source, _newsletter(planter, source), "rss", f"{source}-nieuwsbrief.eml")
    yield Document("market", _letter(planter), "rss", f"brief-{planter.user('letter file name')}.eml")
    yield Document("shadowserver", _report_mail(planter), "auto", "rapport.eml")
    yield Document("market", _broken_mail(planter), "auto", "kapot.eml")
    for source in ("ncsc-nl", "market"):
        yield Document(source, _statuses(planter, f"status list {source}").encode(), "list", f"software-{source}.md")


def _statuses(planter: Planter, at: str) -> str:
    return f"""# Software, vraag {planter.email(f"{at} title")}
{planter.prose(f"{at} text")}

| Supplier | Product | Version | Status CVE-2024-{len(planter.planted):05d} | Notes | Links |
|----------|---------|---------|-----------------------|-------|-------|
| {planter.email(f"{at} supplier")} | Ding | 1.0 | Vulnerable | {planter.prose(f"{at} note")} | https://x.example/?m={planter.email(f"{at} link")} |
| Bode | Ding van {planter.email(f"{at} product")} | 1.0 | Workaround | {planter.prose(f"{at} workaround")} | [{planter.email(f"{at} words")}](https://x.example) |
| Bode | Ding | {planter.email(f"{at} version")} | Fix | | |
| Bode | Iets | 1.0 | {planter.email(f"{at} status")} | | |
"""


def _json(name: str, document: dict[str, Any]) -> Document:
    return Document("market", json.dumps(document, ensure_ascii=False).encode(), "xarf", name)


def _reporter(planter: Planter, at: str) -> dict[str, Any]:
    return {
        "ReporterOrg": planter.name(f"{at} org"), "ReporterOrgDomain": "bode.example", "ReporterOrgEmail": planter.email(f"{at} org email"),
        "ReporterOrgAddress": planter.email(f"{at} address"), "ReporterContactEmail": planter.email(f"{at} contact email"),
        "ReporterContactName": planter.name(f"{at} contact name"), "ReporterContactPhone": planter.user(f"{at} contact phone"),
    }  # fmt: skip


def _three(planter: Planter) -> dict[str, Any]:
    at = "xarf 3"
    return {
        "Version": "3", "Disclosure": True, "ReporterInfo": _reporter(planter, at),
        "OnBehalfOf": {"ComplainantOrg": planter.name(f"{at} complainant"), "ComplainantOrgDomain": "bode.example",
                       "ComplainantOrgEmail": planter.email(f"{at} complainant email"), "ComplainantContactName": planter.name(f"{at} complainant name")},
        "InternalProcessing": {"SubscriberInformation": {"ID": planter.user(f"{at} subscriber")}, "EventTags": [planter.email(f"{at} tag")]},
        planter.user(f"{at} unknown key"): planter.email(f"{at} unknown value"),
        "Report": {
            "ReportClass": "Content", "ReportType": "Malware", "ReportSubType": planter.email(f"{at} subtype"), "Date": AT,
            "SourceIp": planter.ipv4(f"{at} source"), "SourcePort": 443, "SourceUrl": f"https://x.example/~{planter.user(f'{at} url path')}?m={planter.email(f'{at} url')}",
            "ReporterCaseID": planter.user(f"{at} case"), "ReporterNotes": planter.prose(f"{at} notes"), "MalwareName": planter.email(f"{at} malware"),
            "ThreatActor": planter.name(f"{at} actor"), "DestinationIp": planter.ipv6(f"{at} destination"), "Custom": {"klant": planter.name(f"{at} custom")},
            "Samples": [{"ContentType": "text/plain", "Base64Encoded": False, "Description": planter.prose(f"{at} sample description"),
                         "Payload": planter.prose(f"{at} payload")}, {"FileName": planter.user(f"{at} file name")}],
        },
    }  # fmt: skip


def _broken(planter: Planter) -> dict[str, Any]:
    at = "xarf 3 with faults"
    return {
        "Version": "3", "Disclosure": planter.email(f"{at} disclosure"), "ReporterInfo": {planter.user(f"{at} key"): planter.email(f"{at} value")},
        "Report": {"ReportClass": planter.email(f"{at} class"), "ReportType": planter.user(f"{at} type"), "Date": planter.email(f"{at} date"),
                   "SourceIp": planter.email(f"{at} source"), "CVE": planter.user(f"{at} cve"), "Samples": [planter.email(f"{at} sample")]},
    }  # fmt: skip


def _account(planter: Planter) -> dict[str, Any]:
    at = "xarf 3 account"
    return {
        "Version": "3", "Disclosure": True, "ReporterInfo": _reporter(planter, at),
        "Report": {"ReportClass": "Activity", "ReportType": "PotentiallyCompromisedAccount", "Date": AT, "AttackerIp": planter.ipv4(f"{at} attacker"),
                   "Account": {"AccountEmail": planter.email(f"{at} email"), "AccountIdentifier": planter.user(f"{at} login")},
                   "PasswordHash": {"HashAlgorithm": "bcrypt", "HashValue": planter.secret(f"{at} password")}},
    }  # fmt: skip


def _four(planter: Planter) -> dict[str, Any]:
    at = "xarf 4"
    who = {"org": planter.name(f"{at} org"), "contact": planter.email(f"{at} contact"), "domain": "bode.example"}
    return {
        "xarf_version": "4.2.0", "report_id": planter.user(f"{at} id"), "timestamp": AT, "reporter": who, "sender": who,
        "source_identifier": planter.ipv6(f"{at} source"), "category": "infrastructure", "type": "botnet", "source_port": 443,
        "malware_family": planter.email(f"{at} family"), "c2_server": planter.ipv4(f"{at} c2"), "url": f"https://x.example/?m={planter.email(f'{at} url')}",
        "description": planter.prose(f"{at} description"), "remediation": planter.prose(f"{at} remediation"), "service": planter.email(f"{at} service"),
        "tags": [f"jan:{planter.user(f'{at} tag')}"], "destination_ip": planter.ipv4(f"{at} destination"), "smtp_from": planter.email(f"{at} smtp"),
        "evidence": [{"content_type": "text/plain", "description": planter.name(f"{at} evidence"), "payload": planter.prose(f"{at} payload")}],
        "_internal": {"analyst": planter.name(f"{at} analyst")}, planter.user(f"{at} unknown key"): planter.email(f"{at} unknown value"),
    }  # fmt: skip


def _plain(planter: Planter) -> str:
    at = "xarf 0.2"
    return (
        f"---\nReported-From: {planter.email(f'{at} from')}\nCategory: abuse\nReport-Type: login-attack\nService: {planter.email(f'{at} service')}\n"
        f"User-Agent: {planter.user(f'{at} agent')}\nDate: Mon, 02 Mar 2026 08:00:00 +0100\nSource-Type: ip-address\nSource: {planter.ipv4(f'{at} source')}\n"
        f"Report-ID: {planter.email(f'{at} id')}\nOrganization: {planter.name(f'{at} organization')}\n{planter.prose(f'{at} free line')}\n"
    )


def _table(planter: Planter) -> str:
    plain = "192.0.2.5,ipaddress,Scan,malicious,emotet,high,x"
    rows = [
        f"{planter.ipv4('csv address')},ipaddress,x,malicious,,,x",
        f"{planter.ipv4('csv address of a c2')}:443,ipaddress,x,c2,emotet,,x",
        f"{planter.ipv6('csv address of a victim')},ipaddress,x,compromised,,,x",
        f"{planter.email('csv mail')},emailwhois,x,,,,x",
        f"https://x.example/?m={planter.email('csv url')},url,x,phishing,,,x",
        f"{planter.email('csv file')}.exe,filename,x,malicious,,,x",
        f"C:\\Users\\{planter.user('csv path')}\\a.exe,filepath,x,,,,x",
        f"{planter.mac('csv mac')},mac,x,,,,x",
        f'192.0.2.5,ipaddress,"{planter.prose("csv description")} {planter.name("csv name in a description")}",,,,x',
        f"192.0.2.6,ipaddress,x,{planter.email('csv category')},{planter.email('csv family')},{planter.email('csv confidence')},x",
        f"192.0.2.7,ipaddress,x,,,,{planter.email('csv column that nobody knows')}",
        f"{planter.user('csv no value')},naam,x,,,,x",
        f"192.0.2.8 {planter.email('csv value beside a value')},ipaddress,x,,,,{planter.name('csv owner')}",
        f'"{planter.email("csv open quote")}',
    ]
    head = f"# Lijst van {planter.email('csv comment')}\nvalue,type,description,category,malware,confidence,eigenaar\n"
    return head + "\n".join([plain, *rows]) + "\n"


def _list(planter: Planter) -> str:
    return (
        f"; gemaakt door {planter.name('list comment')}\n{planter.ipv4('list address')} ; {planter.email('list note')}\n"
        f"{planter.ipv4('list address of a second')} ; SBL1\n{planter.ipv4('list five octets')}.7 ; SBL2\n"
    )


def _mail(planter: Planter, at: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP.clone(max_line_length=None))
    message["From"] = f'"{planter.name(f"{at} from")}" <{planter.email(f"{at} from")}>'
    message["To"] = planter.email(f"{at} to")
    message["Cc"] = planter.email(f"{at} cc")
    message["Message-ID"] = f"<{planter.email(f'{at} message id')}>"
    message["Date"] = "Mon, 02 Mar 2026 08:00:00 +0100"
    message["X-Originating-IP"] = planter.ipv4(f"{at} header")
    return message


def _newsletter(planter: Planter, source: str) -> bytes:
    at = f"newsletter {source}"
    message = _mail(planter, at)
    message["Subject"] = f"Nieuwsbrief voor {planter.email(f'{at} subject')}"
    message["List-Unsubscribe"] = f"<https://bode.example/weg?m={planter.email(f'{at} unsubscribe')}>"
    html = f"""<html><head><title>{planter.email(f"{at} title")}</title></head><body><p>Beste {planter.name(f"{at} greeting")},</p>
<h2>Lek bij {planter.email(f"{at} heading")}</h2><p onclick="{planter.user(f"{at} attribute")}">{planter.prose(f"{at} text")}</p><!-- {planter.email(f"{at} comment")} -->
<p><a href="https://bode.example/lek?lezer={planter.email(f"{at} link")}&amp;id=1">Lees meer</a><img src="https://t.bode.example/o.gif?m={planter.email(f"{at} pixel")}"></p>
<h2>Nog een lek in een tweede product</h2><p>Werk bij.<a href="https://click.bode.example/{planter.user(f"{at} tracker")}0123456789abcdef">hier</a></p>
<p>U ontvangt deze mail op {planter.email(f"{at} footer")}. Afmelden</p><p>Met vriendelijke groet,</p><p>{planter.name(f"{at} signature")}</p></body></html>"""
    message.set_content(f"Beste lezer,\n\n{planter.prose(f'{at} plain text')}\n", cte="8bit")
    message.add_alternative(html, subtype="html", cte="8bit")
    message.set_boundary("brief")
    return bytes(message)


def _letter(planter: Planter) -> bytes:
    at = "letter"
    message = _mail(planter, at)
    message["Subject"] = f"Gesprek met {planter.name(f'{at} subject')}"
    message.set_content(
        f"Hoi {planter.name(f'{at} greeting')},\n\n{planter.prose(f'{at} text')} Groet van {planter.name(f'{at} text')}.\n\n-- \n{planter.name(f'{at} signature')}\n",
        cte="8bit",
    )
    return bytes(message)


def _report_mail(planter: Planter) -> bytes:
    at = "report mail"
    message = _mail(planter, at)
    message["Subject"] = f"Rapport over {planter.ipv4(f'{at} subject')}"
    message.set_content(planter.prose(f"{at} text"), cte="8bit")
    rows = f'"timestamp","ip","asn","geo","tag"\n"2026-03-02 01:02:03","{planter.ipv4(f"{at} address")}",64500,"NL","rdp"\n'
    message.add_attachment(rows, subtype="csv", filename=f"{planter.user(f'{at} file name')}.csv", cte="8bit")
    inner = _mail(planter, f"{at} inside")
    inner["Subject"] = planter.name(f"{at} inside subject")
    inner.set_content(planter.prose(f"{at} inside text"), cte="8bit")
    inner.add_attachment(f"geen formaat: {planter.email(f'{at} inside attachment')}\n", filename="a.txt", cte="8bit")
    inner.set_boundary("binnen")
    message.add_attachment(inner)
    message.set_boundary("buiten")
    return bytes(message)


def _broken_mail(planter: Planter) -> bytes:
    at = "broken mail"
    return (
        f"From: {planter.email(f'{at} from')}\nSubject: {planter.name(f'{at} subject')}\nMIME-Version: 1.0\n"
        f"Content-Type: multipart/mixed; boundary={planter.user(f'{at} boundary')}\n\n--{planter.user(f'{at} other boundary')}\n"
        f"Content-Type: application/zip; name={planter.user(f'{at} name')}.zip\n\nPK\x03\x04{planter.email(f'{at} zip')}\n"
    ).encode()
