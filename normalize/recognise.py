"""What a document is, by its content: the keys of a JSON document, the root of an XML one, the first lines of text.

Documents that lie beside what we read (feeds' own indexes, schemas, bills of materials) are refused in words that a
person agrees with. Names and extensions of files play no part.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from ingest import Format
from ingest.messages import is_message
from normalize import NormalizeError, abuse
from normalize.stix_types import is_id

UNKNOWN = "not a format that is known"
HEAD = 64 << 10

_Keys = Mapping[str, Raw]

_BESIDE: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), reason)
    for keys, reason in (
        ("feed", "a ROLIE feed: a CSAF distribution file that lists advisories, not an advisory"),
        ("service", "a ROLIE service document: a CSAF distribution file, not an advisory"),
        ("categories", "a ROLIE category document: a CSAF distribution file, not an advisory"),
        ("aggregator aggregator_version", "a CSAF aggregator: a CSAF distribution file, not an advisory"),
        ("canonical_url metadata_version", "CSAF provider metadata: a CSAF distribution file, not an advisory"),
        ("bomFormat", "a software bill of materials, not threat information"),
        ("spdxVersion", "a software bill of materials, not threat information"),
        ("namespace predicates", "a MISP taxonomy, not an event"),
        ("list matching_attributes", "a MISP warning list, not an event"),
        ("list type version", "a MISP warning list, not an event"),
        ("api_roots", "a TAXII answer about the server itself, not a bundle"),
        ("collections", "a TAXII list of collections, not a bundle"),
        ("/discovery", "all that a TAXII server holds, not a bundle"),
        ("file id report type", "a list of Shadowserver reports, not a report"),
        ("testschema_version tests", "a list of test cases, not data"),
    )
)
_XARF = frozenset(("ReporterInfo", "xarf_version", "Reported-From"))
_KEV_HEAD = re.compile(rb'\A"?cveID"?,\s*"?vendorProject\b')
_EPSS_HEAD = re.compile(rb"\A(?:#model_version:[^\n]*\n)?cve,epss\b", re.IGNORECASE)
_CHANGES = re.compile(rb'\A\s*"?[\w./-]+\.json"?,"?\d{4}-\d\d-\d\dT')
_INDEX = re.compile(rb"\A\s*(?:[\w./-]+\.json\s+)+\Z")
_MARKDOWN = re.compile(rb"\A# \S[^\0]*?(?:\]\(|^```|^## \w)|^\|?[ :]*+-{3}[-: ]*+\|", re.MULTILINE)
_PATTERN = re.compile(rb"\A[(\s]*\[\s*[a-z][a-z0-9-]*:")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MEMBER = re.compile(rb'"[\w./:-]{0,80}"\s*:\s*(?:["\[{\d-]|true|false|null)')
_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")


def recognise(body: bytes) -> Format:
    """The format of a document (UTF-8, or XML in any encoding). Raises NormalizeError with the reason it is refused."""
    head = body[:HEAD].lstrip()
    if _PATTERN.match(head):
        raise NormalizeError("STIX patterns by themselves; they belong in indicators")
    if head[:1] in (b"{", b"["):
        return _json(body)
    if head[:8].replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf")[:1] == b"<":
        return _xml(head)
    return _text(head)


def _json(body: bytes) -> Format:
    top = decoded(body, Raw)
    if bytes(top).lstrip()[:1] == b"[":
        parts = decoded(body, list[Raw])
        first = bytes(parts[0]) if parts else b""
        if not first.lstrip().startswith(b"{"):
            words = "a list of words, not of documents" if first.lstrip().startswith(b'"') else UNKNOWN
            raise NormalizeError("an empty list" if not parts else words)
        return _of_keys(decoded(first, dict[str, Raw]), listed=True)
    return _of_keys(decoded(body, dict[str, Raw]), listed=False)


def decoded(body: bytes, kind: Any) -> Any:
    """JSON as that type. NormalizeError names the line, never the content. Of a key given twice the last counts."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError:
        raise NormalizeError("nested deeper than is read", stage="shape") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(body, str(error)) from None


def _broken(body: bytes, message: str) -> NormalizeError:
    at = re.search(r"\(byte (\d+)\)", message)
    if "truncated" in message:
        return NormalizeError("not valid JSON: it is cut off")
    path = f"line {body.count(10, 0, int(at[1])) + 1}" if at else ""
    if "trailing characters" in message:
        return NormalizeError("not valid JSON: something follows the document; one document a file", path)
    return NormalizeError("not valid JSON", path)


def _of_keys(keys: _Keys, *, listed: bool) -> Format:
    """By the keys of the document, or of the first element of a list."""
    if b"json-schema.org" in _raw(keys, "$schema"):
        raise NormalizeError("a JSON schema, not data")
    if _is_stix(keys, listed=listed):
        return "stix"
    if not listed and _raw(keys, "document").startswith(b"{"):
        return "csaf"
    if not _XARF.isdisjoint(keys):
        return "xarf"
    if listed and abuse.is_row(keys):
        return "shadowserver"
    for needed, reason in _BESIDE:
        if needed <= keys.keys():
            raise NormalizeError(reason)
    return _vulnerabilities(keys) or _events(keys)


def _is_stix(keys: _Keys, *, listed: bool) -> bool:
    stated = _string(keys, "type")
    if stated == "bundle":
        return True
    identifier = _string(keys, "id")
    if stated and is_id(identifier) and identifier.startswith(f"{stated}--"):
        return True
    if listed or "objects" not in keys or stated:
        return False
    # A TAXII 2.1 envelope (5.1): objects, more, next.
    inside = _raw(keys, "objects")
    return inside.startswith(b"[") and (
        keys.keys() <= {"objects", "more", "next"} or b'"spec_version"' in inside[:HEAD]
    )


def _vulnerabilities(keys: _Keys) -> Format | None:
    listed = _raw(keys, "vulnerabilities")
    if listed.startswith(b"[") and ("catalogVersion" in keys or b'"cveID"' in listed[:HEAD]):
        return "kev"
    if "cveMetadata" in keys or "containers" in keys or _string(keys, "dataType") == "CVE_RECORD":
        return "cve"
    if (listed and "resultsPerPage" in keys) or ("vulnStatus" in keys and "descriptions" in keys):  # the NVD's
        return "cve"
    if "enisaUuid" in keys or b'"enisaUuid"' in _raw(keys, "items")[:HEAD]:  # the EUVD's
        return "cve"
    if b'"epss"' in _raw(keys, "data")[:HEAD] or {"cve", "epss"} <= keys.keys():
        return "epss"
    return None


def _events(keys: _Keys) -> Format:
    if "Event" in keys or ("info" in keys and keys.keys() & {"Attribute", "Object", "threat_level_id", "analysis"}):
        return "misp"
    if b'"Event"' in _raw(keys, "response")[:HEAD] or keys.keys() == {"response"}:
        return "misp"
    if "Feed" in keys:
        raise NormalizeError("a list of MISP feeds, not an event")
    if "SharingGroup" in keys:
        raise NormalizeError("a list of MISP sharing groups, not an event")
    if "GalaxyCluster" in keys:
        raise NormalizeError("a MISP galaxy, not an event")
    if keys.keys() <= {"Object", "Attribute"} and keys:
        raise NormalizeError("parts of a MISP event without the event")
    if keys and all(map(_UUID.fullmatch, keys)):
        raise NormalizeError("the manifest of a MISP feed: it lists events, and is none")
    raise NormalizeError(UNKNOWN)


def _raw(keys: _Keys, name: str) -> bytes:
    return bytes(keys[name]).lstrip() if name in keys else b""


def _string(keys: _Keys, name: str) -> str:
    raw = _raw(keys, name)
    if not raw.startswith(b'"'):
        return ""
    text: str = decoded(raw, str)
    return text


def _xml(head: bytes) -> Format:
    root = _ROOT.search(re.sub(rb"<!--.*?(?:-->|\Z)", b"", head.replace(b"\0", b""), flags=re.DOTALL))
    name = root[1].lower() if root else b""
    if name in (b"rss", b"rdf", b"feed", b"channel"):
        return "rss"
    if not name and b'"' in head:
        raise NormalizeError("not valid JSON: its braces are others", "line 1")
    if name == b"html":
        raise NormalizeError("a web page, not a feed")
    if name == b"bom":
        raise NormalizeError("a software bill of materials, not threat information")
    if name == b"cvrfdoc":
        raise NormalizeError("recognised as CVRF, which CSAF replaced; ask its publisher for CSAF")
    raise NormalizeError(UNKNOWN)


def _text(head: bytes) -> Format:
    if _EPSS_HEAD.match(head):
        return "epss"
    if _KEV_HEAD.match(head):
        return "kev"
    if _CHANGES.match(head):
        raise NormalizeError("a CSAF list of changes: a distribution file, not an advisory")
    if _INDEX.match(head):
        raise NormalizeError("an index of files, not a document itself")
    if abuse.sniff(head):
        return "shadowserver"
    from normalize import xarf

    if xarf.PLAIN.match(head):
        return "xarf"
    if is_message(head):
        return "rss"  # a newsletter: what has data attached was opened on its way in (ingest.messages)
    if _is_of_json(head):
        raise NormalizeError("not valid JSON: a part of a document")
    from normalize import indicators, status_lists

    if status_lists.sniff(head):
        return "list"
    if indicators.sniff(head):
        return "csv"
    if _MARKDOWN.search(head):
        raise NormalizeError("a page of text (Markdown) for people, not a feed")
    raise NormalizeError(UNKNOWN)


def _is_of_json(head: bytes) -> bool:
    """A part of a JSON document would be read as a list in which everything is a note about something else: nobody
    knows any more what a value in it was."""
    lines = [line for line in head.splitlines()[:40] if line.strip()]
    return 2 * sum(_MEMBER.search(line) is not None for line in lines) > len(lines)
