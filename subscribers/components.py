"""From a component of an SBOM, or a row of a table, to lines of a profile. Only these five things are ever read.

Vendor, product, version, CPE, purl. People stand in SBOMs too: a vendor's mail address goes, and so do a purl's
qualifiers and subpath, which may hold addresses with log-ins and decide nothing. What cannot be parsed is kept as
text: `repair` says what, and matching can say no more of it than *possibly*.
"""

import re
from collections.abc import Iterable, Iterator

from packageurl import PackageURL

from normalize import products, schemes, versions
from subscribers import Software, SubscriberError

LONGEST = 300
"""Signs of a vendor, product or version; three times as many of a CPE or purl."""

_MAIL = re.compile(r"[<(\[]?[^\s<>()\[\]@,;]+@[\w-]+(?:\.[\w-]+)+[>)\]]?")
_WORD = re.compile(r"[^\W_]+")
_ORGANISATION = re.compile(
    r"\b(?:inc|corp|corporation|ltd|limited|llc|gmbh|ag|b\.?v|n\.?v|s\.?a|plc|company|foundation|stichting|project|community|"
    r"team|group|consortium|alliance|institute|university|systems|software|technologies|solutions|consulting|networks|labs)\b",
    re.IGNORECASE,
)
_NOTHING = frozenset(("-", "*", "?", "n/a", "n.v.t.", "nvt", "none", "null", "unknown", "onbekend", "noassertion"))
_PURL_NAME = re.compile(r"pkg:/*[^/@?#]+/(?:[^@?#]*/)?([^/@?#]+)")


def lines(
    where: str,
    *,
    product: str | None,
    vendor: str | None = None,
    version: str | float | None = None,
    cpes: Iterable[str | None] = (),
    purls: Iterable[str | None] = (),
) -> Iterator[Software]:
    """A component as one line; names of it that tell of another version are lines of their own.

    Nothing when it names no product. Raises SubscriberError, which says where, for what is too long to be a name.
    """
    maker, thing, stated = (_text(where, value) for value in (vendor, product, version))
    maker = " ".join(_MAIL.sub(" ", maker).split())
    apart: list[Software] = []
    cpe = purl = None
    for found in dict.fromkeys(filter(None, (_text(where, text, 3 * LONGEST) for text in cpes))):
        parts = products.cpe_parts(found)
        own = parts[2] if parts else ""
        if cpe is None and thing and (not own or not stated or own == stated):
            cpe, stated = found, stated or own
        else:
            apart.append(Software(cpe=found) if parts else _salvaged(cpe=found))
    for found, read in dict.fromkeys(map(_bare, filter(None, (_text(where, text, 3 * LONGEST) for text in purls)))):
        if purl is None and thing and (not read or not stated or read == stated):
            purl, stated = found, stated or read or ""
        else:
            apart.append(Software(purl=found) if read is not None else _salvaged(purl=found))
    if thing:
        yield Software(maker, thing, stated or None, cpe, purl)
    yield from (one for one in apart if one.product or one.cpe or one.purl)


def firm(publisher: object, *stated: object) -> str:
    """A publisher, unless it can be a person: with a word that only organisations have, a vendor that we know, or made
    of words that name the component anyway (`stated`: its group, purl and CPE)."""
    text = str(publisher or "").strip()
    words = set(_WORD.findall(text.casefold()))
    named = words.issubset(word for each in stated for word in _WORD.findall(str(each or "").casefold()))
    known = "@" not in text and bool(words) and (named or products.known_vendor(text))
    return text if known or _ORGANISATION.search(text) else ""


def repair(one: Software) -> str:
    """What of a line cannot be parsed and waits for a person: `cpe`, `purl` or `version`; empty: nothing."""
    if one.cpe and products.cpe_parts(one.cpe) is None:
        return "cpe"
    if one.purl and products.purl_parts(one.purl) is None:
        return "purl"
    if not one.version or _ordered(one):
        return ""
    return "version"


def _ordered(one: Software) -> bool:
    """Has its version an order, by itself or as its kind of package has them? A word alone (`latest`) has none."""
    version, purl = one.version or "", products.purl_parts(one.purl) if one.purl else None
    scheme = schemes.scheme(purl[0].removeprefix("pkg:")) if purl else ""
    return any(each.isdigit() for each in version) and (
        versions.readable(version) or (bool(scheme) and versions.readable(version, scheme))
    )


def salvaged(one: Software) -> Software | None:
    """A line whose CPE or purl cannot be parsed, with the product that it seems to name; None: it names none."""
    if one.product:
        return one
    for known, read in ((one.cpe, products.cpe_parts), (one.purl, products.purl_parts)):
        if known and read(known) is not None:
            return one
    found = _salvaged(cpe=one.cpe) if one.cpe else _salvaged(purl=one.purl)
    return Software(found.vendor, found.product, one.version, one.cpe, one.purl) if found.product else None


def _salvaged(cpe: str | None = None, purl: str | None = None) -> Software:
    """The product that a CPE or purl out of order seems to name, without version: it is matched as *possibly*."""
    if cpe and cpe.lower().startswith("cpe:"):
        fields = [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\):", cpe)]
        fields = fields[3:5] if fields[1:2] == ["2.3"] else fields[2:4]
        maker, thing = (["" if each in ("*", "-") else each for each in fields] + ["", ""])[:2]
        if thing:
            return Software(maker, thing, None, cpe)
    if purl and (found := _PURL_NAME.match(purl)):
        return Software("", found[1], None, None, purl)
    return Software()


def _bare(purl: str) -> tuple[str, str | None]:
    """A purl without qualifiers and subpath, and the version in it; None: it cannot be parsed."""
    try:
        read = PackageURL.from_string(purl)
    except ValueError:
        return re.split(r"[?#]", purl, maxsplit=1)[0], None
    return read._replace(qualifiers={}, subpath=None).to_string(), read.version or ""


def _text(where: str, value: str | float | None, longest: int = LONGEST) -> str:
    """On one line, printable; what says that there is nothing is empty."""
    if value is None:
        return ""
    text = str(value)
    if len(text) > 10 * longest:
        raise SubscriberError(f"{where}: a text of more than {longest} signs: no name or version is that long")
    text = " ".join(text.split())
    if not text.isprintable():
        text = "".join(filter(str.isprintable, text))
    if len(text) > longest:
        raise SubscriberError(f"{where}: a text of more than {longest} signs: no name or version is that long")
    return "" if text.casefold() in _NOTHING else text
