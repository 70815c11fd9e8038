"""After a message: answers, one reminder, whom to call, and what it all came to."""

import asyncio
import csv
import re
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from msgspec.structs import replace

from app import digests, effect, following, website, workers
from app.service import open_service
from dispatch import feedback, outbox
from normalize import Observable
from subscribers import Contact
from tests.app.house import MAIL, House, opened
from tests.triage.desk import draft
from tlp import Label

BASE = "https://oktt.example"
FIRMS = [f"firm-{number:02d}" for number in range(12)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An instance whose web has an address, with twelve firms of one sector."""
    made = opened(tmp_path)
    (tmp_path / "oktt.toml").write_text(f'[web]\nbase_url = "{BASE}"\n')
    made.service = open_service(tmp_path)
    made.service.clock = lambda: made.now
    for name in FIRMS:
        made.subscribe(name, sectors=("SBI:25",), size="zzp" if name < "firm-02" else "mkb")
    return made


class Browser:
    """Asks the application itself."""

    def __init__(self, house: House) -> None:
        self._transport = httpx.ASGITransport(website.application(house.service))

    def get(self, path: str) -> int:
        return asyncio.run(self._ask("GET", path))

    def post(self, path: str, answer: str) -> int:
        return asyncio.run(self._ask("POST", path, data={"answer": answer}))

    def read(self, path: str) -> httpx.Response:
        return asyncio.run(self._asked("GET", path))

    async def _ask(self, method: str, path: str, **more: Any) -> int:
        return (await self._asked(method, path, **more)).status_code

    async def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url=BASE, follow_redirects=True) as client:
            return await client.request(method, path, **more)


@pytest.fixture
def web(house: House) -> Browser:
    return Browser(house)


def sent(house: House, item: str) -> dict[str, tuple[str, str]]:
    """Subject and address for answers of the newest message to each firm."""
    found = {}
    with house.service.reading() as connection:
        d = outbox.deliveries.c
        query = outbox.deliveries.select().where(d.subject == item, d.state == "sent").order_by(d.settled_at)
        rows = connection.execute(query).all()
    for row in rows:
        file = house.service.settings.dir / "outbox" / f"{row.id}.eml"
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        text = mail.get_body(("plain",)).get_content()
        (path,) = set(re.findall(rf"{BASE}(/a/[\w-]+)\?answer=", text))
        assert len(re.findall(rf'href="{BASE}{path}\?answer=', mail.get_body(("html",)).get_content())) == 4
        found[row.subscriber] = mail["Subject"], path
    return found


def out(house: House) -> str:
    said = house.now - timedelta(hours=3)
    item = house.item(draft("0412", cves=("CVE-2026-0412",), sectors=("SBI:25",), exploited=True, source_time=said))
    assert house.decide("release", item).state == "released"
    assert workers.dispatch(house.service, now=True)["sent"] == len(FIRMS)
    return item


def test_who_does_not_answer_is_reminded_once_and_then_called(house: House, web: Browser) -> None:
    item = out(house)
    first = sent(house, item)
    house.later(hours=2)
    for firm, answer in zip(FIRMS, ("handled", "not-applicable", "working", "need-help"), strict=False):
        assert web.get(first[firm][1]) == 200
        assert web.post(first[firm][1], answer) == 200
    assert not following.remind(house.service), "the day is not over"
    house.later(hours=14)
    assert following.remind(house.service)
    assert web.post(first[FIRMS[4]][1], "handled") == 200
    assert workers.dispatch(house.service) == {"sent": 7, "retry": 0, "failed": 0, "cancelled": 1}
    reminded = {firm: subject for firm, (subject, _) in sent(house, item).items() if "HERINNERING" in subject}
    assert sorted(reminded) == FIRMS[5:]
    assert workers.dispatch(house.service)["sent"] == 0, "once"
    assert [(each.subscriber, each.why) for each in following.calls(house.service, 50)] == [(FIRMS[3], "need-help")]
    house.later(days=1)
    called = [(each.subscriber, each.why) for each in following.calls(house.service, 50)]
    assert called == [(FIRMS[3], "need-help"), *((firm, "no-answer") for firm in FIRMS[5:])]
    assert web.post(sent(house, item)[FIRMS[5]][1], "working") == 200
    assert FIRMS[5] not in {each.subscriber for each in following.calls(house.service, 50)}
    assert workers.dispatch(house.service)["sent"] == 0


def test_what_it_came_to_is_told_by_group_and_small_groups_are_not(house: House, web: Browser) -> None:
    since, item = house.now, out(house)
    links = sent(house, item)
    for hours, firm in ((1, FIRMS[0]), (2, FIRMS[1]), (6, FIRMS[2])):
        house.later(hours=hours)
        web.get(links[firm][1])
        web.post(links[firm][1], "handled")
    web.get(links[FIRMS[3]][1])
    rows, late = effect.effect(house.service, since)
    by = {(row.by, row.value): row for row in rows}
    whole = by["all", ""]
    assert (whole.sent, whole.delivered, whole.opened, whole.answered, whole.handled) == (12, 12, 4, 3, 3)
    assert whole.median_hours == 3.0
    assert replace(by["urgency", "today"], by="all", value="") == whole
    assert by["item", item].handled == 3
    assert by["kind", "company"].sent == 12
    assert by["size", "zzp"] == effect.Effect("size", "zzp"), "two firms: who they are could be told"
    assert by["size", "mkb"] == effect.Effect("size", "mkb"), "or by subtraction"
    assert late is not None
    assert (late.count, late.median) == (12, 3 * 3600)


def test_who_cannot_be_reached_stands_before_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    item = out(house)
    monkeypatch.setattr(following, "AT_ONCE", 2)
    house.later(hours=16)
    assert following.remind(house.service)
    with house.service.transaction() as connection:
        assert outbox.cancel_waiting(connection, item, "superseded", house.now) == 2
    assert workers.dispatch(house.service)["sent"] == len(FIRMS) - 2


def test_no_small_group_is_told_by_subtraction_or_for_many_messages() -> None:
    def shown(urgency: dict[str, str], **sizes: int) -> set[str]:
        groups: dict[tuple[effect.By, str], set[str]] = {}
        for name, size in sizes.items():
            by, _, value = name.partition("_")
            groups[cast(effect.By, by), value] = {f"firm-{each}" for each in range(size)}
        return {"_".join(group) for group in effect._shown(groups, urgency)}

    sizes = {"all_": 80, "urgency_today": 59, "urgency_info": 40, "item_A": 50, "item_B": 9, "item_C": 40}
    told = shown({"A": "today", "B": "today", "C": "info"}, **sizes)
    assert told == {*sizes} - {"item_A", "item_B"}, "what A would leave of today is B"
    assert shown({}, kind_cert=9, kind_vital=5) == set(), "nine, and five of the same, are nine"
    assert shown({}, all_=80, size_mkb=80, size_=1) == {"all_"}, "the one of whom no size is known"


def test_without_an_address_nobody_is_asked_or_reminded(tmp_path: Path) -> None:
    house = opened(tmp_path)
    house.subscribe("baker", MAIL, sectors=("SBI:25",))
    item = house.item(draft("0413", cves=("CVE-2026-0413",), sectors=("SBI:25",), exploited=True))
    house.decide("release", item)
    assert workers.dispatch(house.service, now=True)["sent"] == 1
    house.later(days=3)
    assert workers.dispatch(house.service)["sent"] == 0
    (file,) = (tmp_path / "outbox").glob("*.eml")
    assert b"/a/" not in file.read_bytes()


def test_a_withdrawn_item_is_not_reminded_of(house: House) -> None:
    item = out(house)
    house.decide("withdraw", item)
    workers.dispatch(house.service, now=True)
    house.later(days=3)
    assert workers.dispatch(house.service, now=True)["sent"] == 0
    with house.service.reading() as connection:
        assert feedback.answers(connection, item) == []


def test_the_whole_list_is_behind_a_link_for_its_owner_alone(house: House, web: Browser) -> None:
    for name, network in (("large", "192.0.2.0/25"), ("small", "192.0.2.128/25")):
        house.subscribe(name, networks=(network,), clearance=Label.AMBER, verified=True)
    rows = tuple(Observable("ipv4", f"192.0.2.{n}", role="victim", port=3389) for n in (*range(60), 130, 131))
    item = house.item(
        draft("scan_rdp/2026-03-02", "exposure", Label.AMBER, observables=rows, exposure="scan_rdp"), "shadowserver"
    )
    house.decide("release", item, urgency="today")
    assert workers.dispatch(house.service, now=True)["sent"] == 2
    texts, path = {}, {}
    with house.service.reading() as connection:
        d = outbox.deliveries.c
        for row in connection.execute(outbox.deliveries.select().where(d.subject == item)).all():
            file = house.service.settings.dir / "outbox" / f"{row.id}.eml"
            texts[row.subscriber] = text = body(message_from_bytes(file.read_bytes(), policy=policy.default))
            path[row.subscriber] = re.findall(rf"{BASE}(/a/[\w-]+)\?answer=", text)[0]
    assert f"{path['large']}/list.csv" in texts["large"]
    assert "list.csv" not in texts["small"], "it shows all of them"
    listed = web.read(f"{path['large']}/list.csv")
    assert listed.headers["content-disposition"] == f'attachment; filename="{item}.csv"'
    lines = list(csv.DictReader(listed.text.splitlines()))
    assert [each["value"] for each in lines] == [f"192.0.2.{n}" for n in range(60)]
    assert {each["tlp"] for each in lines} == {"TLP:AMBER"}
    assert len(web.read(f"{path['small']}/list.csv").text.splitlines()) == 3
    house.later(hours=1)
    other = Contact("email", address="ander@voorbeeld.example")
    house.subscribe("small", other, networks=("192.0.2.128/25",), clearance=Label.AMBER, verified=True)
    assert web.get(f"{path['small']}/list.csv") == 404, "whose address it no longer is, reads no more there"
    house.decide("withdraw", item)
    assert web.get(f"{path['large']}/list.csv") == 404


def body(mail: EmailMessage) -> str:
    found = mail.get_body(("plain",))
    assert found is not None
    return str(found.get_content())


def test_a_partnership_reads_how_its_members_stand_but_not_of_few(house: House) -> None:
    house.subscribe("branche", kind="partnership", members=tuple(FIRMS), sectors=("SBI:25",))
    house.subscribe("kring", kind="partnership", members=tuple(FIRMS[:9]), sectors=("SBI:25",))
    item = house.item(draft("0412", cves=("CVE-2026-0412",), sectors=("SBI:25",), exploited=True))
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    house.later(hours=1)
    with house.service.transaction() as connection:
        for told in filter(None, (feedback.message(connection, each) for each in outbox.ids(connection, item))):
            if told.subscriber in FIRMS[:3]:
                feedback.give(connection, told, "handled", None, house.now)
    item = house.item(draft("0413", cves=("CVE-2026-0413",)))
    house.decide("release", item)
    house.later(hours=1)
    digests.build(house.service, "monday", date(2026, 3, 2))
    workers.dispatch(house.service)
    found = {}
    for file in (house.service.settings.dir / "outbox").glob("*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        if "Start van de week" in mail["Subject"]:
            text = " ".join(body(mail).split())
            found[next(name for name in ("branche", "kring", "firm") if f"omdat {name}" in text)] = text
    assert "(OKTT-2026-0001): gewaarschuwd ongeveer 10, geregeld minder dan 10" in found["branche"]
    assert "gewaarschuwd minder dan 10" in found["kring"]
    assert "geregeld" not in found["kring"]
    assert "gewaarschuwd" not in found["firm"]
