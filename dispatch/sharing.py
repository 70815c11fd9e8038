"""What a recipient may do with what it gets, in words: with whom it is shared (TLP), and what for (PAP)."""

from dispatch import View
from dispatch.wording import words
from subscribers import SubscriberKind
from tlp import Label
from tlp.tags import Pap, pap


def sharing(label: Label, kind: SubscriberKind, limits: Pap | None, language: str) -> str:
    """In a sentence or two, for this kind of subscriber."""
    told = words(language)
    share = told.get(f"share_{kind}", {}).get(label.value) or told["share"][label.value]
    use = told["pap"].get(limits or "")
    return f"{share} {use}" if use else share


def limits_of(view: View) -> Pap | None:
    """The strictest PAP of what a view shows."""
    return pap(tag for obj in view.objects for tag in obj.get("labels", ()))
