"""How rows of the table are measured: ours and a peer in turn, each round with something it has not seen."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.service import Service, make, open_service

ROUNDS = 5
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def best(ours: Callable[[int], float], peer: Callable[[int], float], rounds: int = ROUNDS) -> tuple[float, float]:
    """Seconds of the fastest round of each, in turn; each round gets its own number, so nothing was seen before."""
    times = []
    for number in range(rounds):
        gc.collect()
        mine = ours(number)
        gc.collect()
        times.append((mine, peer(number)))
    return min(mine for mine, _ in times), min(theirs for _, theirs in times)


def row(what: str, ours: float, other: str, peer: float, aim: float, unit: str) -> dict[str, Any]:
    """One row of the table."""
    return {
        "what": what,
        "ours": f"{ours:,.0f} {unit}",
        "peer": f"{other}: {peer:,.0f} {unit}",
        "ratio": float(f"{ours / peer:.2g}"),
        "aim": f">= {aim:.2g}",
    }


def at_most(what: str, ours: float, other: str, peer: float, aim: float, unit: str) -> dict[str, Any]:
    """One row of something that costs: the smaller, the better."""
    return {
        "what": what,
        "ours": f"{ours:,.3g} {unit}",
        "peer": f"{other}: {peer:,.3g} {unit}",
        "ratio": float(f"{ours / peer:.2g}"),
        "aim": f"<= {aim:.2g}",
    }


def instance(folder: Path) -> Service:
    """An instance in a folder, with its clock at a Monday."""
    make(folder)
    service = open_service(folder)
    service.clock = lambda: NOW
    return service
