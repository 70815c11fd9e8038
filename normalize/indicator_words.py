"""Words in tables of indicators: what columns are called, what kinds of values, what is said of them.

Evidence speaks in the tokens that the guard weighs (pii_guard/roles.py). Of what a column classifies, every word
counts; of free text only a commanding server, and only where nothing in it points at a victim.
"""

import re
from collections.abc import Mapping

_MEANINGS: Mapping[str, str] = {
    "value": "value indicator indicator_value ioc ioc_value observable observable_value entity artifact waarde",
    "typed": (
        "ip ip_address ipaddress ip_addr ip_adres address addr adres ipv4 ipv6 src_ip source_ip srcip sourceip domain "
        "domain_name domein fqdn hostname host url uri link_url md5 sha1 sha256 sha512 sha_1 sha_256 hash hashes "
        "file_hash filehash cidr netblock network subnet prefix dst_url payload_url mac c2 c2_ip c2_domain"
    ),
    "mail": "email email_address e_mail mail sender",
    "start": "start start_ip first_ip range_start",
    "end": "end end_ip last_ip range_end",
    "type": "type entity_type indicator_type ioc_type observable_type value_type kind datatype data_type itype soort",
    "description": (
        "description desc note notes comment comments context info information details detail remark remarks message "
        "optional_information title summary meta_comment omschrijving beschrijving opmerking opmerkingen toelichting"
    ),
    "category": (
        "category classification class threat_type threattype threat tag tags verdict malicious role status "
        "disposition infection_type report_type attack_type attack_category label labels indicator_types categorie"
    ),
    "family": (
        "malware malware_family family botname botnet actor threat_actor actor_name campaign malware_printable "
        "intrusion_set adversary infection"
    ),
    "first": (
        "first_seen firstseen first_seen_utc first valid_from date timestamp created time event_date detected datetime "
        "eerst_gezien datum"
    ),
    "last": "last_seen lastseen last_seen_utc last updated modified last_online laatst_gezien",
    "tlp": "tlp tlp_label tlp_marking marking markings tlplevel tlp_level",
    "asn": "asn as as_number src_asn asnum autonomous_system",
    "country": "country country_code cc geo src_geo land",
    "port": "port src_port local_port service_port poort",
    "protocol": "protocol proto transport",
    "fact": "confidence severity priority attacks score risk risk_score count hits service vendor product version",
}  # fmt: skip
COLUMNS: Mapping[str, str] = {name: meaning for meaning, names in _MEANINGS.items() for name in names.split()}
"""Name of a column -> what it means here. Others are not read: whatever stands there may be anybody's."""

_KINDS: Mapping[str, str] = {
    "file": "file filename file-name filepath file-path filehash",
    "domain": "domain hostname domain-name fqdn host",
    "refused": (
        "mutex registry regkey registry-key windows-registry-key yara sigma snort pdb user-agent useragent named-pipe "
        "service-name btc bitcoin wallet phone phone-number cve vulnerability"
    ),
}
TYPES: Mapping[str, str] = {name: kind for kind, names in _KINDS.items() for name in names.split()}
"""Stated type -> the kinds that the look of a value does not tell, and those that are not read."""

_COMMANDS = re.compile(
    r"\b(?:c2|c&c|cnc|c\s?and\s?c|command[\s_-]*(?:and|&)?[\s_-]*control|controller|botnet[\s_-]c[c2])(?=\b|[\s_-]|$)",
    re.IGNORECASE,
)
_PHISHES = re.compile(r"phish", re.IGNORECASE)
_SERVES = re.compile(
    r"payload[\s_-]delivery|malware[\s_-](?:download|distribution|hosting|url|site)|download(?:er)?[\s_-]?url|dropper",
    re.IGNORECASE,
)
_BAD = re.compile(
    r"malicious|malware|ransom|trojan|\bapt\b|exploit|payload|backdoor|stealer|\bblack|\btrue\b|\bbad\b", re.IGNORECASE
)
_GOOD = re.compile(
    r"\b(?:benign|harmless|legitimate|clean|white[\s_-]?list(?:ed)?|not[\s_-]malicious|false)", re.IGNORECASE
)
_VICTIM = re.compile(
    r"\b(?:victims?|infected|compromised|bots?|drones?|zombies?|sinkhole[ds]?|leaked|stolen|vulnerable|exposed|"
    r"open[\s_-]?(?:resolvers?|proxy|relay)|proxy|openresolvers?|scanned|targets?|targeted|darknet|honeypot|bruteforce|scanner)\b",
    re.IGNORECASE,
)
_MISTAKABLE = re.compile(
    r"victim|infect|compromis|sinkhol|target|steal|leak|contact|connect|communicat|beacon|bots?\b", re.IGNORECASE
)


def evidence_of(stated: str, text: str, *, named: bool) -> set[str]:
    """Tokens for what a row classifies its value as (`stated`) and says of it (`text`); `named`: it names a family."""
    found: set[str] = set()
    if _VICTIM.search(stated):
        found.add("indicator-type:compromised")
    if _COMMANDS.search(stated) or (_COMMANDS.search(text) and not _MISTAKABLE.search(text)):
        found.add("infrastructure:command-and-control")
    if _PHISHES.search(stated):
        found.add("infrastructure:phishing")
    if _SERVES.search(stated):
        found.add("infrastructure:hosting-malware")
    if _BAD.search(stated):
        found.add("indicator-type:malicious-activity")
        if named:
            found.add("indicates")
    return found


def is_malicious(stated: str, text: str) -> bool:
    """Does the row say that its value is malicious?"""
    return bool(_BAD.search(stated)) or (bool(_BAD.search(text)) and not _MISTAKABLE.search(text))


def is_harmless(stated: str) -> bool:
    """Does the row say that its value is not?"""
    return bool(_GOOD.search(stated))
