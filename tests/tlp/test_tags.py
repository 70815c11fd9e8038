import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlp import Label, tags
from tlp.tags import UNKNOWN, folded, pap

NATIONAL = {folded('cert-xx:TLP="clear"'): Label.CLEAR, folded('de-vs:einstufung="VS-NfD"'): Label.AMBER_STRICT}


@pytest.mark.parametrize(
    ("tag", "label", "doubtful"),
    [
        ("tlp:amber", Label.AMBER, False),
        ("TLP:White", Label.CLEAR, False),
        (" tlp: amber+strict", Label.AMBER_STRICT, False),
        ('tlp="AMBER_STRICT"', Label.AMBER_STRICT, False),
        ('cert-xx:TLP="Clear"', Label.CLEAR, False),
        ('DE-VS:Einstufung="vs-nfd"', Label.AMBER_STRICT, False),
        ('cert-yy:TLP="red"', Label.RED, True),
        ('cert-yy:TLP="geel"', None, True),
        ("tlp:ex:chr", None, True),
        ("tlp:purple", None, True),
        ("tlp", None, True),
        ('nato:classification="restricted"', None, True),
        ("misp-galaxy:sector", None, False),
        ('circl:incident-classification="malware"', None, False),
    ],
)
def test_what_a_tag_says(tag: str, label: Label | None, doubtful: bool) -> None:
    assert tags.read([tag], NATIONAL) == (label, {UNKNOWN} if doubtful else set())


@given(st.lists(st.tuples(st.sampled_from(list(Label)), st.sampled_from(["tlp:{}", "TLP={}", "x:tlp={}"])), min_size=1))
def test_no_tag_is_read_wider_than_it_is(said: list[tuple[Label, str]]) -> None:
    found, _ = tags.read(form.format(label.value) for label, form in said)
    assert found is max(label for label, _ in said)


def test_pap_says_what_may_be_done_and_not_who_may_know() -> None:
    assert pap(["PAP:GREEN", "pap:amber", "PAP:WHITE"]) == "AMBER"
    assert pap(["tlp:red", "papaver"]) is None
    assert tags.read(["PAP:RED"]) == (None, {"pap-limits-action"})
    assert tags.read(["PAP:GREEN"]) == (None, frozenset())
