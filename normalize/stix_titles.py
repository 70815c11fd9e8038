"""What to call what no report of a STIX bundle lists: there is nobody's name for it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ingest import Source
from normalize import Kind
from normalize.stix_split import CONTEXT, LINKS
from normalize.stix_types import OBSERVABLES, REQUIRED

_SEEN = OBSERVABLES | {"indicator", "observed-data", "malware-analysis", "infrastructure"}


def left_over(objects: Sequence[dict[str, Any]], source: Source) -> tuple[Kind, str, str]:
    """Kind, title and summary."""
    own = [obj for obj in objects if obj["type"] not in CONTEXT and obj["type"] not in LINKS]
    counts = Counter(obj["type"] if obj["type"] in REQUIRED else "other" for obj in own)
    kind: Kind = "indicators" if any(obj["type"] in _SEEN for obj in own) else "report"
    named = [obj for obj in own if obj["type"] not in OBSERVABLES and obj.get("name")]
    dutch = source.language.startswith("nl")
    if len(named) == 1 and len(own) == 1:
        return kind, named[0]["name"], named[0].get("description", "")
    if kind == "indicators":
        what = [obj["name"] for obj in named if obj["type"] in ("malware", "intrusion-set", "threat-actor", "tool")]
        title = f"{', '.join(what) if 0 < len(what) <= 3 else source.name}: {_amount(counts, dutch=dutch)}"
        told = (obj.get("description", "") for obj in named if len(what) == 1 and obj["name"] == what[0])
        return kind, title, next(told, "")
    names = [obj["name"] for obj in named if obj["type"] == "vulnerability"]
    if 0 < len(names) <= 5 and len(names) == len(own):
        return kind, ", ".join(names), ""
    return kind, f"{source.name}: " + ", ".join(f"{count} {name}" for name, count in counts.most_common(3)), ""


def _amount(counts: Counter[str], *, dutch: bool) -> str:
    """`343 indicators`; where there are none, `4 observables`."""
    if count := counts["indicator"]:
        return f"{count} indicator{'' if count == 1 else 'en' if dutch else 's'}"
    count = sum(counts[seen] for seen in OBSERVABLES if seen in counts)
    if not count:
        return ", ".join(f"{count} {name}" for name, count in counts.most_common(3))
    if dutch:
        return f"{count} waarneming{'' if count == 1 else 'en'}"
    return f"{count} observable{'' if count == 1 else 's'}"
