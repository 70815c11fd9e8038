"""How much harm an exposure can do: what its report says row by row, or else what kind of exposure it is.

Source of the levels: Shadowserver, "Introducing Report Severity Levels", 12 October 2023. Its `critical` is likely to
be abused and does much harm; its `high` is what should not be open to everybody, or lets data out; its `medium` does
harm to others (amplification), or to the system in time; `low` and `info` are no harm to speak of.
"""

from collections.abc import Iterable
from typing import NamedTuple

from normalize import Level


class Gravity(NamedTuple):
    """How likely abuse is, and how much harm it does; None: nothing says so."""

    kans: Level | None = None
    schade: Level | None = None


_SAID = {
    "critical": Gravity("high", "high"),
    "high": Gravity(None, "high"),
    "medium": Gravity(None, "medium"),
    "low": Gravity(None, "low"),
    "info": Gravity(),
}
_SERIOUS = (
    *("rdp", "smb", "telnet", "vnc", "ard", "teamviewer", "radmin", "x11", "adb", "winrm"),
    *("mongodb", "elasticsearch", "redis", "mssql", "mysql", "postgres", "couchdb", "cassandra", "db2", "hadoop"),
    *("ftp", "rsync", "nfs", "afp", "data", "cwmp", "ipmi", "docker", "kubernetes", "smart-install", "ics", "modbus"),
    *("bacnet", "s7", "dnp3", "mqtt", "niagara", "fox", "opc", "proxy", "account"),
)
"""What is open to everybody and lets them in, or lets data out; of `open-rdp` and the like what is behind the first
dash."""


def of(exposure: str, severities: Iterable[str] = ()) -> Gravity:
    """Of an exposure whose rows say so, or do not. Of rows that differ the one in the middle counts: one system in a
    report of thousands makes it urgent for nobody else."""
    said = sorted((word for each in severities if (word := each.lower()) in _SAID), key=list(_SAID).index)
    if said:
        return _SAID[said[len(said) // 2]]
    how, _, what = exposure.partition("-")
    if how == "vulnerable" or (how in ("open", "exposed", "compromised") and what in _SERIOUS):
        return Gravity(None, "high")
    return Gravity(None, "medium") if how == "open" else Gravity()
