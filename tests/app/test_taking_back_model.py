"""Whatever is said, released, withdrawn and sent, in whatever order: the last word that a reader has is what holds."""

import tempfile
from itertools import count
from pathlib import Path
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import workers
from dispatch import handing, outbox
from dispatch.ledger import LEFT
from normalize import Affected
from subscribers import Contact, Software
from tests.app.house import opened
from tests.app.test_grouping import lines
from tests.triage.desk import draft
from tlp import Label
from triage import TriageError, inbox

READERS = {"een": {"FortiOS"}, "twee": {"FortiOS", "FortiProxy"}, "drie": {"FortiProxy"}}
Said = tuple[frozenset[str], int]
"""The products that are affected, and of how many CVEs is told."""
Act = Literal["release", "withdraw", "hold", "decline", "send", "wait", "dies", "accepted"]
said = st.tuples(st.frozensets(st.sampled_from(["FortiOS", "FortiProxy"]), min_size=1), st.integers(1, 2))
acts: st.SearchStrategy[Act] = st.sampled_from(
    ["release", "release", "withdraw", "hold", "decline", "send", "send", "wait", "dies", "accepted"]
)
HEAL = [HealthCheck.too_slow]


class Model:
    """An instance with three firms, and what each version of the one item said."""

    def __init__(self, folder: Path) -> None:
        self.house = opened(folder / "var")
        self.item, self.numbers = "", count()
        self.versions: dict[int, Said] = {}
        for name, uses in READERS.items():
            software = tuple(Software("Fortinet", each) for each in sorted(uses))
            contact = Contact("email", address=f"{name}@voorbeeld.example")
            self.house.subscribe(name, contact, clearance=Label.AMBER, software=software)

    def does(self, what: Said | Act) -> None:
        self.house.later(minutes=1)
        if isinstance(what, tuple):
            self.says(what)
        elif what == "send":
            workers.dispatch(self.house.service, now=True)
        elif what == "wait":
            self.house.later(minutes=16)
        elif what in ("dies", "accepted"):
            self.is_cut_off(died=what == "dies")
        else:
            try:
                self.house.decide(what, self.item)
            except TriageError:  # not in that state
                return

    def says(self, what: Said) -> None:
        products, many = what
        affected = tuple(Affected("Fortinet", each) for each in sorted(products))
        cves = tuple(f"CVE-2026-{number:04d}" for number in range(1, many + 1))
        known = {"tracking": ("NCSC-2026-0001",), "title": "Lek bij Fortinet", "exploited": True}
        self.item = self.house.item(draft("doc", affected=affected, cves=cves, **known))
        with self.house.service.reading() as connection:
            self.versions[inbox.row(connection, self.item).version] = what

    def is_cut_off(self, *, died: bool) -> None:
        """A process dies with its first message in hand, or when that was accepted."""
        with self.house.service.transaction() as connection:
            worker = f"w{next(self.numbers)}"
            first = next(iter(outbox.claim(connection, self.house.now, 3, worker, hurry=True)), None)
            if first is not None:
                assert handing.step(connection, worker, (), "", self.house.now, [first.id])
                assert died or handing.step(connection, worker, [first.id], "smtp-250", self.house.now, ())

    def ends(self) -> None:
        for _ in range(4):
            self.house.later(minutes=16)
            workers.dispatch(self.house.service, now=True)
            self.house.later(hours=4)
            workers.dispatch(self.house.service, now=True)

    def last_words(self) -> dict[str, int | None]:
        """The version that each reader holds; None: what it was told was taken back. Each once.

        That something may have left stands in the ledger when that is settled, which is later.
        """
        found: dict[str, int | None] = {}
        latest = dict.fromkeys(READERS, 0)
        for each in lines(self.house):
            if each.outcome == "sent" and each.kind == "withdrawal":
                assert found.get(each.subscriber) is not None, "it holds nothing that could be taken back"
                assert each.version >= latest[each.subscriber]
                found[each.subscriber] = None
            elif each.outcome in LEFT and each.kind != "withdrawal" and each.version > latest[each.subscriber]:
                found[each.subscriber] = latest[each.subscriber] = each.version
        return found

    def holds(self, name: str, held: int | None, *, was_told: bool) -> bool:
        state = self.house.state(self.item)
        if state == "released":
            now = self.versions[max(self.versions)]
            if READERS[name] & now[0]:
                return held is not None and self.versions[held] == now
            return held is None
        return state != "withdrawn" or held is None or not was_told


@given(st.tuples(said, st.lists(said | acts, max_size=14)))
@settings(max_examples=15, suppress_health_check=HEAL, deadline=None)
def test_the_last_word_is_what_holds(what: tuple[Said, list[Said | Act]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = Model(Path(folder))
        try:
            for each in (what[0], "release", "send", *what[1]):
                model.does(each)
            model.ends()
            words = model.last_words()
            for name in READERS:
                assert model.holds(name, words.get(name), was_told=name in words), (name, words, model.versions)
        finally:
            model.house.service.engine.dispose()
