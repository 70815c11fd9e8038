"""Where: countries (ISO 3166-1), their parts (ISO 3166-2, `NL-NB`) and parts of the world (`western-europe`).

The words for parts of the world are those of STIX 2.1 (region-ov); which countries lie in one is as the United
Nations divide the world (M49), with AQ, TW and XK where the vocabularies of threats put them.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

_WORLD = {
    "eastern-africa": "BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW",
    "middle-africa": "AO CD CF CG CM GA GQ ST TD",
    "northern-africa": "DZ EG EH LY MA SD TN",
    "southern-africa": "BW LS NA SZ ZA",
    "western-africa": "BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG",
    "caribbean": "AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI",
    "central-america": "BZ CR GT HN MX NI PA SV",
    "south-america": "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE",
    "northern-america": "BM CA GL PM US",
    "central-asia": "KG KZ TJ TM UZ",
    "eastern-asia": "CN HK JP KP KR MN MO TW",
    "south-eastern-asia": "BN ID KH LA MM MY PH SG TH TL VN",
    "southern-asia": "AF BD BT IN IR LK MV NP PK",
    "western-asia": "AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE",
    "eastern-europe": "BG BY CZ HU MD PL RO RU SK UA",
    "northern-europe": "AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ",
    "southern-europe": "AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA XK",
    "western-europe": "AT BE CH DE FR LI LU MC NL",
    "australia-new-zealand": "AU CC CX HM NF NZ",
    "melanesia": "FJ NC PG SB VU",
    "micronesia": "FM GU KI MH MP NR PW UM",
    "polynesia": "AS CK NU PF PN TK TO TV WF WS",
    "antarctica": "AQ",
}
_WIDER = {
    "africa": "eastern-africa middle-africa northern-africa southern-africa western-africa",
    "latin-america-caribbean": "caribbean central-america south-america",
    "americas": "caribbean central-america south-america northern-america",
    "asia": "central-asia eastern-asia south-eastern-asia southern-asia western-asia",
    "europe": "eastern-europe northern-europe southern-europe western-europe",
    "oceania": "australia-new-zealand melanesia micronesia polynesia",
}
_PART = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}").fullmatch
_NUMBER = re.compile(r"\d{3} - ")
"""Before the names of MISP's galaxy of regions: `155 - Western Europe`."""


class Area(NamedTuple):
    """Places that an item names; whoever lies in one of them is meant. None at all: everywhere."""

    countries: tuple[str, ...] = ()
    """As a whole."""
    regions: tuple[str, ...] = ()
    """Parts of countries and of the world."""

    @property
    def whole(self) -> frozenset[str]:
        """All countries that lie in it as a whole."""
        return frozenset(self.countries).union(*map(countries_in, self.regions))

    @property
    def partly(self) -> frozenset[str]:
        """Countries of which it names parts."""
        return frozenset(each[:2] for each in self.regions if _PART(each))

    def touches(self, country: str) -> bool:
        """Does any of it lie in this country?"""
        return not any(self) or country in self.whole or country in self.partly

    def holds(self, country: str, region: str) -> bool:
        """Does it hold who sits there? Of whom no region is known may sit in the part that is named."""
        if not any(self) or country in self.whole:
            return True
        return region in self.regions if region else country in self.partly


def region(text: str) -> str | None:
    """`nl-nb` -> NL-NB, `155 - Western Europe` -> western-europe; None: neither."""
    part = text.strip().upper()
    if _PART(part):
        return part
    named = _NUMBER.sub("", text.strip(), count=1).casefold().split()
    words = "-".join(word for word in named if word not in ("and", "the"))
    return words if words in _WORLD or words in _WIDER else None


@cache
def countries_in(region: str) -> frozenset[str]:
    """The countries of a part of the world; none, for any other text."""
    parts: Iterable[str] = _WIDER.get(region, region).split()
    return frozenset(country for part in parts for country in _WORLD.get(part, "").split())
