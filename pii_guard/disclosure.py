"""What of the gated rows one recipient may be shown, and in which form; computed at dispatch, for each recipient.

What is asked are the rules of the policy that let a statement in and those of today: the stricter decides, so that
a policy that has become wider never releases anything it was not received for.
Tokens: HMAC-SHA-256, 128 bits, keyed per class of recipient, purpose and epoch, so that two classes cannot compare
theirs; prefix-preserving ones (Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization, ICNP 2002) for CERTs
alone, where the policy says so. Sources: AVG art. 4(5), 5(1)(c), 25; recital 49.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from msgspec import structs

from ingest import Source
from normalize import Observable, Role
from pii_guard import Action, Category, Purpose, Recipient, Statement
from pii_guard.expiry import regime_of
from pii_guard.facts import category_of
from pii_guard.policy import Policy

ORDER: Sequence[Action] = ("keep", "truncate", "token", "strip")
"""From the widest to the strictest."""
BEFORE: Mapping[Recipient, Action] = {"organisation": "keep", "network-owner": "keep"}
"""Who could have it under a policy that is on record no more."""
_BITS = {4: 24, 6: 48}
_TOKEN = 16
_FEW = 64
_Kind = tuple[Category, Role]


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What one recipient gets of one statement's gated rows."""

    own: tuple[Observable, ...] = ()
    """With their values."""
    veiled: tuple[Observable, ...] = ()
    """Rows of others, with a token or a network in place of the value (`type` token or cidr)."""


class Disclosure:
    """The policies and the key of one instance, for one moment."""

    def __init__(
        self, policy: Policy, earlier: Callable[[str], Policy | None], sources: Mapping[str, Source], key: bytes
    ) -> None:
        self._policy, self._earlier, self._sources, self._key = policy, earlier, sources, key
        self._actions: dict[tuple[str, str, str, Category, str, Recipient, Purpose], Action] = {}
        self._before: dict[str, Policy | None] = {}
        self._kinds: dict[int, tuple[Sequence[Observable], frozenset[_Kind]]] = {}
        """By identity of the rows, which are kept with it: what kinds are gated of many, for thousands of readers."""

    def of(
        self,
        statement: Statement,
        mine: Iterable[int],
        others: Recipient,
        purpose: Purpose,
        now: datetime,
        *,
        country: str = "NL",
        holder: Callable[[Observable], Recipient] = lambda _: "organisation",
    ) -> Disclosed:
        """What a recipient gets: of the gated rows at these positions as `holder` says it holds each of them, of the
        other rows as one of class `others`."""
        if self._excluded(statement, country):
            return Disclosed()
        rows = statement.facts.observables
        own: list[Observable] = []
        veiled: list[Observable] = []
        held = sorted(set(mine))
        for position in held:
            if (row := rows[position]).own:
                self._show(statement, row, holder(row), purpose, now, own, veiled)
        if self.tells(statement, others, purpose):
            skipped = frozenset(held)
            for position, row in enumerate(rows):
                if row.own and position not in skipped:
                    self._show(statement, row, others, purpose, now, own, veiled)
        return Disclosed(tuple(own), tuple(veiled))

    def tells(self, statement: Statement, recipient: Recipient, purpose: Purpose) -> bool:
        """Does this class get anything of the gated rows of a statement but their number?"""
        kinds = self._gated(statement.facts.observables)
        return any(self._action(statement, *kind, recipient, purpose) != "strip" for kind in kinds)

    def may_match(self, statement: Statement) -> bool:
        """May the gated rows be opened to find whom they concern?"""
        return self.tells(statement, "organisation", "match") or self.tells(statement, "network-owner", "match")

    def _gated(self, rows: Sequence[Observable]) -> frozenset[_Kind]:
        """Category and role of each gated row."""
        known = self._kinds.get(id(rows))
        if known is None:
            kinds = frozenset((kind, row.role) for row in rows if row.own and (kind := category_of(row)))
            if len(rows) < _FEW:
                return kinds
            known = self._kinds[id(rows)] = rows, kinds
        return known[1]

    def _show(
        self,
        statement: Statement,
        row: Observable,
        recipient: Recipient,
        purpose: Purpose,
        now: datetime,
        own: list[Observable],
        veiled: list[Observable],
    ) -> None:
        category = category_of(row)
        action = "strip" if category is None else self._action(statement, category, row.role, recipient, purpose)
        if action == "keep":
            own.append(row)
        elif action == "truncate" and (network := truncated(row)):
            veiled.append(structs.replace(row, type="cidr" if "/" in network else "domain", value=network, detail={}))
        elif action == "token":
            token = self._token(statement, row, recipient, purpose, now)
            veiled.append(structs.replace(row, type="token", value=token, detail={"of": row.type}))

    def _action(
        self, statement: Statement, category: Category, role: Role, recipient: Recipient, purpose: Purpose
    ) -> Action:
        key = (statement.policy, statement.regime, statement.source, category, role, recipient, purpose)
        found = self._actions.get(key)
        if found is None:
            found = self._actions[key] = self._decided(statement, category, role, recipient, purpose)
        return found

    def _decided(
        self, statement: Statement, category: Category, role: Role, recipient: Recipient, purpose: Purpose
    ) -> Action:
        source = self._source(statement)
        today = self._policy.named(regime_of(self._policy, statement, source))
        now = today.disclose(source, category, role, recipient, purpose).action
        if statement.policy == self._policy.hash:
            return now
        policy = self._then(statement)
        if policy is None or statement.regime not in policy.regimes:
            then = BEFORE.get(recipient, "strip")
        else:
            then = policy.named(statement.regime).disclose(source, category, role, recipient, purpose).action
        return max(now, then, key=ORDER.index)

    def _excluded(self, statement: Statement, country: str) -> bool:
        """By the policy of today, or by the one that let it in: dropping a country gives it nothing of before."""
        policies = (self._policy, self._then(statement))
        regimes = (each.regimes.get(statement.regime) for each in policies if each is not None)
        return any(country.upper() in regime.excludes for regime in regimes if regime is not None)

    def _then(self, statement: Statement) -> Policy | None:
        """The policy that let it in; None: it is on record no more."""
        if statement.policy not in self._before:
            self._before[statement.policy] = (
                self._policy if statement.policy == self._policy.hash else self._earlier(statement.policy)
            )
        return self._before[statement.policy]

    def _source(self, statement: Statement) -> Source:
        return self._sources.get(statement.source) or Source(statement.source, statement.source)

    def _token(
        self, statement: Statement, row: Observable, recipient: Recipient, purpose: Purpose, now: datetime
    ) -> str:
        regime = self._policy.named(regime_of(self._policy, statement, self._source(statement)))
        epoch = int(now.astimezone(UTC).timestamp()) // (86400 * regime.token_days)
        key = hmac.digest(self._key, f"oktt-token\0{recipient}\0{purpose}\0{epoch}".encode(), "sha256")
        if recipient == "cert" and regime.token_prefixes and row.type in ("ipv4", "ipv6"):
            return preserving(key, ip_address(row.value))
        said = f"{row.type}\0{row.value.casefold()}".encode("utf-8", "surrogatepass")
        return hmac.digest(key, said, "sha256")[:_TOKEN].hex()


def truncated(row: Observable) -> str | None:
    """The /24 or /48 an address lies in, the domain of a mailbox; None: nothing of the value can be given."""
    if row.type == "email":
        return row.value.rpartition("@")[2] or None
    if row.type not in ("ipv4", "ipv6", "cidr"):
        return None
    try:
        whole = ip_network(row.value, strict=False)
    except ValueError:
        return None
    bits = _BITS[whole.version]
    return str(whole.supernet(new_prefix=bits)) if whole.prefixlen > bits else str(whole)


def preserving(key: bytes, address: IPv4Address | IPv6Address) -> str:
    """A token of an address: two that share their first n bits share the token's first n, and nothing else is told.

    Bit n is turned or not by a keyed hash of the n bits before it. Written as `p4-` or `p6-` and hexadecimal digits,
    which no filter takes for an address.
    """
    size, value, made = address.max_prefixlen, int(address), 0
    for bit in range(size):
        before = value >> (size - bit)
        said = bytes((address.version, bit)) + before.to_bytes(16)
        turned = hashlib.blake2b(said, key=key, digest_size=1, person=b"oktt-prefix").digest()[0] & 1
        made = made << 1 | ((value >> (size - 1 - bit)) & 1) ^ turned
    return f"p{address.version}-{made:0{size // 4}x}"
