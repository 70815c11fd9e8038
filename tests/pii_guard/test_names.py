"""Names of persons: by a given name that is known, a place in a row, a role; and names of anything else."""

import pytest

from pii_guard.detect import SUSPECT, scan


def names(text: str) -> list[str]:
    found = [each for each in scan(text) if each.category == "name"]
    assert all(each.confidence < SUSPECT for each in found), "only ever suspicions"
    return [text[each.start : each.end] for each in found]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("om 07:40 kon Bas Mulder niet meer inloggen", "Bas Mulder"),
        ("stuurde Sven-Erik Postmus zijn loon", "Sven-Erik Postmus"),
        ("told by Agnieszka Nowak, who", "Agnieszka Nowak"),
        ("[09:42] Fatima El Idrissi: gezien", "Fatima El Idrissi"),
        ("x;Vermeulen, Thijs;y", "Vermeulen, Thijs"),
        ("VALUES (5512,'A.C.','van den Heuvel','V')", "van den Heuvel"),
        ("1;729317;Wijnstekers;D.;9", "Wijnstekers"),
        ('"family":"van Houwelingen","given":["T"]', "van Houwelingen"),
        ("<bg:geslachtsnaam>Zijderveld</bg:geslachtsnaam>", "Zijderveld"),
        ("<Cdtr><Nm>Geertruida Pronk</Nm>", "Geertruida Pronk"),
        ("groet,\nmw. S. Bouazza-El Idrissi\n", "S. Bouazza-El Idrissi"),
        ("fam. Ouwehand belde", "Ouwehand"),
        ("vraag naar Zwartje Kwakman, toestel 3", "Zwartje Kwakman"),
    ],
)
def test_somebody(text: str, name: str) -> None:
    assert name in names(text)


@pytest.mark.parametrize(
    "text",
    [
        '<Data Name="TargetUserName">x</Data><Data Name="IpPort">1</Data>',
        "User Authentication Bypass Vulnerability and Control Plane Function",
        "a Job Scheduler, Peer Review and Ad Hoc Transfer",
        "Hewlett Packard, Ernst & Young and Dell",
        "pattern: { DE AD BE EF 00 }",
        "Mon Nov  9 04:18:12 and On Tue, 6 Oct",
        "Jenkins, Tomcat, Apache; Norton, Kaspersky",
        "'A.B.','12','C'",
    ],
)
def test_nobody(text: str) -> None:
    assert names(text) == []
