"""What one MISP event says: its attributes and objects, what they are, and whose the values are.

Every value becomes an observable; those that their publisher wants looked for (`to_ids`) an indicator too, unless the
value is everybody's or was reported as a false positive. Whose a value is, is told as evidence; the guard decides.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from normalize import Facts, NormalizeError, Observable, Role
from normalize.lenient import Json, Parts, cves_in, web_addresses
from normalize.misp_attribute import Attribute, attribute, evidence_of, is_narrow, joined, left_out, within
from normalize.misp_context import NOTHING, Context, cluster, country
from normalize.misp_graph import Graph
from normalize.misp_objects import (
    OBSERVED,
    MalformedError,
    Object,
    file,
    harmless,
    keys_of,
    observed,
    pattern,
)
from normalize.misp_types import CONNECTIONS, FILES, PERSONAL_OBJECTS, PROSE_RELATIONS, SECTIONS
from normalize.patterns import reading
from normalize.places import region
from normalize.sectors import of_words
from normalize.stix_facts import Key
from tlp import Label, tags

_LONGEST_RULE = 200_000
_LONGEST = 1000
_OFFENDERS = frozenset({"threat-actor", "intrusion-set", "campaign", "malware", "tool"})
_KNOWN = _OFFENDERS | {"attack-pattern"}


class Gathered:
    """What an event comes to, while it is read."""

    def __init__(self, graph: Graph, parts: Parts, named: Mapping[str, Label] = tags.NAMED) -> None:
        self.graph = graph
        self._named = named
        """Labels in other namespaces than TLP's own."""
        self.words: list[str] = []
        """Prose about the event as a whole."""
        self.cves: list[str] = []
        self.references: list[str] = []
        self.labels: set[Label] = set()
        """Of parts that have one of their own."""
        self.doubts: set[str] = set()
        self.sectors: set[str] = set()
        self.countries: set[str] = set()
        self.regions: set[str] = set()
        self._parts = parts
        self._event = NOTHING
        self._evidence: dict[Key, set[str]] = {}
        self._harmless: set[Key] = set()
        self._technical: list[Observable] = []
        self._cvss: float | None = None

    def read(self, event: Json, context: Context, path: str) -> None:
        """All that an event holds."""
        self._event = context
        self._context(context)
        for each, where in self._parts.objects(event, "Attribute", path):
            if one := attribute(each, where, self._parts, self._named):
                self._read(one)
        for each, where in self._parts.objects(event, "Object", path):
            self._object(each, where)

    @property
    def explained(self) -> bool:
        """Is there more to it than values?"""
        return bool(
            self.sectors or self.countries or self.regions or self.cves or self.words or _KNOWN & self.graph.types()
        )

    @property
    def empty(self) -> bool:
        """Does it say nothing at all?"""
        return not (len(self.graph) or self.graph.texts or self._technical or self.references or self.explained)

    def told(self, facts: Facts) -> Facts:
        """The facts with whose values they are, and without those that are everybody's: these stay in the objects."""
        observables = []
        for one in facts.observables:
            evidence = self._evidence.get((one.type, one.value), set())
            if (one.type, one.value) not in self._harmless:
                words = " ".join(sorted({*evidence, *one.evidence.split()}))
                # A port is stated; the protocol is only there because STIX wants one.
                observables.append(replace(one, role=_role(evidence), evidence=words, protocol=None))
        return replace(
            facts,
            observables=(*observables, *self._technical),
            sectors=tuple(sorted({*facts.sectors, *self.sectors})),
            countries=tuple(sorted({*facts.countries, *self.countries})),
            regions=tuple(sorted({*facts.regions, *self.regions})),
            cvss=self._cvss,
        )

    def _context(self, context: Context) -> None:
        self.doubts |= context.doubts
        self.cves += context.cves
        self.sectors.update(context.sectors)
        self.countries.update(context.countries)
        self.regions.update(context.regions)
        for of_type, name in context.known:
            self.graph.add(cluster(of_type, name))

    def _object(self, obj: Json, path: str) -> None:
        """A MISP object: what it is of decides how its attributes are read."""
        name = self._parts.text(obj, "name", path).lower()
        if left_out(obj) or name in PERSONAL_OBJECTS or name in SECTIONS:
            return
        if narrow := is_narrow(obj):
            self.doubts.add("misp-narrower-part")
        inside = [
            replace(one, context=within(one.context, narrow=narrow))
            for each, where in self._parts.objects(obj, "Attribute", path)
            if (one := attribute(each, where, self._parts, self._named))
        ]
        if name == "victim":
            self._victim(inside)
            return
        before = len(self.graph)
        for one in self._file(inside) if name in FILES else inside:
            self._read(one, name)
        made = [ref for ref in self.graph.since(before) if not ref.startswith(("observed-data", "indicator"))]
        uuid = self._parts.text(obj, "uuid", path).lower()
        if made:
            self.graph.by_uuid[uuid] = made[0]
            if comment := self._parts.text(obj, "comment", path):
                self.graph.comment(comment, made[0])
        for link, where in self._parts.objects(obj, "ObjectReference", path):
            if not left_out(link):
                name, end = (self._parts.text(link, key, where) for key in ("relationship_type", "referenced_uuid"))
                self.graph.link(uuid, name, end.lower())

    def _victim(self, inside: Iterable[Attribute]) -> None:
        """Of a victim only what says whom an attack is aimed at: its sector and country, not who it is."""
        for one in inside:
            self._said(one)
            if one.relation == "sectors":
                self.sectors.update(of_words(one.value.replace("-", " ")))
            elif one.relation == "regions":
                self.countries.update(country(one.value))
                self.regions.update(filter(None, (region(one.value),)))

    def _file(self, inside: Iterable[Attribute]) -> list[Attribute]:
        """One file by its name and all its hashes; returns the attributes that say something else."""
        told: list[Attribute] = []
        rest: list[Attribute] = []
        name = ""
        hashes: dict[str, str] = {}
        wanted: dict[str, str] = {}
        for one in inside:
            how, _, algorithm = one.way.partition(":")
            if how not in ("hash", "file", "file+hash") or algorithm in hashes or (how != "hash" and name):
                rest.append(one)
                continue
            try:
                made = observed(one.way, one.value)[0]
            except MalformedError:
                self._malformed(one)
                continue
            self._said(one)
            told.append(one)
            name = made.get("name", name)
            hashes |= made.get("hashes", {})
            wanted |= made.get("hashes", {}) if one.to_ids else {}
        if told:
            whole = file([name] if name else [], hashes)
            sought = file([], wanted) if wanted else whole if any(one.to_ids for one in told) else None
            self._observe(joined(told), [whole], sought)
            self.graph.by_uuid |= {one.uuid: whole["id"] for one in told if one.uuid}
        return rest

    def _said(self, one: Attribute) -> None:
        """What is said of an attribute, whatever it is."""
        self._context(one.context)
        if one.context.label:
            self.labels.add(one.context.label)
        if one.narrow:
            self.doubts.add("misp-narrower-part")

    def _read(self, one: Attribute, within: str = "") -> None:
        """One attribute, by the way of its type. `within`: the name of the object it stands in."""
        self._said(one)
        how, _, argument = one.way.partition(":")
        if how == "nothing":
            self._number(one, within)
        elif how in OBSERVED:
            self._value(one, within)
        elif how == "rule":
            self._rule(one, argument)
        elif how == "cve":
            self._vulnerability(one)
        elif how == "prose":
            self._prose(one, within)
        elif how == "reference":
            self._reference(one, within)
        elif how == "technical":
            self._technical.append(_technical(one))
        else:  # the name of an actor, a campaign, a malware
            self.graph.add(cluster(how, one.value[:_LONGEST]), one.context.label)

    def _reference(self, one: Attribute, within: str) -> None:
        """More about the event; a link that is to be looked for is no reading matter."""
        if one.to_ids:
            self._value(replace(one, way="url"), within)
        else:
            self.references += web_addresses([one.value])

    def _value(self, one: Attribute, within: str) -> None:
        if one.type == "url" and one.category == "External analysis" and not one.to_ids:
            self.references += web_addresses([one.value])
            return
        try:
            made = observed(one.way, one.value)
        except MalformedError:
            self._malformed(one)
            return
        if within in CONNECTIONS and one.type.startswith("ip-src"):
            one = replace(one, evidence=one.evidence | {"traffic:beacon-source"})
        self._observe(one, made, made[0] if one.to_ids else None)

    def _observe(self, one: Attribute, made: list[Object], sought: Object | None) -> None:
        """Observables of one attribute (or of a file's), and the indicator that looks for `sought`."""
        spared = one.refuted or any(map(harmless, _values(made[0])))
        evidence = evidence_of(one) if not spared else set()
        for obj in made:
            self.graph.add(obj, one.context.label)
            for key in keys_of(obj):
                self._evidence.setdefault(key, set()).update(evidence)
                if spared:
                    self._harmless.add(key)
        if one.uuid:
            self.graph.by_uuid[one.uuid] = made[0]["id"]
        self.graph.observed(one, made)
        text = pattern(sought, {obj["id"]: obj for obj in made}) if sought and not spared else None
        if text:
            self.graph.indicator(one, text, "stix", self._signs(one))
        elif one.comment:
            self.graph.comment(one.comment, made[0]["id"])

    def _rule(self, one: Attribute, language: str) -> None:
        if len(one.value) > _LONGEST_RULE:
            self._parts.note("longer than is read", f"{one.path}/value")
            return
        if language == "stix":
            try:
                reading(one.value)
            except NormalizeError:
                self._malformed(one)
                return
        self.graph.indicator(one, one.value, language, self._signs(one))

    def _vulnerability(self, one: Attribute) -> None:
        found = cves_in(one.value)
        self.cves += found
        if not found:
            self._malformed(one)

    def _prose(self, one: Attribute, within: str) -> None:
        if within and one.relation not in PROSE_RELATIONS:
            return
        if one.category == "External analysis" or within in ("report", "vulnerability"):
            self.words.append(one.value)
        else:
            self.graph.texts.append(f"{one.value} ({one.comment})" if one.comment else one.value)

    def _number(self, one: Attribute, within: str) -> None:
        """Of numbers only the CVSS score means something by itself."""
        if within == "vulnerability" and one.relation == "cvss-score":
            try:
                score = float(one.value)
            except ValueError:
                return
            self._cvss = max(score, self._cvss or 0.0) if 0 <= score <= 10 else self._cvss

    def _signs(self, one: Attribute) -> list[Object]:
        """What an indicator is a sign of: what its own tags name, or the one actor or malware that its event names."""
        own = [(kind, name) for kind, name in one.context.known if kind in _KNOWN]
        of_event = [(kind, name) for kind, name in self._event.known if kind in _OFFENDERS]
        return [cluster(kind, name) for kind, name in own or (of_event if len(of_event) == 1 else ())]

    def _malformed(self, one: Attribute) -> None:
        self._parts.note("an attribute whose value is not what its type says", f"{one.path}/value")


def _technical(one: Attribute) -> Observable:
    """What STIX has no object for. What may be a path is one, since paths name users."""
    evidence, path = evidence_of(one), re.search(r"\\|/(?:home|Users)/", one.value)
    told, detail = " ".join(sorted(evidence)), {"kind": one.type}
    return Observable("file" if path else "other", one.value[:_LONGEST], _role(evidence), told, detail=detail)


def _role(evidence: set[str]) -> Role:
    """Preliminary, as everywhere in normalize: any sign of a victim outweighs what a publisher wants looked for."""
    return "victim" if evidence - {"misp:to-ids"} else "attacker" if evidence else "unknown"


def _values(obj: Object) -> list[Any]:
    return [obj["value"]] if "value" in obj else list(obj.get("hashes", {}).values())
