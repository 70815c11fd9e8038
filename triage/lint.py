"""What an analyst should mend before a message goes out: the words that an item brings along, as readers get them.

The blocks are proven by the tests. What analysts write themselves has to be as easy to read; what others wrote cannot
be mended, and is told of only where it becomes a subject.
"""

from typing import get_args

from ingest import OWN
from pii_guard import Item
from triage import readability
from triage.advice import About, choose, steps
from triage.catalogue import HEADLINE, WORDS, Language, Register

TITLE = 90
"""Most characters of a title that people take in at a glance."""


def lint(item: Item, about: About) -> list[str]:
    """What is wrong with an item's message, in words an analyst can act on; empty: nothing."""
    return [*own(item), *_subject(item, about), *_length(about)]


def own(item: Item) -> list[str]:
    """What is too hard in what analysts wrote themselves: for a firm with somebody who looks after its systems."""
    found = []
    for each in item.statements:
        if each.source == OWN:
            language: Language = "en" if each.language == "en" else "nl"
            if len(each.title) > TITLE:
                found.append(f"a title of {len(each.title)} characters, more than {TITLE}")
            found += readability.faults((each.title, each.summary, *each.facts.remedies), "mkb", language)
    return found


def _subject(item: Item, about: About) -> list[str]:
    """Where the title becomes the subject: is it cut, is it in another language?"""
    block = choose(about)
    if "{title}" not in block.nl.headline:
        return []
    said = block.nl.say(block.nl.headline, "", about.title)
    found = [f"a subject of {len(said)} characters is cut after some {HEADLINE}"] if len(said) > HEADLINE else []
    languages = {each.language for each in item.statements if each.title == about.title} - {"", "nl"}
    return found + [f"Dutch readers get a subject in another language ({each})" for each in sorted(languages)]


def _length(about: About) -> list[str]:
    """Names of products can be long: is any register's text too long with them filled in?"""
    found = []
    for language in get_args(Language):
        for register in get_args(Register):
            advice = steps(about, register, language)
            read = (advice.time_needed, *advice.steps, *advice.detection, advice.self_check, advice.if_you_cannot)
            if (count := sum(len(part.split()) for part in read)) > WORDS[register]:
                found.append(f"{language}.{register}: {count} words, more than {WORDS[register]}")
    return found
