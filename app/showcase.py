"""Hand-made subscribers whom the sample week surely concerns: one of each kind, to show and to test the whole way."""

from typing import Any

BAKER = "kvk-00900001"
METAL = "kvk-00900002"
LOGISTICS = "kvk-00900003"
ACCOUNTANT = "kvk-00900004"
PARTNERSHIP = "svb-metaal-brabant"
SUPPLIER = "kvk-00900005"
CERT = "cert-maakindustrie"
VITAL = "vitaal-water-polder"
QUIET = "kvk-00900006"
OPTED_OUT = "kvk-00900007"
UNVERIFIED = "kvk-00900008"
ENGLISH = "kvk-00900009"
NETWORK_OWNER = "kvk-00900010"


def _mail(address: str, *editions: str) -> dict[str, Any]:
    return {"type": "email", "address": address, "digest": list(editions)}


SHOWCASE: tuple[dict[str, Any], ...] = (
    {
        "id": BAKER, "name": "Bakkerij De Korenaar", "kind": "company", "size": "zzp", "maturity": "basic",
        "sectors": ["SBI:10.71"], "country": "NL", "region": "NL-FR", "language": "nl", "software": [],
        "networks": ["192.0.2.66/32"], "domains": ["bakkerijdekorenaar.example"], "clearance": "CLEAR",
        "min_urgency": "info", "channels": [_mail("info@bakkerijdekorenaar.example", "friday")], "members": [],
    },
    {
        "id": METAL, "name": "Voorbeeld Metaal B.V.", "kind": "company", "size": "mkb", "maturity": "basic",
        "sectors": ["SBI:25.62"], "country": "NL", "region": "NL-NB", "language": "nl",
        "software": [{"vendor": "Fortinet", "product": "FortiOS", "version": "7.2.3"},
                     {"vendor": "Microsoft", "product": "Exchange Server", "version": "15.2.1118.40"}],
        "networks": ["192.0.2.72/29"], "domains": ["voorbeeldmetaal.example"], "clearance": "AMBER",
        "min_urgency": "this-week", "channels": [_mail("beveiliging@voorbeeldmetaal.example", "monday", "friday")],
        "members": [],
    },
    {
        "id": LOGISTICS, "name": "Polderweg Logistiek Groep N.V.", "kind": "company", "size": "large",
        "maturity": "mature", "sectors": ["SBI:52.29", "SBI:49.41"], "country": "NL", "region": "NL-ZH",
        "language": "nl",
        "software": [{"vendor": "Citrix", "product": "NetScaler ADC", "version": "13.1-48.47"},
                     {"vendor": "VMware", "product": "ESXi"},
                     {"cpe": "cpe:2.3:a:ivanti:connect_secure:22.7R2.4:*:*:*:*:*:*:*"},
                     {"purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}],
        "networks": ["192.0.2.0/26", "2001:db8:12::/48", "AS64500"], "domains": ["polderweg.example"],
        "clearance": "AMBER", "min_urgency": "info",
        "channels": [_mail("soc@polderweg.example", "monday", "friday"), {"type": "taxii"}], "members": [],
    },
    {
        "id": ACCOUNTANT, "name": "Administratiekantoor Dijkzicht B.V.", "kind": "company", "size": "mkb",
        "maturity": "basic", "sectors": ["SBI:69.20"], "country": "NL", "region": "NL-UT", "language": "nl",
        "software": [{"vendor": "Progress", "product": "MOVEit Transfer", "version": "2023.0.0"},
                     {"vendor": "Microsoft", "product": "Exchange Server"}],
        "networks": ["192.0.2.80/30"], "domains": ["dijkzicht.example"], "clearance": "GREEN",
        "min_urgency": "info", "channels": [_mail("ict@dijkzicht.example", "friday")], "members": [],
    },
    {
        "id": PARTNERSHIP, "name": "Samenwerkingsverband Veilige Metaal Brabant", "kind": "partnership",
        "size": "large", "maturity": "mature", "sectors": ["SBI:25"], "country": "NL", "region": "NL-NB",
        "language": "nl", "software": [], "networks": [], "domains": ["veiligemetaal.example"],
        "clearance": "AMBER", "min_urgency": "info", "serves_members": True,
        "members": [METAL, "kvk-00900006"], "scope": {"sectors": ["SBI:25"], "regions": ["NL-NB"]},
        "channels": [_mail("meldpunt@veiligemetaal.example", "monday", "friday")],
    },
    {
        "id": SUPPLIER, "name": "Kantoorbeheer Oost B.V.", "kind": "supplier", "size": "mkb", "maturity": "mature",
        "sectors": ["SBI:62.03"], "country": "NL", "region": "NL-OV", "language": "nl", "software": [],
        "networks": [], "domains": ["kantoorbeheeroost.example"], "clearance": "AMBER", "min_urgency": "info",
        "members": [BAKER, ACCOUNTANT], "channels": [_mail("noc@kantoorbeheeroost.example", "friday")],
    },
    {
        "id": CERT, "name": "CERT Maakindustrie", "kind": "cert", "size": "large", "maturity": "mature",
        "sectors": ["SBI:C"], "country": "NL", "region": "NL-GE", "language": "nl", "software": [],
        "networks": ["192.0.2.64/27"], "domains": [], "clearance": "AMBER+STRICT", "min_urgency": "info",
        "members": [], "scope": {"sectors": ["SBI:C"], "regions": []},
        "channels": [{"type": "taxii"}, _mail("cert@certmaakindustrie.example")],
    },
    {
        "id": VITAL, "name": "Waterbedrijf Polder N.V.", "kind": "vital", "size": "large", "maturity": "mature",
        "sectors": ["SBI:36.00"], "country": "NL", "region": "NL-FL", "language": "nl",
        "software": [{"vendor": "Palo Alto Networks", "product": "PAN-OS", "version": "10.2.7"}],
        "networks": ["192.0.2.96/28"], "domains": ["waterbedrijfpolder.example"], "clearance": "AMBER",
        "min_urgency": "info", "channels": [_mail("security@waterbedrijfpolder.example")], "members": [],
    },
    {
        "id": QUIET, "name": "Verspaning Kempenhof B.V.", "kind": "company", "size": "mkb", "maturity": "basic",
        "sectors": ["SBI:25.62"], "country": "NL", "region": "NL-NB", "language": "nl",
        "software": [{"vendor": "Fortinet", "product": "FortiOS", "version": "7.0.12"}],
        "networks": ["192.0.2.84/30"], "domains": ["kempenhof.example"], "clearance": "GREEN",
        "min_urgency": "info", "quiet": {"from": "18:00", "to": "08:00", "days": [], "tz": "Europe/Amsterdam"},
        "channels": [_mail("werkplaats@kempenhof.example", "monday")], "members": [],
    },
    {
        "id": OPTED_OUT, "name": "Webwinkel Lindelaan", "kind": "company", "size": "zzp", "maturity": "basic",
        "sectors": ["SBI:47.91"], "country": "NL", "region": "NL-GR", "language": "nl",
        "software": [{"vendor": "WordPress", "product": "WordPress", "version": "6.4.3"}], "networks": [],
        "domains": ["lindelaan.example"], "clearance": "CLEAR", "min_urgency": "today", "opt_out": ["news"],
        "channels": [_mail("hallo@lindelaan.example")], "members": [],
    },
    {
        "id": UNVERIFIED, "name": "Garage Ringdijk", "kind": "company", "size": "mkb", "maturity": "basic",
        "sectors": ["SBI:45.20"], "country": "NL", "region": "NL-ZE", "language": "nl",
        "software": [{"vendor": "Fortinet", "product": "FortiOS"}], "networks": ["192.0.2.88/30"],
        "domains": ["ringdijk.example"], "clearance": "CLEAR", "min_urgency": "info", "verified": False,
        "channels": [_mail("balie@ringdijk.example")], "members": [],
    },
    {
        "id": ENGLISH, "name": "Northquay Engineering B.V.", "kind": "company", "size": "mkb", "maturity": "mature",
        "sectors": ["SBI:71.12"], "country": "NL", "region": "NL-NH", "language": "en",
        "software": [{"vendor": "Ivanti", "product": "Connect Secure", "version": "22.7R2.3"},
                     {"vendor": "Palo Alto Networks", "product": "PAN-OS", "version": "11.1.1"}],
        "networks": ["192.0.2.112/29"], "domains": ["northquay.example"], "clearance": "AMBER",
        "min_urgency": "info", "channels": [_mail("it@northquay.example", "monday")], "members": [],
    },
    {
        "id": NETWORK_OWNER, "name": "Glasdraad Internet B.V.", "kind": "company", "size": "large",
        "maturity": "mature", "sectors": ["SBI:61.10"], "country": "NL", "region": "NL-UT", "language": "nl",
        "software": [], "networks": ["203.0.113.128/25", "AS64510", "AS64511"], "domains": ["glasdraad.example"],
        "clearance": "GREEN", "min_urgency": "info",
        "channels": [_mail("abuse@glasdraad.example"), {"type": "taxii"}], "members": [],
    },
)  # fmt: skip
