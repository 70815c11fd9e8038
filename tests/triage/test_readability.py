"""How hard a text is to read, against figures that were counted by hand."""

import pytest

from triage import readability
from triage.catalogue import Language


@pytest.mark.parametrize(
    ("word", "language", "count"),
    [
        ("aanvaller", "nl", 3),
        ("leverancier", "nl", 4),
        ("ieder", "nl", 2),
        ("bureau", "nl", 2),
        ("installeren", "nl", 4),
        ("dichtzetten", "nl", 3),
        ("criminelen", "nl", 4),
        ("update", "en", 2),
        ("table", "en", 2),
        ("customers", "en", 3),
        ("password", "en", 2),
        ("RDP", "nl", 3),
        ("3389", "nl", 4),
    ],
)
def test_syllables(word: str, language: Language, count: int) -> None:
    assert readability.syllables(word, language) == count


def test_the_score_is_that_of_the_formula() -> None:
    parts = ["De kat zit op de mat. Bel nu uw leverancier."]
    words, syllables = 10, 13
    assert readability.ease(parts, "nl") == pytest.approx(206.835 - 0.93 * words / 2 - 77 * syllables / words)
    assert readability.ease(["The cat sat."], "en") == pytest.approx(206.835 - 1.015 * 3 - 84.6)
    assert readability.ease([], "nl") == 100


@pytest.mark.parametrize(
    ("text", "language", "fault"),
    [
        ("Zet MFA aan.", "nl", "jargon: MFA; write inloggen met een extra code"),
        ("Turn on MFA.", "en", "jargon: MFA; write log-in with an extra code"),
        ("De poort wordt door hem gesloten.", "nl", "a passive sentence"),
        ("The port is closed by him.", "en", "a passive sentence"),
        (f"Bel {'nu en ' * 12}dan.", "nl", "a sentence of 26 words, more than 20: Bel nu en nu en nu..."),
        ("Organisatorische beveiligingsmaatregelen implementeren. " * 12, "nl", "hard to read: Flesch score"),
    ],
)
def test_what_is_too_hard_is_named(text: str, language: Language, fault: str) -> None:
    assert any(each.startswith(fault) for each in readability.faults([text], "zzp", language))


def test_headings_paragraphs_and_points_end_a_sentence() -> None:
    text = "# Wat er is\n\nHet begint nu. Let op:\n- een punt\n- nog een punt\n\nEinde"
    assert len(readability.sentences(text)) == 6
    assert readability.faults(["Kort maar organisatorisch."], "zzp", "nl") == [], "too few words for a score"


@pytest.mark.parametrize("text", ["Zet een extra code aan (MFA).", "Bel uw leverancier.", "Wij worden gebeld? Goed."])
def test_plain_words_pass_and_so_does_a_name_in_brackets(text: str) -> None:
    faults = readability.faults([text], "zzp", "nl")
    assert not [each for each in faults if "jargon" in each]


def test_who_reads_more_may_be_asked_more() -> None:
    text = ["Controleer of MFA op alle accounts van beheerders aanstaat, en of er onbekende methoden zijn toegevoegd."]
    assert readability.faults(text, "zzp", "nl")
    assert readability.faults(text, "mature", "nl") == []
