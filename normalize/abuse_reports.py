"""Which Shadowserver report a CSV is: from its columns, and where several share them, from its tags.

Report types are Shadowserver's own names, so that advice and statistics can use them; `exposure` is ours, shared by
reports that ask for the same steps, in words that advice knows (triage/blocks).
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Report(NamedTuple):
    """A report type: what it is about, in a word and in words."""

    type: str
    exposure: str
    words: str
    abused: bool = False
    """Somebody else already uses these systems: infected, attacking, defaced."""


class _Sign(NamedTuple):
    """`columns` must all be there; `tag`, when given, must start one of the tags of most rows."""

    type: str
    columns: str
    tag: str = ""


_SIGNS = (
    _Sign("event4_ddos_participant", "src_ip attack duration"),
    _Sign("event4_honeypot_brute_force", "src_ip service client_version"),
    _Sign("event4_honeypot_http_scan", "src_ip pattern http_url"),
    _Sign("event4_honeypot_ddos_amp", "src_ip request count bytes"),
    _Sign("event4_sinkhole_http_referer", "src_ip http_referer_ip"),
    _Sign("event4_sinkhole_http", "src_ip http_url forwarded_by"),
    _Sign("event4_sinkhole_dns", "src_ip dns_query"),
    _Sign("event4_sinkhole", "src_ip infection"),
    _Sign("botnet_drone", "infection cc"),
    _Sign("scan_rdp", "rdp_protocol"),
    _Sign("scan_smb", "smbv1_support"),
    _Sign("scan_smb", "smb_implant"),
    _Sign("scan_dns", "dns_version min_amplification"),
    _Sign("scan_exchange", "servername version", "exchange"),
    _Sign("scan_ssh", "serverid_raw"),
    _Sign("scan_ssl_poodle", "ssl_poodle", "ssl-poodle"),
    _Sign("scan_ssl_freak", "freak_vulnerable", "ssl-freak"),
    _Sign("scan_ssl", "cipher_suite subject_common_name"),
    _Sign("scan_mongodb", "gitversion visible_databases"),
    _Sign("scan_elasticsearch", "cluster_name", "elasticsearch"),
    _Sign("scan_ntp", "clk_wander"),
    _Sign("scan_ntpmonitor", "packets size", "ntp"),
    _Sign("scan_snmp", "sysdesc community"),
    _Sign("scan_http_vulnerable", "http build_date detail"),
    _Sign("population_http_proxy", "http proxy_authenticate"),
    _Sign("scan_cwmp", "http", "cwmp"),
    _Sign("scan_http", "http http_code"),
    _Sign("scan_ldap_tcp", "naming_contexts protocol", "ldap-tcp"),
    _Sign("scan_ldap", "naming_contexts"),
    _Sign("scan_vnc", "product banner"),
    _Sign("scan_telnet", "banner", "telnet"),
    _Sign("scan_ftp", "banner", "ftp"),
    _Sign("scan_smtp", "banner", "smtp"),
    _Sign("scan_ics", "raw_response device_id"),
    _Sign("compromised_website", "category redirect_target"),
    _Sign("blocklist", "source reason"),
    _Sign("malware_url", "url sha256"),
    _Sign("sandbox_url", "url md5 user_agent"),
    _Sign("special", "public_source status method"),
    _Sign("device_id", "device_vendor device_type device_model"),
)
_KNOWN: dict[str, tuple[str, str]] = {
    "scan_rdp": ("open-rdp", "Open RDP"),
    "scan_smb": ("open-smb", "Open SMB"),
    "scan_ldap": ("open-ldap", "Open LDAP"),
    "scan_ldap_tcp": ("open-ldap", "Open LDAP"),
    "scan_dns": ("open-dns-resolver", "Open DNS resolver"),
    "scan_exchange": ("vulnerable-exchange", "Vulnerable Exchange Server"),
    "scan_ssh": ("accessible-ssh", "Accessible SSH"),
    "scan_ssl": ("accessible-ssl", "Accessible TLS service"),
    "scan_ssl_poodle": ("weak-tls", "TLS service open to POODLE"),
    "scan_ssl_freak": ("weak-tls", "TLS service open to FREAK"),
    "scan_mongodb": ("open-mongodb", "Open MongoDB"),
    "scan_elasticsearch": ("open-elasticsearch", "Open Elasticsearch"),
    "scan_redis": ("open-redis", "Open Redis"),
    "scan_mssql": ("open-mssql", "Open SQL Server"),
    "scan_mysql": ("open-mysql", "Open MySQL"),
    "scan_postgres": ("open-postgres", "Open PostgreSQL"),
    "scan_couchdb": ("open-couchdb", "Open CouchDB"),
    "scan_memcached": ("open-memcached", "Open memcached"),
    "scan_ntp": ("open-ntp", "NTP that answers anybody (version)"),
    "scan_ntpmonitor": ("open-ntp", "NTP that answers anybody (monitor)"),
    "scan_snmp": ("open-snmp", "Open SNMP"),
    "scan_http": ("accessible-http", "Accessible web service"),
    "scan_http_vulnerable": ("vulnerable-http", "Vulnerable web service"),
    "population_http_proxy": ("open-proxy", "Web proxy that answers anybody"),
    "scan_cwmp": ("open-cwmp", "Open CWMP (router management)"),
    "scan_vnc": ("open-vnc", "Open VNC"),
    "scan_telnet": ("open-telnet", "Open Telnet"),
    "scan_ftp": ("open-ftp", "Open FTP"),
    "scan_smtp": ("vulnerable-smtp", "Vulnerable mail server"),
    "scan_ics": ("open-ics", "Open industrial control system"),
    "compromised_website": ("compromised-website", "Compromised website"),
    "blocklist": ("blocklisted", "Listed on a block list"),
    "malware_url": ("malware-hosting", "Host that serves malware"),
    "sandbox_url": ("malware-contact", "Host that malware contacts"),
    "special": ("special", "Special report"),
    "botnet_drone": ("botnet-infection", "Infected system"),
    "device_id": ("identified-device", "Identified device"),
    "event4_ddos_participant": ("ddos-participant", "System that takes part in DDoS attacks"),
    "event4_honeypot_brute_force": ("brute-force", "System that guesses passwords elsewhere"),
    "event4_honeypot_http_scan": ("honeypot-scan", "System that scans websites elsewhere"),
    "event4_honeypot_ddos_amp": ("ddos-target", "Target of DDoS amplification"),
    "event4_sinkhole_http": ("botnet-infection", "Infected system (HTTP sinkhole)"),
    "event4_sinkhole_http_referer": ("botnet-infection", "Website that leads to a sinkhole"),
    "event4_sinkhole_dns": ("botnet-infection", "Infected system (DNS sinkhole)"),
    "event4_sinkhole": ("botnet-infection", "Infected system (sinkhole)"),
}
_ABUSED = frozenset(
    {"botnet-infection", "brute-force", "honeypot-scan", "ddos-participant", "compromised-website", "malware-hosting"}
)
_TAG = re.compile(r"(?!.*\d{5})[a-z][a-z0-9_-]{1,29}")
"""A word for a service; nothing as long as anybody's number."""


def recognise(header: Sequence[str], tags: Mapping[str, int], *, six: bool) -> Report:
    """The report of these columns. `tags`: how many rows have each tag; `six`: are most addresses IPv6?

    Columns and tags that are not known give a type from the most frequent tag (`scan_rsync`), or `report`.
    """
    columns = frozenset(header)
    frequent = max(tags, key=lambda tag: (tags[tag], tag), default="").lower()
    words = [word for word in re.split(r"[;,\s]+", frequent) if word]
    for sign in _SIGNS:
        if columns.issuperset(sign.columns.split()) and (
            not sign.tag or any(word.startswith(sign.tag) for word in words)
        ):
            return _report(sign.type, six=six)
    first = next((word for word in words if _TAG.fullmatch(word) and not word.startswith("cve-")), "")
    prefix = "event4" if "src_ip" in columns else "scan"
    return _report(f"{prefix}_{first.replace('-', '_')}" if first else "report", six=six)


def _report(name: str, *, six: bool) -> Report:
    shown = re.sub(r"^(event|scan|population)4?(?=_)", r"\g<1>6", name) if six else name
    exposure, words = _KNOWN.get(name, ("", ""))
    if not exposure:
        plain = name.removeprefix("scan_").removeprefix("event4_").replace("_", " ")
        scan = name.startswith("scan_")
        exposure = f"open-{plain.replace(' ', '-')}" if scan else name.replace("_", "-")
        words = f"Open {plain.upper() if len(plain) <= 5 else plain}" if scan else plain.capitalize()
    return Report(shown, exposure, words, exposure in _ABUSED)
