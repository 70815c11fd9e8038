"""How ecosystems order their versions, by the name of the scheme: semver, PEP 440, Debian, RPM, Maven and others.

The algorithms are those of `univers`. What a scheme's own parser cannot read has no order in it. Names are those of
purl types, of `vers:` and of CVE 5's `versionType`; any other name (`unknown`, `generic`, `custom`) names no scheme.
"""

import re
from functools import cache, lru_cache
from typing import Any, Final

_CLASSES: Final = {
    "semver": "SemverVersion",
    "pypi": "PypiVersion",
    "deb": "DebianVersion",
    "rpm": "RpmVersion",
    "apk": "AlpineLinuxVersion",
    "alpm": "ArchLinuxVersion",
    "ebuild": "GentooVersion",
    "maven": "MavenVersion",
    "nuget": "NugetVersion",
    "gem": "RubygemsVersion",
    "composer": "ComposerVersion",
    "openssl": "OpensslVersion",
    "lexicographic": "LexicographicVersion",
}
_ALIASES: Final = {
    **dict.fromkeys(("npm", "cargo", "golang", "go", "hex", "pub", "swift", "nginx", "mattermost", "github"), "semver"),
    **dict.fromkeys(("python", "pep440"), "pypi"),
    **dict.fromkeys(("dpkg", "debian", "ubuntu"), "deb"),
    **dict.fromkeys(("alpine",), "apk"),
    **dict.fromkeys(("arch",), "alpm"),
    **dict.fromkeys(("gentoo",), "ebuild"),
    **dict.fromkeys(("rubygems", "ruby"), "gem"),
    **dict.fromkeys(("redhat", "rhel"), "rpm"),
}
PACKAGED: Final = frozenset({"deb", "rpm", "apk", "alpm", "ebuild"})
"""Schemes of distributions, which patch old versions: what upstream says of numbers does not hold for them."""
_SEMVER = re.compile(r"v?(\d+(?:\.\d+){0,2}(?:-[0-9a-z.-]+)?)(?:\+[0-9a-z.-]+)?", re.IGNORECASE)
_EL = re.compile(r"\.(el|fc|amzn)(\d+)")


def scheme(name: str) -> str:
    """The scheme of a purl type, a `vers:` or a versionType; empty: none that is known."""
    plain = name.strip().casefold()
    found = _ALIASES.get(plain, plain)
    return found if found in _CLASSES else ""


def compare(name: str, one: str, other: str) -> int | None:
    """-1, 0 or 1 in this scheme; None: it does not order the two."""
    a, b = _parsed(name, one.strip()), _parsed(name, other.strip())
    if a is None or b is None or (name == "rpm" and _built_for(one) != _built_for(other)):
        return None
    try:
        return -1 if a < b else 0 if a == b else 1 if b < a else None
    except Exception:  # univers raises errors of many kinds, also when it compares
        return None


def known(name: str, version: str) -> bool:
    """Is it a version of this scheme?"""
    return _parsed(name, version.strip()) is not None


def _built_for(version: str) -> str:
    """`el8` of `9.0.87-1.el8_10`: what is fixed in one release says nothing of another."""
    found = _EL.search(version)
    return found[0] if found else ""


@cache
def _class(name: str) -> Any:
    from univers import versions

    return getattr(versions, _CLASSES[name])


@lru_cache(maxsize=65536)
def _parsed(name: str, version: str) -> Any:
    """The version as the scheme reads it; None: it does not."""
    if name == "semver":
        strict = _SEMVER.fullmatch(version)  # build metadata does not count (semver.org, 10); four numbers are none
        version = strict[1] if strict else ""
    if not version or len(version) > 200 or not (name == "lexicographic" or any(map(str.isdigit, version))):
        return None  # rpm, deb and Maven order any word, `latest` too: nobody knows what is meant by that
    try:
        return _class(name)(version)
    except Exception:
        return None
