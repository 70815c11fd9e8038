"""A guard with the shipped policy, and values that must not survive."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest import Source
from normalize import Draft, Facts
from pii_guard import Item, Statement
from pii_guard.guard import Guard
from pii_guard.policy import Policy
from pii_guard.policy_file import load
from pii_guard.vault import Vault
from tests.conftest import NOW
from tests.pii_guard.held import Held

SHIPPED = Path(__file__).parents[2] / "config" / "defaults" / "legal.toml"


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load(SHIPPED.read_text(encoding="utf-8"), "legal.toml")


@pytest.fixture(scope="session")
def guard(policy: Policy) -> Guard:
    return Guard(policy, b"a key of the tests, 32 bytes ...", Vault(Held()))


Admit = Callable[..., Statement]


@pytest.fixture
def admit(guard: Guard) -> Admit:
    """Admit STIX objects (or a whole draft) under a regime; gives the one statement."""

    def run(*objects: dict[str, Any], regime: str = "wbdwb", draft: Draft | None = None, **source: Any) -> Statement:
        made = draft or Draft("report", "key", "Title", "Summary", "en", Facts(), tuple(objects))
        answer = guard.admit(made, Source("market", "Market party", regime=regime, **source), NOW)
        assert isinstance(answer, Item)
        (statement,) = answer.statements
        return statement

    return run


def objects_of(statement: Statement) -> list[dict[str, Any]]:
    decoded: list[dict[str, Any]] = msgspec.json.decode(statement.objects)
    return decoded
