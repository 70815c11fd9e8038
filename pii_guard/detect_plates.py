"""Recogniser for licence plates, Dutch first, where the text speaks of a vehicle."""

import re

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
VEHICLES = Words(
    "kenteken",
    "plate",
    "plaat",
    "car ",
    "car,",
    "cars",
    "auto",
    "busje",
    "vehicle",
    "voertuig",
    "kfz",
    "wagen",
)
_PLATE_DASH = re.compile(r"-(?=[A-Z0-9]{2,3}-[A-Z0-9])")
_PLATE = re.compile(
    r"(?<![\w-])(?=[A-Z0-9-]{6,8}(?![\w-]))(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)"
    r"[A-Z0-9]{1,3}[- ]?[A-Z0-9]{1,3}[- ]?[A-Z0-9]{1,3}",
    re.IGNORECASE,
)
PLATES = Words("kenteken", "license", "licence", "number plate", "nummerplaat", "plate", "registration")
_PLATE_WORDS = re.compile(
    r"kenteken|licen[cs]e[ -]plate|number plate|nummerplaat|\bplates?\b|registration (?:mark|number)"
)
_VEHICLE_WORDS = re.compile(
    r"kenteken|plate|nummerplaat|voertuig|\bkfz\b|\brijdt\b|laadplek|gestald|carport|\bauto'?s?\b|bestel(?:bus|"
    r"auto)|personenauto|\bbus(?:je)?\b|vehicle|"
    r"\bcars?\b|(?:a|the|white|delivery|\w+ed) vans?\b|"
    r"trailer|aanhanger|scooter|motor(?:fiets)?\b|vracht(?:auto|wagen)|\btruck|volvo|volkswagen|\bvw\b|toyota|"
    r"\bbmw\b|mercedes|"
    r"rental|driver|bestuurder|chauffeur|verhuur|\brijder|audi\b|peugeot|renault|opel\b|\bford\b|tesla|\bkia\b|"
    r"skoda|\bfiat\b|parkeer|parking|leaseauto|lease|slagboom|anpr|taxi|garage"
)
_FAR = 300


def plates(text: str) -> Found:
    """Licence plates, Dutch first, where the text speaks of a vehicle."""
    lower = folded(text)
    for at in VEHICLES.places(lower):
        for match in _ABROAD.finditer(text, max(0, at - 60), at + 120):
            if _VEHICLE_WORDS.search(lower, max(0, match.start() - 120), match.end() + 60):
                yield Span("plate", *match.span(), 0.7, "plate-abroad")
    for at in PLATES.places(lower):
        word = _PLATE_WORDS.match(lower, at)
        if word is None:
            continue
        for match in _PLATE.finditer(text, word.end(), word.end() + 60):
            bare = re.sub("[- ]", "", match.group())
            if len(bare) == 6 and ("-" in match.group() or match.group() != match.group().lower()):
                yield Span("plate", *match.span(), 0.8, "plate-nl")
    for dash in _PLATE_DASH.finditer(text):
        start = dash.start()
        while start > max(0, dash.start() - 4) and text[start - 1].isalnum():
            start -= 1
        strict = None if start and text[start - 1] in "-_" else _SIDECODES.match(text, start)
        if strict and _VEHICLE_WORDS.search(lower, max(0, start - _FAR), strict.end() + _FAR // 2):
            yield Span("plate", *strict.span(), 0.8, "plate-nl")
