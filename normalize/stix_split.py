"""Which objects of a bundle belong together: one threat for each report, grouping, incident or campaign.

What a report or grouping lists, what that refers to, and the relations among it. What a campaign or incident is
related to, and what indicates, hosts or mitigates that. What nobody lists goes with what it is related to, and the
rest stays together. Objects may belong to several threats. Linear in the size of the bundle; bundles whose reports
overlap without end are refused.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from normalize import NormalizeError
from normalize.stix_types import CHECKS

HEADS = frozenset(("report", "grouping", "incident", "campaign"))
LINKS = frozenset(("relationship", "sighting", "note", "opinion"))
CONTEXT = frozenset(("identity", "location", "marking-definition", "extension-definition", "language-content"))
"""Says something about other objects, and is no threat by itself."""
_FOLLOWED = frozenset(
    (
        *("indicates", "consists-of", "based-on", "communicates-with", "beacons-to", "exfiltrates-to", "hosts", "has"),
        *("delivers", "drops", "downloads", "exploits", "mitigates", "remediates", "located-at", "resolves-to"),
    )
)
"""Relations by which what belongs to a campaign's malware belongs to the campaign. Not `uses`, `targets` and
`attributed-to`: they lead to everything else that the same actor did."""
_NESTED = frozenset(("extensions", "body_multipart", "granular_markings"))
"""Properties in which references stand deeper."""
_PLAIN = frozenset(name for name in CHECKS if not name.endswith(("_ref", "_refs"))) - _NESTED | {"type", "spec_version"}
"""Properties that are known to hold none."""


class Split:
    """Objects as a graph. Positions in the list stand for objects; ids may stand for several (see `Clash`)."""

    def __init__(self, objects: Sequence[dict[str, Any]]) -> None:
        self.objects = objects
        self.by_id: dict[str, list[int]] = defaultdict(list)
        self.links: dict[str, list[int]] = defaultdict(list)
        """Id -> the relations, sightings, notes and opinions at it."""
        for at, obj in enumerate(objects):
            self.by_id[obj["id"]].append(at)
            if obj["type"] in LINKS:
                for end in ends(obj):
                    self.links[end].append(at)
        self._budget = 20 * len(objects) + 500_000
        self._refs: dict[int, Sequence[str]] = {}

    def threats(self) -> Iterator[tuple[int | None, list[int]]]:
        """Position of the head (None: what is left over) and positions of all its objects, in order."""
        heads = [at for at, obj in enumerate(self.objects) if obj["type"] in HEADS]
        members = [self._listed(head) for head in heads]
        owner: dict[int, int] = {}
        for number, found in enumerate(members):
            for at in found:
                owner.setdefault(at, number)
        self._adopt(owner, members)
        for head, found in zip(heads, members, strict=True):
            yield head, sorted(found)
        left = [at for at, obj in enumerate(self.objects) if at not in owner and obj["type"] not in CONTEXT]
        if any(self.objects[at]["type"] not in LINKS for at in left):
            rest: set[int] = set()
            for at in left:
                self._take(at, rest, within=None)
            yield None, sorted(rest)

    def _listed(self, head: int) -> set[int]:
        found: set[int] = set()
        self._take(head, found, within=head)
        if "object_refs" not in self.objects[head]:
            near: set[int] = set()
            self._related(self.objects[head]["id"], found, near, head, followed=None)
            for at in list(near):
                if self.objects[at]["type"] not in CONTEXT:
                    self._related(self.objects[at]["id"], found, set(), head, followed=_FOLLOWED)
        for at in list(found):
            for link in self._spent(self.links.get(self.objects[at]["id"], [])):
                both = ends(self.objects[link])
                inside = any if self.objects[link]["type"] in ("note", "opinion") else all
                if link not in found and inside(self._has(end, found) for end in both):
                    self._take(link, found, within=head)
        return found

    def _related(
        self, identifier: str, found: set[int], near: set[int], head: int, followed: frozenset[str] | None
    ) -> None:
        for link in self._spent(self.links.get(identifier, [])):
            if followed is not None and self.objects[link].get("relationship_type", "indicates") not in followed:
                continue
            before = set(self.by_id.get(identifier, ()))
            self._take(link, found, within=head)
            for end in ends(self.objects[link]):
                near.update(at for at in self.by_id.get(end, ()) if at not in before)

    def _adopt(self, owner: dict[int, int], members: list[set[int]]) -> None:
        """Give what nobody lists to the first threat to which it is related, step by step."""
        pending = deque(owner)
        while pending:
            at = pending.popleft()
            obj = self.objects[at]
            if obj["type"] in CONTEXT:
                continue
            for link in self._spent(self.links.get(obj["id"], [])):
                if link in owner:
                    continue
                number = owner[at]
                taken: set[int] = set()
                self._take(link, taken, within=link)
                for new in taken:
                    if new not in owner:
                        owner[new] = number
                        pending.append(new)
                members[number] |= taken

    def _take(self, start: int, found: set[int], within: int | None) -> None:
        """Add an object with all that it refers to. Other heads come along without what they list in turn."""
        pending = [start]
        while pending:
            at = pending.pop()
            if at in found:
                continue
            found.add(at)
            if at != within and within is not None and self.objects[at]["type"] in HEADS:
                continue
            refs = self._refs_of(at)
            self._spend(1 + len(refs))
            for ref in refs:
                if others := self.by_id.get(ref):
                    self._spend(1 + len(others))
                    pending += [other for other in others if other not in found]

    def _refs_of(self, at: int) -> Sequence[str]:
        refs = self._refs.get(at)
        if refs is None:
            refs = self._refs[at] = references(self.objects[at])
        return refs

    def _has(self, identifier: str, found: set[int]) -> bool:
        return any(at in found for at in self._spent(self.by_id.get(identifier, ())))

    def _spent(self, many: Sequence[Any]) -> Sequence[Any]:
        self._spend(1 + len(many))
        return many

    def _spend(self, steps: int) -> None:
        self._budget -= steps
        if self._budget < 0:
            raise NormalizeError("its reports overlap so much that they cannot be told apart", stage="shape")


def ends(link: dict[str, Any]) -> list[str]:
    """What a relation, sighting, note or opinion is about."""
    kind = link["type"]
    if kind == "relationship":
        return [link["source_ref"], link["target_ref"]]
    if kind == "sighting":
        return [link["sighting_of_ref"]]
    refs: list[str] = link["object_refs"]
    return refs


def references(obj: dict[str, Any]) -> list[str]:
    """Ids that an object refers to, also from within its extensions, message parts and granular markings."""
    found: list[str] = []
    for name in obj.keys() - _PLAIN:
        part = obj[name]
        if name[-4:] == "_ref":
            if type(part) is str:
                found.append(part)
        elif name[-5:] == "_refs":
            if type(part) is list:
                found += [ref for ref in part if type(ref) is str]
        elif name in _NESTED:
            found += _below(part, depth=6)
    return found


def _below(value: Any, depth: int) -> Iterator[str]:
    if type(value) is dict:
        yield from references(value)
        parts: Iterable[Any] = value.values()
    elif type(value) is list:
        parts = value
    else:
        return
    for part in parts if depth else ():
        yield from _below(part, depth - 1)
