"""What X-ARF reports are about: types of all versions, as exposures that advice knows (triage/blocks).

Types are written in small letters with dashes (`LoginAttack` is `loginattack`, `login_attack` is `login-attack`).
Sources: the schemas of X-ARF 0.1, XARF 3 and XARF 4.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Kind(NamedTuple):
    """What a report is about: in a word that advice knows, and in words."""

    exposure: str
    words: str
    abused: bool = True


_SCANS = Kind("honeypot-scan", "System that scans others")
_GUESSES = Kind("brute-force", "System that guesses passwords elsewhere")
_ATTACKS = Kind("honeypot-attack", "System that attacks others")
_FLOODS = Kind("ddos-participant", "System that takes part in DDoS attacks")
_SPAMS = Kind("spam-source", "System that sends spam")
_INFECTED = Kind("botnet-infection", "Infected system")
_HACKED = Kind("compromised-website", "Compromised website")
_PHISHES = Kind("compromised-phishing", "Host with a phishing page")
_SERVES = Kind("malware-hosting", "Host that serves malware")
_OPEN = Kind("open-service", "Open service", abused=False)
_LISTED = Kind("blocklisted", "Host on a list of harmful ones", abused=False)
KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("spam", "bulk-messaging", "spamvertised", "mailspam"), _SPAMS),
    **dict.fromkeys(("dos", "ddos", "ddos-amplification"), _FLOODS),
    **dict.fromkeys(("portscan", "port-scan", "reconnaissance", "vuln-scanning", "vulnerability-scan"), _SCANS),
    **dict.fromkeys(("webcrawler", "scraping", "badbot"), _SCANS),
    **dict.fromkeys(("loginattack", "login-attack", "auth-failure", "ssh", "bruteforce", "bruteforcelogin"), _GUESSES),
    **dict.fromkeys(("exploit", "sql-injection", "regbot", "malware-attack", "hack-attack"), _ATTACKS),
    **dict.fromkeys(("botnet", "bot", "infected-host", "rpz-rewrite"), _INFECTED),
    **dict.fromkeys(("defacement", "web-hack", "remote-compromise"), _HACKED),
    "compromised-server": Kind("compromised-server", "Compromised server"),
    **dict.fromkeys(("phishing", "fraud", "fake-shop"), _PHISHES),
    "malware": _SERVES,
    **dict.fromkeys(("openservice", "open-service", "open"), _OPEN),
    "cve": Kind("vulnerable-service", "Vulnerable service", abused=False),
    "misconfiguration": Kind("misconfigured-service", "Misconfigured service", abused=False),
    "exposed-data": Kind("exposed-data", "Data open to anybody", abused=False),
    "potentiallycompromisedaccount": Kind("compromised-account", "Log-in that may have leaked", abused=False),
    **dict.fromkeys(("blocklist", "threat-intelligence", "dnsbl"), _LISTED),
}
ELSEWHERE = frozenset(
    (
        *("copyright", "trademark", "p2p", "cyberlocker", "ugc-platform", "link-site", "usenet", "brand-infringement"),
        *("harassment", "childabuse", "csam", "csem", "ncii", "hate-speech", "terrorism", "self-harm", "doxing"),
        *("violence", "threat-to-life", "disinformation", "online-predation", "identity-theft"),
    )
)
"""Reports about rights, quarrels and unlawful content: for others than this service."""

OTHER = Kind("reported-abuse", "Reported system")
