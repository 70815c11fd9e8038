# ruff: noqa: E501 - prose and tables are data here
"""The week's advisories as NCSC-NL publishes them: CSAF 2.0 in Dutch, notes by title, one branch a version.

Texts are the project's own, about well-known vulnerabilities. Advisory numbers start at 9001: the real series never
gets there, so that none of these can be taken for an advisory that exists.
"""

from dataclasses import dataclass, field, replace
from typing import Any

PUBLISHER = {
    "category": "coordinator",
    "contact_details": "cert@ncsc.nl",
    "name": "Nationaal Cyber Security Centrum",
    "namespace": "https://www.ncsc.nl/",
}
DISCLAIMER = (
    "The Netherlands Cyber Security Center (henceforth: NCSC-NL) maintains this page to enhance access to its "
    "information and security advisories. SAMPLE: this document was written for the OKTT project and is not an "
    "advisory of NCSC-NL."
)


@dataclass(frozen=True)
class Vulnerability:
    cve: str
    cwe: tuple[str, str]
    score: float
    vector: str
    cvss4: str = ""


@dataclass(frozen=True)
class Advisory:
    number: int
    title: str
    facts: str
    interpretations: tuple[str, ...]
    solutions: str
    kans: str
    schade: str
    products: tuple[tuple[str, str, tuple[str, ...]], ...]
    vulnerabilities: tuple[Vulnerability, ...]
    references: tuple[tuple[str, str], ...]
    released: str
    revisions: tuple[tuple[str, str, str], ...] = field(default=())
    """Later versions: date, number, summary."""

    @property
    def file(self) -> str:
        return f"ncsc-2026-{self.number}.json"


def document(advisory: Advisory) -> dict[str, Any]:
    """The CSAF 2.0 document of one version of an advisory."""
    history = [(advisory.released, "1.0.0", "Initiele versie"), *advisory.revisions]
    tree, ids = _tree(advisory)
    notes = [{"category": "legal_disclaimer", "text": DISCLAIMER}, _note("Feiten", advisory.facts)]
    notes += [_note("Interpretaties", text) for text in advisory.interpretations]
    notes += [
        _note("Oplossingen", advisory.solutions),
        {"category": "general", "text": advisory.kans, "title": "Kans"},
        {"category": "general", "text": advisory.schade, "title": "Schade"},
    ]
    notes += [{"category": "general", "text": v.cwe[1], "title": v.cwe[0]} for v in advisory.vulnerabilities]
    return {
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "distribution": {"tlp": {"label": "WHITE"}},
            "lang": "nl",
            "notes": notes,
            "publisher": PUBLISHER,
            "references": [
                {"category": "external", "summary": f"Reference - {name}", "url": url}
                for name, url in advisory.references
            ],
            "title": advisory.title,
            "tracking": {
                "current_release_date": history[-1][0],
                "generator": {"date": history[-1][0], "engine": {"name": "V.A.", "version": "1.3"}},
                "id": f"NCSC-2026-{advisory.number}",
                "initial_release_date": advisory.released,
                "revision_history": [{"date": at, "number": no, "summary": text} for at, no, text in history],
                "status": "final",
                "version": history[-1][1],
            },
        },
        "product_tree": tree,
        "vulnerabilities": [_vulnerability(one, ids) for one in advisory.vulnerabilities],
    }


def _note(title: str, text: str) -> dict[str, str]:
    return {"category": "description", "text": text, "title": title}


def _tree(advisory: Advisory) -> tuple[dict[str, Any], list[str]]:
    vendors: dict[str, list[dict[str, Any]]] = {}
    ids: list[str] = []
    for vendor, product, versions in advisory.products:
        ranges = []
        for version in versions:
            ids.append(f"CSAFPID-{advisory.number}{len(ids) + 1:03d}")
            name = f"vers:unknown/{version}"
            ranges.append(
                {"category": "product_version_range", "name": name, "product": {"name": name, "product_id": ids[-1]}}
            )
        vendors.setdefault(vendor, []).append({"branches": ranges, "category": "product_name", "name": product})
    branches = [{"branches": made, "category": "vendor", "name": vendor} for vendor, made in vendors.items()]
    return {"branches": branches}, ids


def _vulnerability(one: Vulnerability, ids: list[str]) -> dict[str, Any]:
    notes = [{"category": "other", "text": one.cwe[1], "title": one.cwe[0]}]
    if one.cvss4:
        notes.append({"category": "general", "text": one.cvss4, "title": "CVSSV4"})
    severity = "CRITICAL" if one.score >= 9 else "HIGH" if one.score >= 7 else "MEDIUM"
    year = one.cve.split("-")[1]
    return {
        "cve": one.cve,
        "cwe": {"id": one.cwe[0], "name": one.cwe[1]},
        "notes": notes,
        "product_status": {"known_affected": ids},
        "references": [
            {
                "category": "self",
                "summary": one.cve,
                "url": f"https://vulnerabilities.ncsc.nl/csaf/v2/{year}/{one.cve.lower()}.json",
            }
        ],
        "scores": [
            {
                "cvss_v3": {
                    "version": "3.1",
                    "vectorString": f"CVSS:3.1/{one.vector}",
                    "baseScore": one.score,
                    "baseSeverity": severity,
                },
                "products": ids,
            }
        ],
        "title": one.cve,
    }


def _series(stem: str, last: int, first: int = 0) -> tuple[str, ...]:
    return tuple(f"{stem}{number}" for number in range(first, last + 1))


_ALL_HIGH = "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

FORTIOS_ADMIN = Advisory(
    9001,
    "Kwetsbaarheid verholpen in Fortinet FortiOS en FortiProxy",
    "Fortinet heeft een kwetsbaarheid verholpen in FortiOS en FortiProxy.",
    (
        "De kwetsbaarheid met kenmerk CVE-2024-55591 stelt een ongeauthenticeerde kwaadwillende in staat om via speciaal "
        "geprepareerde verzoeken aan de Node.js-websocketmodule de authenticatie te omzeilen en super-adminrechten te "
        "verkrijgen op het apparaat.",
        "Voor succesvol misbruik moet de kwaadwillende toegang hebben tot de beheerinterface. Het is goed gebruik "
        "zulke interfaces niet publiek toegankelijk te hebben.",
    ),
    "Fortinet heeft updates uitgebracht om de kwetsbaarheid te verhelpen in FortiOS 7.0.17, FortiProxy 7.0.20 en "
    "FortiProxy 7.2.13. Maak de beheerinterface onbereikbaar vanaf internet of beperk de toegang tot vaste "
    "IP-adressen. Zie bijgevoegde referenties voor meer informatie.",
    "medium",
    "high",
    (
        ("Fortinet", "FortiOS", _series("7.0.", 16)),
        ("Fortinet", "FortiProxy", (*_series("7.0.", 19), *_series("7.2.", 12))),
    ),
    (
        Vulnerability(
            "CVE-2024-55591",
            ("CWE-288", "Authentication Bypass Using an Alternate Path or Channel"),
            9.8,
            _ALL_HIGH,
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        ),
    ),
    (("fortinet", "https://fortiguard.fortinet.com/psirt/FG-IR-24-535"),),
    "2026-03-02T09:14:27.000000Z",
)

EXCHANGE = Advisory(
    9002,
    "Kwetsbaarheid verholpen in Microsoft Exchange Server",
    "Microsoft heeft een kwetsbaarheid verholpen in Exchange Server.",
    (
        "Een kwaadwillende kan de kwetsbaarheid met kenmerk CVE-2024-21410 misbruiken om met een buitgemaakte "
        "NTLM-hash in te loggen als het slachtoffer en zo toegang te krijgen tot diens postbus.",
    ),
    "Installeer de laatste Cumulative Update en schakel Extended Protection for Authentication in. Zie bijgevoegde "
    "referenties voor meer informatie.",
    "medium",
    "high",
    (("Microsoft", "Exchange Server", ("15.1.2507.35", "15.2.1118.40", "15.2.1258.28")),),
    (Vulnerability("CVE-2024-21410", ("CWE-287", "Improper Authentication"), 9.8, _ALL_HIGH),),
    (("microsoft", "https://msrc.microsoft.com/update-guide/vulnerability/CVE-2024-21410"),),
    "2026-03-02T13:40:02.000000Z",
)

IVANTI = Advisory(
    9003,
    "Kwetsbaarheden verholpen in Ivanti Connect Secure, Policy Secure en Neurons for ZTA",
    "Ivanti heeft kwetsbaarheden verholpen in Connect Secure, Policy Secure en Neurons for ZTA Gateways.",
    (
        "De ernstigste kwetsbaarheid, met kenmerk CVE-2025-0282, stelt een ongeauthenticeerde kwaadwillende in staat om "
        "op afstand willekeurige code uit te voeren. CVE-2025-0283 stelt een lokaal geauthenticeerde kwaadwillende in "
        "staat om rechten te verhogen.",
        "Ivanti meldt dat CVE-2025-0282 actief wordt misbruikt tegen Connect Secure.",
    ),
    "Voer de interne en externe Integrity Checker Tool uit voordat u bijwerkt. Is die schoon: werk bij naar 22.7R2.5. "
    "Zijn er sporen van misbruik: zet het apparaat terug naar de fabrieksinstellingen en werk daarna bij.",
    "high",
    "high",
    (
        ("Ivanti", "Connect Secure", ("22.7R2", "22.7R2.1", "22.7R2.2", "22.7R2.3", "22.7R2.4", "9.1R18.9")),
        ("Ivanti", "Policy Secure", ("22.7R1", "22.7R1.1", "22.7R1.2")),
        ("Ivanti", "Neurons for ZTA", ("22.7R2", "22.7R2.1", "22.7R2.2", "22.7R2.3")),
    ),
    (
        Vulnerability(
            "CVE-2025-0282", ("CWE-121", "Stack-based Buffer Overflow"), 9.0, "AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H"
        ),
        Vulnerability(
            "CVE-2025-0283", ("CWE-121", "Stack-based Buffer Overflow"), 7.0, "AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H"
        ),
    ),
    (
        (
            "ivanti",
            "https://www.ivanti.com/blog/security-update-ivanti-connect-secure-policy-secure-and-neurons-for-zta-gateways",
        ),
    ),
    "2026-03-03T08:31:55.000000Z",
)

NETSCALER = Advisory(
    9004,
    "Kwetsbaarheden verholpen in Citrix NetScaler ADC en NetScaler Gateway",
    "Citrix heeft kwetsbaarheden verholpen in NetScaler ADC en NetScaler Gateway.",
    (
        "Een kwaadwillende op afstand kan met CVE-2023-4966 geheugen uitlezen en daarmee geldige sessies overnemen, ook "
        "die met een tweede factor. CVE-2023-4967 kan leiden tot een Denial-of-Service.",
        "Alleen apparaten die zijn ingericht als Gateway of AAA virtual server zijn kwetsbaar.",
    ),
    "Werk bij naar 14.1-8.50, 13.1-49.15 of 13.0-92.19 en beeindig daarna alle actieve en blijvende sessies: een "
    "overgenomen sessie blijft anders geldig.",
    "medium",
    "high",
    (
        ("Citrix", "NetScaler ADC", ("14.1-4.42", "13.1-48.47", "13.1-49.13", "13.0-91.13", "13.0-92.18")),
        ("Citrix", "NetScaler Gateway", ("14.1-4.42", "13.1-48.47", "13.1-49.13", "13.0-91.13", "13.0-92.18")),
    ),
    (
        Vulnerability(
            "CVE-2023-4966",
            ("CWE-119", "Improper Restriction of Operations within the Bounds of a Memory Buffer"),
            9.4,
            "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:L",
        ),
        Vulnerability(
            "CVE-2023-4967",
            ("CWE-400", "Uncontrolled Resource Consumption"),
            8.2,
            "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:H",
        ),
    ),
    (("citrix", "https://support.citrix.com/article/CTX579459"),),
    "2026-03-04T07:58:10.000000Z",
)

ESXI = Advisory(
    9005,
    "Kwetsbaarheden verholpen in VMware ESXi",
    "Broadcom heeft kwetsbaarheden verholpen in VMware ESXi.",
    (
        "Een kwaadwillende met beheerrechten in een virtuele machine kan de kwetsbaarheden in samenhang misbruiken om uit "
        "te breken en willekeurige code uit te voeren op de hypervisor.",
    ),
    "Broadcom heeft updates uitgebracht om de kwetsbaarheden te verhelpen. Er zijn geen mitigerende maatregelen "
    "bekend. Zie bijgevoegde referenties voor meer informatie.",
    "medium",
    "high",
    (("VMware", "ESXi", ("*",)),),
    (
        Vulnerability(
            "CVE-2025-22224",
            ("CWE-367", "Time-of-check Time-of-use (TOCTOU) Race Condition"),
            9.3,
            "AV:L/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        ),
        Vulnerability(
            "CVE-2025-22225", ("CWE-123", "Write-what-where Condition"), 8.2, "AV:L/AC:L/PR:H/UI:N/S:C/C:H/I:H/A:H"
        ),
        Vulnerability("CVE-2025-22226", ("CWE-125", "Out-of-bounds Read"), 7.1, "AV:L/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N"),
    ),
    (
        (
            "broadcom",
            "https://support.broadcom.com/web/ecx/support-content-notification/-/external/content/SecurityAdvisories/0/25390",
        ),
    ),
    "2026-03-04T10:22:41.000000Z",
)

PANOS = Advisory(
    9006,
    "Kwetsbaarheid verholpen in Palo Alto Networks PAN-OS",
    "Palo Alto Networks heeft een kwetsbaarheid verholpen in PAN-OS.",
    (
        "De kwetsbaarheid met kenmerk CVE-2024-3400 bevindt zich in GlobalProtect en stelt een ongeauthenticeerde "
        "kwaadwillende in staat om op afstand willekeurige code uit te voeren met root-rechten.",
        "Palo Alto Networks meldt dat de kwetsbaarheid actief is misbruikt. Op internet is Proof-of-Concept-code "
        "beschikbaar.",
    ),
    "Werk bij naar 10.2.9-h1, 11.0.4-h1 of 11.1.2-h3. Controleer het apparaat op sporen van misbruik voordat u "
    "bijwerkt; het uitschakelen van telemetrie beschermt niet.",
    "high",
    "high",
    (("Palo Alto Networks", "PAN-OS", (*_series("10.2.", 9), *_series("11.0.", 4), *_series("11.1.", 2))),),
    (
        Vulnerability(
            "CVE-2024-3400",
            ("CWE-77", "Improper Neutralization of Special Elements used in a Command"),
            10.0,
            "AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        ),
    ),
    (("paloaltonetworks", "https://security.paloaltonetworks.com/CVE-2024-3400"),),
    "2026-03-05T06:49:33.000000Z",
)

MOVEIT = Advisory(
    9007,
    "Kwetsbaarheid verholpen in Progress MOVEit Transfer",
    "Progress heeft een kwetsbaarheid verholpen in MOVEit Transfer.",
    (
        "Een ongeauthenticeerde kwaadwillende kan met SQL-injectie toegang krijgen tot de database van MOVEit Transfer en "
        "gegevens inzien, wijzigen of verwijderen. De kwetsbaarheid heeft kenmerk CVE-2023-34362.",
    ),
    "Blokkeer HTTP- en HTTPS-verkeer naar MOVEit Transfer tot u hebt bijgewerkt, zoek in de webmap naar het bestand "
    "human2.aspx en werk bij naar de laatste versie.",
    "medium",
    "high",
    (("Progress", "MOVEit Transfer", ("2023.0.0", *_series("2022.1.", 4), *_series("2022.0.", 3),
                                      *_series("2021.1.", 3), *_series("2021.0.", 5))),),
    (Vulnerability("CVE-2023-34362", ("CWE-89", "SQL Injection"), 9.8, _ALL_HIGH),),
    (("progress", "https://community.progress.com/s/article/MOVEit-Transfer-Critical-Vulnerability-31May2023"),),
    "2026-03-05T12:05:19.000000Z",
)  # fmt: skip

FORTIOS_VPN = Advisory(
    9008,
    "Kwetsbaarheid verholpen in Fortinet FortiOS",
    "Fortinet heeft een kwetsbaarheid verholpen in FortiOS.",
    (
        "De kwetsbaarheid met kenmerk CVE-2024-21762 bevindt zich in de SSL-VPN-functionaliteit en stelt een "
        "ongeauthenticeerde kwaadwillende in staat om op afstand willekeurige code uit te voeren.",
        "Fortinet meldt dat de kwetsbaarheid mogelijk actief wordt misbruikt.",
    ),
    "Werk bij naar 7.4.3, 7.2.7, 7.0.14, 6.4.15 of 6.2.16. Kunt u niet meteen bijwerken: schakel SSL-VPN uit. Alleen "
    "webmode uitschakelen is niet voldoende.",
    "high",
    "high",
    (("Fortinet", "FortiOS", (*_series("6.2.", 15), *_series("6.4.", 14), *_series("7.0.", 13),
                              *_series("7.2.", 6), *_series("7.4.", 2))),),
    (Vulnerability("CVE-2024-21762", ("CWE-787", "Out-of-bounds Write"), 9.8, _ALL_HIGH),),
    (("fortinet", "https://fortiguard.fortinet.com/psirt/FG-IR-24-015"),),
    "2026-03-06T08:12:08.000000Z",
)  # fmt: skip

FORTIOS_FGFM = Advisory(
    9010,
    "Kwetsbaarheid verholpen in de beheerdienst van Fortinet FortiOS",
    "Fortinet heeft een kwetsbaarheid verholpen in FortiOS.",
    (
        "De kwetsbaarheid met kenmerk CVE-2024-23113 bevindt zich in de dienst fgfmd, die met FortiManager praat, en stelt "
        "een ongeauthenticeerde kwaadwillende in staat om op afstand willekeurige code uit te voeren.",
    ),
    "Werk bij naar 7.4.3, 7.2.7 of 7.0.14. Kunt u niet meteen bijwerken: haal fgfm weg bij de toegang op elke interface.",
    "high",
    "high",
    (("Fortinet", "FortiOS", (*_series("7.0.", 13), *_series("7.2.", 6), *_series("7.4.", 2))),),
    (Vulnerability("CVE-2024-23113", ("CWE-134", "Use of Externally-Controlled Format String"), 9.8, _ALL_HIGH),),
    (("fortinet", "https://fortiguard.fortinet.com/psirt/FG-IR-24-029"),),
    "2026-03-06T08:40:51.000000Z",
)

PUTTY = Advisory(
    9011,
    "Kwetsbaarheid verholpen in PuTTY",
    "De ontwikkelaars van PuTTY hebben een kwetsbaarheid verholpen.",
    (
        "Wie inlogt met een ECDSA-sleutel van het type NIST P-521, geeft met elke handtekening iets van die sleutel prijs. "
        "Na zo'n zestig handtekeningen is de geheime sleutel te berekenen. De kwetsbaarheid heeft kenmerk CVE-2024-31497.",
    ),
    "Werk bij naar PuTTY 0.81 en vervang sleutels van het type NIST P-521 die met een oudere versie zijn gebruikt.",
    "medium",
    "medium",
    (("PuTTY", "PuTTY", tuple(f"0.{n}" for n in range(68, 81))),),
    (Vulnerability("CVE-2024-31497", ("CWE-338", "Use of Cryptographically Weak Pseudo-Random Number Generator"), 5.9,
                   "AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N"),),
    (("nvd", "https://nvd.nist.gov/vuln/detail/CVE-2024-31497"),),
    "2026-03-01T10:05:00.000000Z",
)  # fmt: skip

SEVENZIP = Advisory(
    9009,
    "Kwetsbaarheid verholpen in 7-Zip",
    "De ontwikkelaars van 7-Zip hebben een kwetsbaarheid verholpen.",
    (
        "Een kwaadwillende kan met een speciaal geprepareerd archief de Mark-of-the-Web omzeilen. De kwetsbaarheid heeft "
        "kenmerk CVE-2025-0411.",
    ),
    "Werk bij naar 7-Zip 24.09. 7-Zip werkt zichzelf niet bij.",
    "medium",
    "medium",
    (("7-Zip", "7-Zip", ("22.01", "23.01", "24.07", "24.08")),),
    (Vulnerability("CVE-2025-0411", ("CWE-693", "Protection Mechanism Failure"), 7.0,
                   "AV:L/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H"),),
    (("7-zip", "https://www.7-zip.org/history.txt"),),
    "2026-03-06T14:30:00.000000Z",
)  # fmt: skip

FORTIOS_ADMIN_RAISED = replace(
    FORTIOS_ADMIN,
    interpretations=(
        *FORTIOS_ADMIN.interpretations,
        "UPDATE: Op internet is exploitcode verschenen en het NCSC ontvangt meldingen van misbruik in Nederland. De "
        "inschaling van dit beveiligingsadvies is daarom verhoogd naar HIGH/HIGH.",
    ),
    kans="high",
    revisions=(("2026-03-05T15:20:44.000000Z", "1.0.1", "Exploitcode beschikbaar; inschaling verhoogd naar H/H"),),
)
ESXI_CORRECTED = replace(
    ESXI,
    products=(("VMware", "ESXi", ("7.0", "8.0")),),
    revisions=(("2026-03-06T09:00:12.000000Z", "1.0.1", "Kwetsbare versies gecorrigeerd"),),
)
SEVENZIP_WITHDRAWN = replace(
    SEVENZIP,
    title="[Ingetrokken] Kwetsbaarheid verholpen in 7-Zip",
    facts="INGETROKKEN: dit beveiligingsadvies is ingetrokken, omdat het een eerder advies herhaalt.",
    revisions=(("2026-03-08T10:15:00.000000Z", "1.0.1", "Ingetrokken"),),
)

WEEK: dict[str, tuple[Advisory, ...]] = {
    "0-sunday": (PUTTY,),
    "1-monday": (FORTIOS_ADMIN, EXCHANGE),
    "2-tuesday": (IVANTI,),
    "3-wednesday": (NETSCALER, ESXI),
    "4-thursday": (FORTIOS_ADMIN_RAISED, PANOS, MOVEIT),
    "5-friday": (FORTIOS_VPN, FORTIOS_FGFM, SEVENZIP, ESXI_CORRECTED),
    "7-sunday": (SEVENZIP_WITHDRAWN,),
}
