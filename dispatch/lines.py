"""One line each: a row of the reader's own, a product with its versions, an indicator, a web address."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from dispatch import View, wording
from dispatch.wording import defanged, moment, plain, words
from normalize import Affected, Observable, Range


def seen_line(row: Observable, language: str) -> str:
    """A row of the reader's own: address, port and when. Its own address is written as it is."""
    text = words(language)["text"]
    parts = [plain(row.value, 120)]
    if row.port is not None:
        port = f"{row.port}/{plain(row.protocol, 10)}" if row.protocol else str(row.port)
        parts.append(text["port"].format(port=port))
    if row.seen is not None:
        parts.append(text["seen"].format(time=moment(row.seen, language)))
    return ", ".join(parts)


def own_lines(view: View, language: str) -> list[str]:
    """The reader's own rows, each with since when it is seen, or where it no longer is."""
    return [_own_line(view, place, language) for place, row in enumerate(view.observables) if row.own]


def open_lines(views: Iterable[View], language: str) -> list[str]:
    """The reader's own systems in several exposures, each once, as the latest report has it; what is gone is last."""
    found: dict[tuple[Any, ...], tuple[bool, str]] = {}
    for view in sorted(views, key=lambda each: each.days.day if each.days else each.received_at.date()):
        days, series = view.days, view.days.report if view.days else view.exposure
        if days is not None:
            until = words(language)["text"]["until"].format(day=wording.day(days.day, language))
            found |= {(series, *_system(row)): (True, f"{seen_line(row, language)}, {until}") for row in days.gone}
        for place, row in enumerate(view.observables):
            if row.own:
                gone = days is not None and days.until[place] is not None
                found[series, *_system(row)] = gone, _own_line(view, place, language)
    return [line for _, line in sorted(found.values(), key=lambda each: each[0])]


def _system(row: Observable) -> tuple[Any, ...]:
    return row.type, row.value, row.port, row.protocol


def _own_line(view: View, place: int, language: str) -> str:
    """A row, and what became of it since, or how long it has been so; nothing more of one that is new."""
    line, days, text = seen_line(view.observables[place], language), view.days, words(language)["text"]
    if days is None:
        return line
    since, until = days.since[place], days.until[place]
    if until is not None:
        return f"{line}, {text['until'].format(day=wording.day(until, language))}"
    if since is None or since == days.day:
        return line
    count = (days.day - since).days
    span = text["day_one"] if count == 1 else text["days"].format(count=count)
    return f"{line}, {text['still'].format(day=wording.day(since, language), span=span)}"


def version_lines(products: Iterable[Affected], language: str, most: int = 8) -> list[str]:
    """`Fortinet FortiOS: vanaf 7.2.0 tot 7.2.5 (kwetsbaar)`: a line for each product, with at most so many versions."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for each in products:
        name, versions, status = stated(each, language)
        found.setdefault((name, status), {})[versions] = None
    for named in found.values():
        if len(named) > 1:  # one source names none, another does
            named.pop(words(language)["text"]["all_versions"], None)
    return [
        f"{name}: {_joined(list(versions), most, language)} ({status})" for (name, status), versions in found.items()
    ]


def stated(product: Affected, language: str) -> tuple[str, str, str]:
    """Name, versions and status as people read them; versions that have no exact reading, as the source states them."""
    w = words(language)
    named = product.product if product.product.startswith(product.vendor) else f"{product.vendor} {product.product}"
    versions = _ranges(product.ranges, w) or product.versions.removeprefix("vers:unknown/") or w["text"]["all_versions"]
    return plain(named, 120), plain(wording.limits(versions, language), 160), w["status"][product.status]


def _joined(versions: Sequence[str], most: int, language: str) -> str:
    shown = wording.capped(versions, most, language)
    between = "; " if any(" " in each for each in shown.lines) else ", "
    return between.join(shown.lines) + (f" {shown.more}" if shown.more else "")


def _ranges(ranges: Sequence[Range], w: wording.Words) -> str:
    """`7.0.0 tot en met 7.0.16; lager dan 6.4.2`: for who does not read `>=7.0.0|<=7.0.16`."""
    texts, found = w["range"], []
    for each in ranges:
        bounds = dict(each.constraints)
        low, high = bounds.get(">=") or bounds.get(">"), bounds.get("<=") or bounds.get("<")
        if not bounds:
            found.append(texts["all"])
        elif len(bounds) != len(each.constraints) or "!=" in bounds or ("=" in bounds and len(bounds) > 1):
            return ""  # rarer forms stay as the source states them
        elif "=" in bounds:
            found.append(bounds["="])
        else:
            first = texts["from" if ">=" in bounds else "after"].format(version=low) if low else ""
            last = texts["to" if "<=" in bounds else "before"].format(version=high) if high else ""
            found.append(f"{first} {last}".strip())
    return "; ".join(dict.fromkeys(found))


def indicator_line(observable: Observable, language: str) -> str:
    port = "" if observable.port is None else f", {words(language)['text']['port'].format(port=observable.port)}"
    return f"{defanged(plain(observable.value, 200))} ({observable.type}{port})"


def links(view: View, strange: Sequence[Observable], most: int) -> list[dict[str, Any]]:
    """Addresses with more about it. One that is itself an indicator is no link."""
    bad = {o.value.lower() for o in strange}
    found = []
    for url in [url for url in view.references if webby(url)][:most]:
        host = (urlsplit(url).hostname or "").lower()
        link = url.lower() not in bad and host not in bad
        found.append({"link": link, "text": url if link else defanged(url)})
    return found


def webby(url: str) -> bool:
    """An http(s) address that can stand in a message as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    clean = url.isascii() and url.isprintable() and not any(c in url for c in " <>\"'")
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and clean
        and len(url) < 400
    )
