"""Shadowserver-style reports over documentation addresses (RFC 5737, 3849) and AS numbers (RFC 5398).

Column names are Shadowserver's. On Thursday about two in three of Monday's RDP hosts are still open. Each report
carries a row or two as real ones do: an address of five octets, a row that is cut short.
"""

import hashlib
from ipaddress import ip_address
from random import Random

Row = dict[str, str | int]

RDP = (
    "timestamp", "ip", "port", "hostname", "tag", "handshake", "asn", "geo", "region", "city", "rdp_protocol",
    "cert_length", "subject_common_name", "issuer_common_name", "cert_issue_date", "cert_expiration_date",
    "sha1_fingerprint", "cert_serial_number", "ssl_version", "signature_algorithm", "key_algorithm",
    "sha256_fingerprint", "sha512_fingerprint", "md5_fingerprint", "naics", "sic", "sector", "tlsv13_support",
    "tlsv13_cipher", "cve20190708_vulnerable", "bluekeep_vulnerable", "jarm",
)  # fmt: skip
SMB = (
    "timestamp", "ip", "port", "hostname", "tag", "asn", "geo", "region", "city", "naics", "sic", "smb_implant",
    "arch", "key", "smbv1_support", "smb_major_number", "smb_minor_number", "smb_revision", "smb_version_string",
)  # fmt: skip
EXCHANGE = (
    "timestamp", "ip", "port", "hostname", "tag", "asn", "geo", "region", "city", "naics", "sic", "sector",
    "version", "servername", "url",
)  # fmt: skip

PLACES = (
    ("NOORD-HOLLAND", "AMSTERDAM"), ("ZUID-HOLLAND", "ROTTERDAM"), ("NOORD-BRABANT", "EINDHOVEN"),
    ("GELDERLAND", "ARNHEM"), ("UTRECHT", "UTRECHT"), ("OVERIJSSEL", "ZWOLLE"), ("FRIESLAND", "LEEUWARDEN"),
)  # fmt: skip
KNOWN = {
    "192.0.2.17": ("rdp-gw01.polderweg.example", "RDP-GW01.polderweg.local", 64500),
    "192.0.2.41": ("", "SRV-DOCK3.polderweg.local", 64500),
    "192.0.2.66": ("kassa.bakkerijdekorenaar.example", "PC-VAN-TRUUS", 64511),
    "192.0.2.74": ("mail.voorbeeldmetaal.example", "VMTS01.voorbeeldmetaal.local", 64510),
    "192.0.2.82": ("", "DIJKZICHT-TS", 64510),
    "192.0.2.98": ("werkstation4.waterbedrijfpolder.example", "WBP-OPS-04", 64509),
    "203.0.113.140": ("dsl-140.glasdraad.example", "DESKTOP-3F9K2QD", 64510),
}
"""Hosts of the hand-made subscribers: hostname, name in the certificate, AS number."""
MAIL_SERVERS = {
    "192.0.2.75": ("mail.voorbeeldmetaal.example", "VMEX01", "15.2.1118.40"),
    "192.0.2.81": ("webmail.dijkzicht.example", "DIJKZICHT-EX", "15.1.2507.35"),
}


def rdp(day: str, draw: Random) -> list[Row]:
    """Monday's scan_rdp: the known hosts and some 300 others."""
    hosts = dict(KNOWN) | {ip: _host(ip, draw) for ip in _addresses(300, draw)}
    return sorted((_rdp_row(day, ip, host, draw) for ip, host in hosts.items()), key=lambda row: row["timestamp"])


def rdp_again(day: str, before: list[Row], draw: Random) -> list[Row]:
    """Thursday's: most are still open; the baker has closed the port; a few are new."""
    kept = [row for row in before if row["ip"] != "192.0.2.66" and (row["ip"] in KNOWN or draw.random() < 0.65)]
    seen = {row["ip"] for row in before}
    still = [row | {"timestamp": f"{day} {str(row['timestamp'])[11:]}"} for row in kept]
    new = [_rdp_row(day, ip, _host(ip, draw), draw) for ip in _addresses(60, draw) if ip not in seen]
    return sorted(still + new[:25], key=lambda row: row["timestamp"])


def smb(day: str, draw: Random) -> list[Row]:
    """scan_smb: file shares that the whole internet can reach."""
    rows = []
    for ip in ["192.0.2.41", "192.0.2.89", *_addresses(180, draw)]:
        name, _, asn = KNOWN.get(ip) or _host(ip, draw)
        version = draw.choice(((2, 1, 0, "SMB 2.1"), (3, 1, 1, "SMB 3.1.1"), (3, 0, 2, "SMB 3.0.2")))
        rows.append(_common(day, ip, 445, name, "smb", asn, draw) | {
            "naics": 517311, "sic": 0, "smb_implant": "N", "smbv1_support": draw.choice("NNNY"),
            "smb_major_number": version[0], "smb_minor_number": version[1], "smb_revision": version[2],
            "smb_version_string": version[3],
        })  # fmt: skip
    return sorted(rows, key=lambda row: row["timestamp"])


def exchange(day: str, draw: Random) -> list[Row]:
    """scan_exchange: mail servers with known holes, two of them reached by IPv6."""
    rows = []
    others = {ip: (f"mail{number}.klant.example", f"EX{number:02d}", draw.choice(("15.1.2507.35", "15.2.1258.28")))
              for number, ip in enumerate([*_addresses(120, draw), "2001:db8:12::25", "2001:db8:4c::25"])}  # fmt: skip
    for ip, (host, server, version) in (MAIL_SERVERS | others).items():
        asn = 64500 if ip.startswith("2001:db8:12:") else draw.randint(64496, 64511)
        tag = draw.choice(("exchange;cve-2024-21410", "exchange;cve-2024-21410", "exchange;possible-cve-2022-41082"))
        rows.append(_common(day, ip, 443, host, tag, asn, draw) | {
            "naics": 517311, "sector": "Communications, Service Provider, and Hosting Service",
            "version": version, "servername": server,
        })  # fmt: skip
    return sorted(rows, key=lambda row: row["timestamp"])


def text(columns: tuple[str, ...], rows: list[Row], *extra: str) -> str:
    """The CSV as Shadowserver writes it: text in quotes, numbers and empty cells bare."""
    lines = [",".join(f'"{name}"' for name in columns)]
    lines += [",".join(_cell(row.get(name, "")) for name in columns) for row in rows]
    return "\n".join([*lines, *extra]) + "\n"


def _cell(value: str | int) -> str:
    return str(value) if isinstance(value, int) or not value else f'"{value}"'


def _addresses(count: int, draw: Random) -> list[str]:
    """Distinct addresses outside the hand-made subscribers' first half of 192.0.2.0/24."""
    ranges = [int(ip_address("192.0.2.128")), int(ip_address("198.51.100.0")), int(ip_address("203.0.113.0"))]
    pool = [
        str(ip_address(start + n))
        for start, size in zip(ranges, (128, 256, 256), strict=True)
        for n in range(1, size - 1)
    ]
    return draw.sample([ip for ip in pool if ip not in KNOWN], count)


def _host(ip: str, draw: Random) -> tuple[str, str, int]:
    last = ip.rsplit(".", 1)[1]
    asn = 64510 if ip.startswith("203.0.113.") else draw.randint(64496, 64509)
    host = f"static-{last}.glasdraad.example" if asn == 64510 else draw.choice(("", f"host{last}.klant.example"))
    letters = "".join(draw.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=7))
    return host, draw.choice((f"DESKTOP-{letters}", f"WIN-{letters}", f"TS{last}.kantoor.local")), asn


def _common(day: str, ip: str, port: int, host: str, tag: str, asn: int, draw: Random) -> Row:
    region, city = draw.choice(PLACES)
    at = f"{draw.randint(0, 5):02d}:{draw.randint(0, 59):02d}:{draw.randint(0, 59):02d}"
    return {"timestamp": f"{day} {at}", "ip": ip, "port": port, "hostname": host, "tag": tag, "asn": asn,
            "geo": "NL", "region": region, "city": city}  # fmt: skip


def _rdp_row(day: str, ip: str, host: tuple[str, str, int], draw: Random) -> Row:
    name, subject, asn = host
    seed = f"{ip}/{subject}".encode()
    return _common(day, ip, draw.choice((3389, 3389, 3389, 3390)), name, "rdp", asn, draw) | {
        "rdp_protocol": "RDP", "cert_length": 2048, "subject_common_name": subject, "issuer_common_name": subject,
        "cert_issue_date": "2025-11-03 02:22:06", "cert_expiration_date": "2026-05-05 02:22:06",
        "sha1_fingerprint": _colons(hashlib.sha1(seed).hexdigest()),  # noqa: S324 - a fingerprint's look
        "cert_serial_number": hashlib.sha256(seed).hexdigest()[:32].upper(), "ssl_version": 2,
        "signature_algorithm": "sha256WithRSAEncryption", "key_algorithm": "rsaEncryption",
        "sha256_fingerprint": _colons(hashlib.sha256(seed).hexdigest()),
        "sha512_fingerprint": _colons(hashlib.sha512(seed).hexdigest()),
        "md5_fingerprint": _colons(hashlib.md5(seed).hexdigest()),  # noqa: S324
        "naics": 517311, "sic": 0, "cve20190708_vulnerable": "N", "bluekeep_vulnerable": "N",
    }  # fmt: skip


def _colons(digest: str) -> str:
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)).upper()
