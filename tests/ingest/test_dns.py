"""TXT records, asked of a DNS server of our own."""

import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from ingest import dns as ours
from subscribers import Claim, proofs
from tests.conftest import NOW

KEY = bytes(32)


class Server:
    """Answers what it is told to, over UDP on 127.0.0.1 (RFC 1035); to SERVFAIL it says nothing more."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.broken = False
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            packet, peer = self._socket.recvfrom(4096)
            if not packet:
                return
            query = dns.message.from_wire(packet)
            name = query.question[0].name
            self.asked.append(name.to_text())
            answer = dns.message.make_response(query)
            texts = self.records.get(name.to_text(omit_final_dot=True))
            if self.broken:
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif texts is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif texts:
                answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", "TXT", texts))
            self._socket.sendto(answer.to_wire(), peer)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(20)
        self._socket.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def lookup(server: Server) -> ours.Lookup:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    return ours.lookup(resolver)


def test_texts_are_whole_and_none_is_not_nobody(server: Server, lookup: ours.Lookup) -> None:
    server.records = {"a.example": ['"een" "twee"', '"drie"'], "leeg.example": []}
    found = lookup("a.example")
    assert found is not None
    assert sorted(found) == ["drie", "eentwee"], "strings of one record belong together (RFC 7208 3.3)"
    assert lookup("leeg.example") == lookup("nergens.example") == ()
    server.broken = True
    assert lookup("a.example") is None, "a server that fails says nothing about the record"
    server.broken = False
    assert lookup("..") is None


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("brood.example", "_oktt-challenge.brood.example"),
        ("192.0.2.0/24", "_oktt-challenge.2.0.192.in-addr.arpa"),
        ("192.0.2.7/32", "_oktt-challenge.7.2.0.192.in-addr.arpa"),
        ("10.0.0.0/8", "_oktt-challenge.10.in-addr.arpa"),
        ("2001:db8:12::/48", "_oktt-challenge.2.1.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
        ("192.0.2.0/25", None),
        ("2001:db8::/45", None),
        ("AS64500", None),
    ],
)
def test_where_a_proof_stands(what: str, name: str | None) -> None:
    assert proofs.record(what) == name


def test_a_network_is_proven_by_its_reverse_zone(server: Server, lookup: ours.Lookup) -> None:
    claim = Claim("192.0.2.0/24", NOW)
    wanted = proofs.text(KEY, "een", claim.what)
    server.records = {"_oktt-challenge.2.0.192.in-addr.arpa": [f'"{proofs.text(KEY, "ander", claim.what)}"']}
    assert proofs.look(claim, "een", KEY, lookup, NOW).answer == "missing", "another's text proves nothing"
    server.records["_oktt-challenge.2.0.192.in-addr.arpa"].append(f'"{wanted}"')
    looked = proofs.look(claim, "een", KEY, lookup, NOW)
    assert (looked.answer, looked.claim.proven_at, looked.claim.by) == ("proven", NOW, "dns")
    server.broken = True
    assert proofs.look(looked.claim, "een", KEY, lookup, NOW).claim.proven_at == NOW, "silence takes nothing away"
    server.broken = False
    before = len(server.asked)
    assert proofs.look(Claim("AS64500", NOW), "een", KEY, lookup, NOW).answer == "by-hand"
    assert len(server.asked) == before
