"""Rows for text that is searched for personal data: prose of advisories, and lines of logs.

The processor's time is counted, not the clock's. The collector rests on both sides, as it does at the door.
"""

import random
import re
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.measuring import best, row
from normalize.collector import paused
from pii_guard.detect import scan

FIVE = tuple(
    re.compile(pattern)
    for pattern in (
        r"[\w.+-]+@[\w-]+\.[\w.-]+",
        r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
        r"\b(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F]{1,4}\b",
        r"\+?\d[\d ()-]{7,}\d",
        r"https?://\S+",
    )
)
"""What a first attempt looks like: no check, no version told from an address, nothing defanged or encoded."""
_PROSE = (
    "An attacker can execute code by a prepared request to the management interface of the appliance.",
    "Een kwaadwillende moet daarvoor toegang hebben tot het beheernetwerk van het slachtoffer.",
    "Versions 7.2.0 through 7.2.8 are affected; update to 7.2.9 (build 1639) or later (CVE-2026-{n}).",
    "The service stores credentials of users in a file that other processes may read and write.",
    "Zie https://voorbeeld.example/advies/2026/{n} voor meer, of vraag uw leverancier om hulp.",
    "The adversary moves laterally by remote services, and stages what it collects before exfiltration.",
)
_LINES = (
    "Mar  2 08:{m}:01 web01 sshd[{n}]: Failed password for invalid user jansen{m} from 198.51.100.{m} port 4{n} ssh2",
    '198.51.100.{m} - - [02/Mar/2026:08:00:{m} +0100] "GET /index.php?id={n} HTTP/1.1" 200 {n} "-" "Mozilla/5.0 (X11)"',
    "2026-03-02 08:00:{m},123 INFO  [main] nl.voorbeeld.app.Service - Request handled in {m} ms, status=200",
    "Mar  2 08:00:{m} gw kernel: [UFW BLOCK] IN=eth0 OUT= SRC=198.51.100.{m} DST=203.0.113.5 LEN=60 PROTO=TCP DPT=22",
)


def text(parts: tuple[str, ...], between: str, size: int, seed: int) -> str:
    """Invented text of that many characters, the same for the same seed."""
    rng = random.Random(seed)
    made: list[str] = []
    while size > 0:
        made.append(rng.choice(parts).format(n=rng.randrange(1000, 9999), m=rng.randrange(10, 60)))
        size -= len(made[-1]) + 1
    return between.join(made)


def measure(size: int = 300_000) -> Iterator[dict[str, Any]]:
    """MB/s of text, against five plain patterns that look for less. Aimed at: 2 MB/s on a quiet machine."""
    for what, parts, between, aim in (("prose", _PROSE, " ", 0.4), ("logs", _LINES, "\n", 0.2)):

        def ours(number: int, parts: tuple[str, ...] = parts, between: str = between) -> float:
            made = text(parts, between, size, number)
            with paused():
                started = time.process_time()
                scan(made)
                return time.process_time() - started

        def peer(number: int, parts: tuple[str, ...] = parts, between: str = between) -> float:
            made = text(parts, between, size, number)
            with paused():
                started = time.process_time()
                for pattern in FIVE:
                    sum(1 for _ in pattern.finditer(made))
                return time.process_time() - started

        mine, theirs = best(ours, peer)
        yield row(f"text scan, {what}", size / mine / 1e3, "five plain patterns", size / theirs / 1e3, aim, "kB/s")
