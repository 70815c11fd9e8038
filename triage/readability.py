"""How hard a text is to read: sentences, words, the Flesch score, words that few readers know, the passive voice.

The score is Flesch's reading ease for English (206.835 - 1.015 sl - 84.6 wl) and Douma's (1960) for Dutch
(206.835 - 0.93 sl - 77 wl): sl = words a sentence, wl = syllables a word. 60 is ordinary language, 45 and less is for
who studied. Syllables are counted as groups of vowels, which suffices for that.
"""

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from triage.catalogue import Language, Register

_LEXICON = Path(__file__).with_name("lexicon.toml")
_FLESCH: Mapping[Language, tuple[float, float]] = {"nl": (0.93, 77.0), "en": (1.015, 84.6)}
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\s*\n\s*\n\s*|\n(?=\s*[-*#>])")
_WORD = re.compile(r"\w[\w'’./-]*\w|\w")
_ASIDE = re.compile(r"\([^()]*\)")
"""What stands in brackets explains: a name that a supplier needs, after the words for it."""
_VOWELS: Mapping[Language, re.Pattern[str]] = {
    "nl": re.compile(r"aai|ooi|oei|eau|eeu|ieu|aa|ee|oo|uu|ie|oe|eu|ui|ei|ij|au|ou|[aeiouyàáâäèéêëìíîïòóôöùúûü]"),
    "en": re.compile(r"[aeiouy]+"),
}
_PASSIVE: Mapping[Language, re.Pattern[str]] = {
    "nl": re.compile(r"\b(?:word|wordt|worden|werd|werden)\b[^.!?]*?\b(?:ge|be|ver|ont|her)\w{2,}(?:d|t|en)\b"),
    "en": re.compile(r"\b(?:is|are|was|were|be|been|being)\s+(?:\w+ly\s+)?\w{2,}ed\s+by\b"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader can be asked to read."""

    sentence: int
    """Most words."""
    ease: float
    """Least Flesch score of the whole."""


ENOUGH = 30
"""Words from which on a score says something."""
LIMITS: Mapping[Register, Limits] = {"zzp": Limits(20, 60), "mkb": Limits(25, 45), "mature": Limits(35, 15)}


def faults(parts: Iterable[str], register: Register, language: Language) -> list[str]:
    """What is too hard in a text, in words an analyst can act on; empty: nothing."""
    limits, texts = LIMITS[register], [part for part in parts if part.strip()]
    found = []
    for part in texts:
        for sentence in sentences(part):
            if (count := len(words(sentence))) > limits.sentence:
                found.append(f"a sentence of {count} words, more than {limits.sentence}: {_start(sentence)}")
            if register == "zzp" and _PASSIVE[language].search(sentence.casefold()):
                found.append(f"a passive sentence, say who does it: {_start(sentence)}")
    if register == "zzp":
        found += [f"jargon: {word}; write {better}" for word, better in jargon(" ".join(texts), language)]
    enough = sum(len(words(part)) for part in texts) >= ENOUGH
    if enough and (score := ease(texts, language)) < limits.ease:
        found.append(
            f"hard to read: Flesch score {score:.0f}, less than {limits.ease:.0f}; shorter sentences and words"
        )
    return found


def ease(parts: Iterable[str], language: Language) -> float:
    """Flesch's reading ease, for Dutch Douma's: 0 (an academic) to 100 (a child), and beyond either."""
    listed = [words(sentence) for part in parts for sentence in sentences(part)]
    counted = [len(each) for each in listed if each]
    if not counted:
        return 100.0
    per_sentence, per_word = _FLESCH[language]
    vowels = sum(syllables(word, language) for each in listed for word in each)
    return 206.835 - per_sentence * sum(counted) / len(counted) - per_word * vowels / sum(counted)


def sentences(text: str) -> list[str]:
    """A text at its full stops, question marks, colons, paragraphs and points: there the reader may draw breath."""
    return [part for part in _SENTENCE.split(text.strip()) if part]


def words(text: str) -> list[str]:
    """Its words, numbers and names."""
    return _WORD.findall(text)


def syllables(word: str, language: Language) -> int:
    """Groups of vowels; an abbreviation and a number have one for each sign."""
    if word.isupper() or any(c.isdigit() for c in word):
        return len(re.findall(r"\w", word)) if len(word) <= 5 else 3
    folded = word.casefold()
    count = len(_VOWELS[language].findall(folded))
    if language == "en" and folded.endswith("e") and not folded.endswith("le") and count > 1:
        count -= 1
    return max(count, 1)


def jargon(text: str, language: Language) -> list[tuple[str, str]]:
    """Words that few readers know, each with what to write instead. What stands in brackets is an explanation."""
    bare = _ASIDE.sub(" ", text)
    return [(word, better) for word, (pattern, better) in _lexicon(language).items() if pattern.search(bare)]


@functools.cache
def _lexicon(language: Language) -> Mapping[str, tuple[re.Pattern[str], str]]:
    table: dict[str, dict[str, str]] = tomllib.loads(_LEXICON.read_text("utf-8"))
    return {
        word: (re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE), better)
        for word, better in table[language].items()
    }


def _start(sentence: str) -> str:
    cut = sentence.split()
    return " ".join(cut[:6]) + ("..." if len(cut) > 6 else "")
