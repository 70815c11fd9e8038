"""Recogniser for licence plates, Dutch first, where the text speaks of a vehicle; in rows of persons: `detect_rows`."""

import re

from pii_guard.cells import LAST, cell
from pii_guard.span import Found, Span, Words, folded

_DASHED = (
    r"[A-Z]{2}-\d\d-\d\d|\d\d-\d\d-[A-Z]{2}|\d\d-[A-Z]{2}-\d\d|[A-Z]{2}-\d\d-[A-Z]{2}|[A-Z]{2}-[A-Z]{2}-\d\d|"
    r"\d\d-[A-Z]{2}-[A-Z]{2}|\d\d-[A-Z]{3}-\d|\d-[A-Z]{3}-\d\d|[A-Z]{2}-\d{3}-[A-Z]|[A-Z]-\d{3}-[A-Z]{2}|"
    r"[A-Z]{3}-\d\d-[A-Z]|[A-Z]-\d\d-[A-Z]{3}|\d-[A-Z]{2}-\d{3}|\d{3}-[A-Z]{2}-\d"
)
_SIDECODES = re.compile(rf"(?:{_DASHED})(?![\w-])")
"""The fourteen series of Dutch plates (RDW), with their dashes."""
_L = "[BDFGHJKLNPRSTVXZ]"
WRITTEN = re.compile(
    rf"(?<![\w-])(?:{_DASHED}|{_L}{{2}}\d\d{_L}{{2}}|{_L}{{4}}\d\d|\d\d{_L}{{4}}|\d\d{_L}{{3}}\d|\d{_L}{{3}}\d\d|"
    rf"{_L}{{2}}\d{{3}}{_L}|{_L}\d{{3}}{_L}{{2}}|{_L}{{3}}\d\d{_L}|{_L}\d\d{_L}{{3}}|\d{_L}{{2}}\d{{3}}|"
    rf"\d{{3}}{_L}{{2}}\d)(?![\w-])"
)
"""Those, and as cameras write them: the newer series without dashes, of letters that plates have."""
_ABROAD = re.compile(
    r"(?<![\w-])(?:[A-Z]{2}\d{2} ?[A-Z]{3}|[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?|[1-9]-[A-Z]{3}-\d{3}|"
    r"\d{2,3}-[A-Z]{1,2}-\d{3,6}"
    r"|[A-Z]{2} \d{3} [A-Z]{1,2}|[A-Z]{1,2} \d{3} [A-Z]|[A-Z]{2}-\d{3}-[A-Z]{2}|[A-Z]{2,3} \d{4}[A-Z]|"
    r"\d{2} [A-Z]{2} [A-Z]{2})(?![\w-])"
)
"""British, German, Belgian, Irish, French and Italian, Polish plates, and Dutch ones with blanks."""
_G = "[bdfghjklnprstvxz]"
_LOOSE = re.compile(
    rf"(?<![\w-])(?:{_G}{{2}}(?P<a>[ -]?)\d{{3}}(?P=a){_G}|{_G}(?P<b>[ -])\d{{3}}(?P=b){_G}{{2}}|"
    rf"{_G}{{3}}(?P<c>[ -]?)\d\d(?P=c){_G}|{_G}(?P<d>[ -]?)\d\d(?P=d){_G}{{3}}|\d\d(?P<e>[ -]?){_G}{{3}}(?P=e)\d|"
    rf"\d(?P<f>[ -]?){_G}{{3}}(?P=f)\d\d|"
    rf"{_G}{{2}}(?P<g>[ -])\d\d(?P=g){_G}{{2}}|"
    rf"\d(?P<h>[ -]?){_G}{{2}}(?P=h)\d{{3}}|\d{{3}}(?P<i>[ -]?){_G}{{2}}(?P=i)\d|"
    rf"\d\d(?P<j>[ -]){_G}{{2}}(?P=j){_G}{{2}}|"
    rf"{_G}{{2}}(?P<k>[ -]){_G}{{2}}(?P=k)\d\d)"
    r"(?![\w-])"
)
"""As people type them, in small letters: of the letters that plates have, none of which make a word."""
_NEXT = re.compile(rf"(?:[,;/] ?| en | and | of | or )(?P<plate>{_LOOSE.pattern})").match
VEHICLES = Words(
    *("kenteken", "plate", "plaat", "car ", "car,", "cars", "auto", "busje", "vehicle", "voertuig", "kfz"),
    *("wagen", "parked", "polestar", "snorfiets", "bromfiets", "scooter", "ambulance", "kennzeichen"),
    *("nummernschild", "reg no", "immatricul", "targa ", "carlicense", "kent.", "parkeer"),
)
_PLATE_DASH = re.compile(r"-(?=[A-Z0-9]{2,3}-[A-Z0-9])")
_PLATE = re.compile(
    r"(?<![\w-])(?=[A-Z0-9-]{6,8}(?![\w-]))(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)"
    r"[A-Z0-9]{1,3}[- ]?[A-Z0-9]{1,3}[- ]?[A-Z0-9]{1,3}",
    re.IGNORECASE,
)
PLATES = Words(
    *("carlicense", "kent.", "kennzeichen", "nummernschild", "reg no", "immatricul", "targa "),
    *("kenteken", "license", "licence", "number plate", "nummerplaat", "plate", "registration"),
)
_PLATE_WORDS = re.compile(
    r"kenteken|licen[cs]e[ -]?plate|number plate|nummerplaat|\bplates?\b|registration (?:mark|number)|carlicen[cs]e|"
    r"\bkent\.(?=\s?[=:])|kennzeichen|nummernschild|immatriculation|targa\b"
)
_VEHICLE_WORDS = re.compile(
    r"kenteken|plate|nummerplaat|voertuig|\bkfz\b|\brijdt\b|laadplek|gestald|carport|\bauto'?s?\b|bestel(?:bus|"
    r"auto)|personenauto|\bbus(?:je)?\b|vehicle|"
    r"\bcars?\b|(?:a|the|white|delivery|\w+ed) vans?\b|"
    r"trailer|aanhanger|scooter|motor(?:fiets)?\b|vracht(?:auto|wagen)|\btruck|volvo|volkswagen|\bvw\b|toyota|"
    r"\bbmw\b|mercedes|"
    r"rental|driver|bestuurder|chauffeur|verhuur|\brijder|audi\b|peugeot|renault|opel\b|\bford\b|tesla|\bkia\b|"
    r"skoda|\bfiat\b|parkeer|parking|leaseauto|lease|slagboom|anpr|taxi|garage|"
    r"parked|polestar|snorfiets|bromfiets|ambulance|citro[eë]n|hyundai|nissan|mazda|suzuki|honda\b|dacia|lexus|kennzeichen|"
    r"immatricul|nummernschild|reg no|targa\b|carlicen"
)
_FAR = 300


def plates(text: str) -> Found:
    """Licence plates, Dutch first, where the text speaks of a vehicle; what stands in a row or a column with them."""
    lower = folded(text)
    found = [*_near_vehicles(text, lower), *_strict(text, lower)]
    for plate in list(found):
        more = _NEXT(lower, plate.end)
        while more:
            found.append(Span("plate", *more.span("plate"), 0.6, "plate-in-list"))
            more = _NEXT(lower, more.end())
    yield from found
    yield from _column(text, found)


def _near_vehicles(text: str, lower: str) -> Found:
    for at in VEHICLES.places(lower):
        for match in _ABROAD.finditer(text, max(0, at - 60), at + 120):
            if _VEHICLE_WORDS.search(lower, max(0, match.start() - 120), match.end() + 60):
                yield Span("plate", *match.span(), 0.7, "plate-abroad")
        for match in _LOOSE.finditer(lower, max(0, at - 60), at + 120):
            if _VEHICLE_WORDS.search(lower, max(0, match.start() - 120), match.end() + 60):
                yield Span("plate", *match.span(), 0.6, "plate-nl")
    for at in PLATES.places(lower):
        word = _PLATE_WORDS.match(lower, at)
        if word is None:
            continue
        for match in _PLATE.finditer(text, word.end(), word.end() + 60):
            bare = re.sub("[- ]", "", match.group())
            if len(bare) == 6 and ("-" in match.group() or match.group() != match.group().lower()):
                yield Span("plate", *match.span(), 0.8, "plate-nl")


def _strict(text: str, lower: str) -> Found:
    """A Dutch plate with its dashes, in a text on vehicles, or right behind `van` (a vehicle, and of whom it is)."""
    for dash in _PLATE_DASH.finditer(text):
        start = dash.start()
        while start > max(0, dash.start() - 4) and text[start - 1].isalnum():
            start -= 1
        strict = None if start and text[start - 1] in "-_" else _SIDECODES.match(text, start)
        if strict and (
            lower.endswith((" van ", "\nvan "), 0, start)
            or _VEHICLE_WORDS.search(lower, max(0, start - _FAR), strict.end() + _FAR // 2)
        ):
            yield Span("plate", *strict.span(), 0.8, "plate-nl")


def _column(text: str, found: list[Span]) -> Found:
    """Without dashes, in the column of those that were found."""
    if not found or "\n" not in text:
        return
    cells = {cell(text, each.start, each.end) for each in found} - {None, LAST}
    offsets = {_offset(text, each.start) for each in found}
    for match in WRITTEN.finditer(text):
        if cell(text, *match.span()) in cells or _offset(text, match.start()) in offsets:
            yield Span("plate", *match.span(), 0.6, "plate-column")


def _offset(text: str, start: int) -> int:
    return start - text.rfind("\n", 0, start)
