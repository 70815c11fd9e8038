"""What becomes of one value: text, address, URL or file path, under one policy, for one draft.

An Eraser answers with what may stay. It writes every decision into its Ledger and never keeps a value; where a person
may be looked up by it, a keyed hash goes to the caller's Marks.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from normalize import Role
from pii_guard import Action, Category, Finding
from pii_guard.ahead import quiet, read
from pii_guard.detect import SUSPECT, Span, scan
from pii_guard.detect_mail import TEAM
from pii_guard.detect_network import is_ip
from pii_guard.detect_urls import PERSONAL_PAGE
from pii_guard.login_names import NO_PERSON
from pii_guard.marks import Marks
from pii_guard.policy import Ruling, Rulings
from pii_guard.roles import Roles

_WORDS: dict[str, dict[Category, str]] = {
    "nl": {
        "ipv4": "IP-adres",
        "ipv6": "IP-adres",
        "mac": "MAC-adres",
        "email": "e-mailadres",
        "phone": "telefoonnummer",
        "name": "naam",
        "address": "adres",
        "dob": "geboortedatum",
        "bsn": "BSN",
        "iban": "rekeningnummer",
        "plate": "kenteken",
        "username": "gebruikersnaam",
        "credential": "inloggegevens",
        "url-personal": "persoonlijk deel van URL",
        "social": "profiel",
        "device": "apparaat",
        "free-text": "tekst",
    },
    "en": {
        "ipv4": "IP address",
        "ipv6": "IP address",
        "mac": "MAC address",
        "email": "email",
        "phone": "phone number",
        "name": "name",
        "address": "address",
        "dob": "date of birth",
        "bsn": "citizen service number",
        "iban": "account number",
        "plate": "licence plate",
        "username": "user name",
        "credential": "log-in",
        "url-personal": "personal part of URL",
        "social": "profile",
        "device": "device",
        "free-text": "text",
    },
}
PLAIN = re.compile(
    r"(?!.{0,34}(?:A[KS]IA|xox)|.{35})(?:[A-Za-z]+(?:[_-][A-Za-z]+)*|[A-Za-z_-]{0,20}\d{1,5}(?:\.\d{1,3})?|)"
).fullmatch
"""One word that cannot hold a value of any category that is searched for in text."""
_PLAIN_URL = re.compile(
    r"https?://(?=[a-z0-9.-]*[a-z]{2}/)(?:[A-Za-z-]|\d{1,5}(?!\d|[.-]\d{1,3}[.-]\d))(?:[A-Za-z/_-]|\.(?!\d)|\d{1,7}(?![\d.-]\d))*+"
).fullmatch
"""A URL without parameters, user information, or a number long enough to be anybody's."""
_FANGED = re.compile(r"\[\.\]?|\.\]|\(\.\)|\{\.\}|[\[({]dot[\])}]", re.IGNORECASE)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20})\[?:\]?//([^/?#\\]*)([^\r\n]*)")
_NAMED_HOST = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{1,20}://([A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*)((?:[/?#][^\r\n%]*)?)"
).fullmatch
_HOST = "https://host"
_ROOTS = (_HOST, f"{_HOST}/")
_HOME = re.compile(
    r"(?:[A-Za-z]:)?(?:\\+|/)(?:Users|Documents and Settings|Gebruikers)(?:\\+|/)(?P<windows>[^\\/]+)"
    r"|(?<![\w.])/home/(?P<unix>[^/]+)",
    re.IGNORECASE,
)


class Ledger:
    """The findings of one draft, counted: the same kind of value in the same property is one Finding."""

    __slots__ = ("_rows", "refused", "suspect")

    def __init__(self) -> None:
        self._rows: dict[tuple[str, ...], tuple[list[int], Ruling, Category, Role]] = {}
        self.refused: tuple[Category, str] | None = None
        """A category that the policy refuses, and where it was first met."""
        self.suspect = False
        """Something doubtful was left in, and a person has to look."""

    def record(
        self,
        category: Category,
        role: Role,
        ruling: Ruling,
        path: str,
        index: int = -1,
        evidence: str = "",
        count: int = 1,
    ) -> None:
        """One decision, or `count` alike. `index` >= 0: `path` lies under that object of the draft."""
        key = (category, role, ruling.rule, ruling.action, path, evidence, "" if index < 0 else "objects")
        row = self._rows.get(key)
        if row is None:
            self._rows[key] = ([count, index], ruling, category, role)
        else:
            row[0][0] += count
        if ruling.action == "refuse" and self.refused is None:
            self.refused = (category, path if index < 0 else f"/objects/{index}/{path}")

    def findings(self) -> tuple[Finding, ...]:
        """In order of path, category and role."""
        made = []
        for key, ((count, index), ruling, category, role) in self._rows.items():
            path = key[4]
            if index >= 0:
                path = f"/objects/{'*' if count > 1 else index}/{path}".rstrip("/")
            made.append(Finding(category, role, ruling.action, path, ruling.rule, ruling.basis, key[5], count))
        return tuple(sorted(made, key=lambda f: (f.path, f.category, f.role, f.rule, f.evidence)))


class Eraser:
    """The rulings of one regime for one source, applied to the values of one draft."""

    __slots__ = (
        "_found",
        "_names",
        "_plain_urls",
        "_urls",
        "_versions",
        "_words",
        "holds",
        "ledger",
        "marks",
        "nothing_in",
        "received",
        "roles",
        "rulings",
        "wordless",
    )

    def __init__(self, rulings: Rulings, roles: Roles, *, language: str, public: bool) -> None:
        self.received, self.roles, self.ledger = rulings, roles, Ledger()
        self.rulings = {
            key: ruling._replace(action="strip") if ruling.action == "gate" else ruling
            for key, ruling in rulings.items()
        }
        """`received`, for texts and objects: nothing in them can be given back to whom it is of, as a row can."""
        self.holds = rulings["free-text", "unknown"].action == "hold"
        """Doubtful text stays and waits for a person; otherwise it is removed."""
        self.wordless = not public and not self.holds and rulings["free-text", "unknown"].action != "keep"
        """Prose goes as a whole: the source may say anything in it."""
        self._words = _WORDS["nl" if language.startswith("nl") else "en"]
        self.nothing_in: set[str] = set()
        """Texts in which nothing was found. Most of a draft's words stand in it many times."""
        self._found: dict[str, list[Span]] = {}
        """What was found in texts that were read ahead."""
        self._versions: set[str] = set()
        self._plain_urls: set[str] = set()
        self._urls: dict[str, tuple[str, str] | None] = {}
        self._names: dict[str, re.Pattern[str]] = {}
        self.marks: Marks | None = None
        """Where keyed hashes of what is decided on go."""

    def know_names(self, names: Iterable[str]) -> None:
        """Names of persons, taken from properties that hold them: they go wherever the draft repeats them."""
        self._names = {
            name.strip().casefold(): re.compile(rf"(?<!\w){re.escape(name.strip())}(?!\w)", re.IGNORECASE)
            for name in names
            if len(name.strip()) > 3
        }

    def read_ahead(self, texts: Iterable[str]) -> None:
        """Look through texts at once, most of them many together; what is found in one is known from then on."""
        fresh = set(texts) - self.nothing_in
        if self.wordless:  # bare numbers have no first sign
            self.nothing_in.update(() if self._names else filter(PLAIN, fresh))
            return
        silent = quiet(fresh)
        if self._names:
            silent = {text for text in silent if not self._has_name(text)}
        self.nothing_in |= silent
        for text, spans in read(fresh - silent):
            if found := self._named(text, spans):
                self._found[text] = found
            else:
                self.nothing_in.add(text)

    def _has_name(self, text: str) -> bool:
        folded = text.casefold() if self._names else ""
        return any(name in folded for name in self._names)

    def spans(self, text: str) -> list[Span]:
        """What was recognised in a text, names that are known of this draft included."""
        if (known := self._found.get(text)) is not None:
            return known
        return self._named(text, scan(text, bare=self.wordless))

    def _named(self, text: str, spans: Iterable[Span]) -> list[Span]:
        """What was recognised, less what is nobody's, with the names that are known."""
        found = [span for span in spans if span.rule != TEAM]
        if self._names:
            folded = text.casefold()
            for name, pattern in self._names.items():
                if name in folded:
                    new = [Span("name", *match.span(), 1.0, "named-elsewhere") for match in pattern.finditer(text)]
                    found = _with(found, new)
        return found

    def decide(self, span: Span, text: str) -> tuple[Role, Ruling]:
        """Whose the value of a span is, and what becomes of it. A suspicion is decided as free text."""
        if span.confidence < SUSPECT:
            return "unknown", self.rulings["free-text", "unknown"]
        role: Role = "unknown"
        if span.category in ("ipv4", "ipv6", "email", "mac"):
            role = self.roles.of_anything(_bare(text[span.start : span.end]))
        return role, self.rulings[span.category, role]

    def mark(self, category: Category, ruling: Ruling, value: str) -> None:
        """Hand out the keyed hash of a value that was decided on."""
        if self.marks is not None:
            self.marks.add(category, ruling.action, ruling.rule, value)

    def text(self, text: str, path: str, index: int = -1) -> str:
        """The text with everything that may not stay replaced by what it was, in words."""
        if text in self.nothing_in:
            return text
        spans = [] if not self._names and PLAIN(text) else self.spans(text)
        if not spans:
            self.nothing_in.add(text)
            return text
        made, end = [], 0
        for span in spans:
            role, ruling = self.decide(span, text)
            self.mark(span.category, ruling, text[span.start : span.end])
            if ruling.action == "keep":
                continue
            self.ledger.record(span.category, role, ruling, path, index, span.rule)
            if ruling.action == "hold":
                self.ledger.suspect = True
                continue
            made.append(f"{text[end : span.start]}{self.placeholder(span.category)}")
            end = span.end
        return "".join((*made, text[end:])) if made else text

    def clean(self, text: str, path: str, index: int = -1) -> bool:
        """May this text stay as it stands? For values that make no sense with a part missing."""
        return text in self.nothing_in or self.text(text, path, index) == text

    def version(self, text: str, path: str, index: int = -1) -> str | None:
        """A version, CPE or purl: four numbers are no address here. None: it holds something else."""
        if text in self._versions or PLAIN(text):
            return text
        for span in self.spans(text):
            if span.rule in ("ipv4", "email-at-address"):
                continue
            role, ruling = self.decide(span, text)
            self.mark(span.category, ruling, text[span.start : span.end])
            if ruling.action != "keep":
                self.ledger.record(span.category, role, ruling, path, index, span.rule)
                return None
        self._versions.add(text)
        return text

    def withheld(self) -> str:
        """What stands for a title that went."""
        return (
            "[titel weggelaten: geen grondslag]" if self._words is _WORDS["nl"] else "[title withheld: no legal basis]"
        )

    def placeholder(self, category: Category) -> str:
        """`[e-mailadres verwijderd]`, `[removed: email]`."""
        word = self._words[category]
        return f"[{word} verwijderd]" if self._words is _WORDS["nl"] else f"[removed: {word}]"

    def prose(self, text: str, path: str, index: int = -1) -> str | None:
        """Free text; None: this source's prose goes as a whole."""
        if self.wordless:
            if text:
                self.ledger.record("free-text", "unknown", self.rulings["free-text", "unknown"], path, index)
            return None
        return self.text(text, path, index)

    def action(
        self, category: Category, role: Role, path: str, index: int = -1, evidence: str = "", *, value: str
    ) -> Action:
        """Decide on a value whose category and role are known, and write it down."""
        ruling = self.rulings[category, role]
        self.mark(category, ruling, value)
        self.ledger.record(category, role, ruling, path, index, evidence)
        return ruling.action

    def file_path(self, text: str, role: Role, path: str, index: int = -1) -> str:
        """Home folders as `%USERPROFILE%` and `~`, other findings as in text."""
        ruling = self.rulings["username", role]

        def home(match: re.Match[str]) -> str:
            windows = match.group("windows")
            name = windows or match.group("unix")
            if name.casefold() in NO_PERSON or name.startswith(("%", "<", "$", "*")):
                return match.group()
            self.mark("username", ruling, name)
            self.ledger.record("username", role, ruling, path, index, "user-path")
            return match.group() if ruling.action == "keep" else "%USERPROFILE%" if windows else "~"

        changed = _HOME.sub(home, text) if ("\\" in text or "/" in text) else text
        return changed if changed != text and not scan(changed) else self.text(changed, path, index)

    def url_parts(self, url: str) -> tuple[str, str] | None:
        """As `url_parts`, each URL taken apart once."""
        try:
            return self._urls[url]
        except KeyError:
            made = self._urls[url] = url_parts(url)
            return made

    def kept(self, url: str, role: Role) -> tuple[Ruling, ...] | None:
        """The rulings by which a URL stays as it is, to be marked, where all there is to look at was read ahead and
        nothing found; None: it is to be taken apart."""
        parts = self.url_parts(url)
        if parts is None or not self.nothing_in.issuperset(parts):
            return None
        if parts[1] in _ROOTS:
            return ()
        ruling = self.rulings["url-personal", role]
        return (ruling,) if ruling.action == "keep" else None

    def observed_url(self, url: str, role: Role, path: str, index: int = -1) -> str | None:
        """A URL as an observable: the host stays; userinfo, query and path by policy. None: nothing may stay."""
        if (kept := self.kept(url, role)) is not None:
            for ruling in kept:
                self.mark("url-personal", ruling, url)
            return url
        parsed = _URL.fullmatch(url)
        if parsed is None:
            return url if self.clean(url, path, index) else None
        host = self._host(parsed.group(2), role, path, index)
        if host is None:
            return None
        rest = parsed.group(3)
        if rest not in ("", "/"):
            ruling = self.rulings["url-personal", role]
            self.mark("url-personal", ruling, url)
            if ruling.action != "keep":
                self.ledger.record("url-personal", role, ruling, path, index)
                rest = "/"
        made = f"{parsed.group(1)}://{host}{self._rest(rest, path, index)}"
        return url if made == url.replace("[:]", ":") else made

    def is_plain_url(self, url: str) -> bool:
        """Can this URL hold nothing of anybody's?"""
        if url in self._plain_urls:
            return True
        plain = not self._names and _PLAIN_URL(url) is not None and not PERSONAL_PAGE(url)
        if plain:
            self._plain_urls.add(url)
        return plain

    def reference(self, url: str, path: str, index: int = -1) -> str | None:
        """A URL that points at more about it: stays, less what is personal in it. None: nothing may stay."""
        if self.is_plain_url(url):
            return url
        spans = self.spans(url)
        decoded = unquote(url) if "%" in url else url
        if not spans and (decoded is url or not self.spans(decoded)):
            return url
        parsed = _URL.fullmatch(url)
        if parsed is None:
            return url if self.clean(url, path, index) else None
        host = self._host(parsed.group(2), "unknown", path, index)
        if host is None:
            return None
        return f"{parsed.group(1)}://{host}{self._rest(parsed.group(3), path, index)}"

    def _rest(self, rest: str, path: str, index: int) -> str:
        """Path and query, cut at the query, or wholly, where something in them may not stay."""
        if self._is_clean(rest, path, index):
            return rest
        cut = re.split("[?#;]", rest, maxsplit=1)[0]
        return cut if cut != rest and self._is_clean(cut, path, index) else "/"

    def _is_clean(self, rest: str, path: str, index: int) -> bool:
        whole = f"{_HOST}{rest}"
        return self.clean(whole, path, index) and ("%" not in whole or self.clean(unquote(whole), path, index))

    def _host(self, authority: str, role: Role, path: str, index: int) -> str | None:
        """Host and port without userinfo; None: the host is an address that may not stay."""
        userinfo, at, host = authority.rpartition("@")
        if at and userinfo:
            self.ledger.record("credential", role, self.rulings["credential", role], path, index, "url-userinfo")
        bare = _bare(host)
        if bare.startswith("["):
            bare = bare[1:].partition("]")[0]
        elif bare.count(":") == 1:
            bare = bare.partition(":")[0]
        category = is_ip(bare)
        if category is None:
            return host if any(map(str.isalpha, host)) and self.clean(host, path, index) else None
        known = self.roles.of_value(f"{category}-addr", bare)
        told: Role = "victim" if "victim" in (known, role) else "attacker" if "attacker" in (known, role) else "unknown"
        return host if self.action(category, told, path, index, value=bare) == "keep" else None


def url_parts(url: str) -> tuple[str, str] | None:
    """The host of a URL and the rest behind another host, as they are looked at. None: its host is no name, or there
    are escapes in it."""
    parsed = _NAMED_HOST(url)
    return None if parsed is None else (parsed[1], f"{_HOST}{parsed[2]}")


def _bare(text: str) -> str:
    """Without fangs."""
    return _FANGED.sub(".", text) if any(sign in text for sign in "[({]") else text


def _with(found: list[Span], new: list[Span]) -> list[Span]:
    """The spans, and the new ones wherever none of them stands already."""
    free = [span for span in new if not any(old.start < span.end and span.start < old.end for old in found)]
    return sorted((*found, *free), key=lambda span: span.start) if free else found
