"""Vendor, product, version: names that mean one product, CPE, purl.

`name_key` is what two names of one product have in common. What feeds write as versions: normalize/ranges.py.
"""

import re
import unicodedata
from functools import lru_cache

from packageurl import PackageURL

from normalize import cpe, schemes

# Names


_COMPANY = re.compile(
    r"\b(?:inc(?:orporated)?|corp(?:oration)?|ltd|limited|llc|gmbh|ag|b\.?v|n\.?v|s\.?a|se|plc|co|kg|a/s|oy|ab|"
    r"psirt|(?:software |apache )?foundation|project|technologies|product security(?: incident response team)?)\b\.?",
    re.IGNORECASE,
)
_NOISE = re.compile(r"[\W_]+")
_EDITION = re.compile(r"\((?:r|tm|c)\)|[®™©]", re.IGNORECASE)
_VENDORS = {
    "pulsesecure": "ivanti", "mobileiron": "ivanti", "broadcom vmware": "vmware", "vmware by broadcom": "vmware",
    "palo alto": "palo alto networks", "paloaltonetworks": "palo alto networks", "progress software": "progress",
    "ipswitch": "progress", "checkpoint": "check point", "check point software": "check point", "f5 networks": "f5",
    "hewlett packard enterprise": "hpe", "hp enterprise": "hpe", "aruba networks": "hpe",
    "cloud software group": "citrix", "citrix systems": "citrix",
    "netscaler": "citrix",
    "microsoft security response center": "microsoft",
    "apple computer": "apple", "sonic wall": "sonicwall", "zyxel communications": "zyxel",
    "cisco systems": "cisco", "juniper networks": "juniper", "sap se": "sap", "apache software": "apache",
    "the apache software": "apache", "trendmicro": "trend micro", "redhat": "red hat", "d link": "dlink",
    "dell emc": "dell", "barracuda networks": "barracuda", "pulse secure": "ivanti", "adobe systems": "adobe",
    "connectwise software": "connectwise", "microfocus": "micro focus", "connect wise": "connectwise",
}  # fmt: skip
_PRODUCTS = {
    ("ivanti", "pulse connect secure"): ("ivanti", "connect secure"),
    ("ivanti", "ics"): ("ivanti", "connect secure"),
    ("ivanti", "pulse policy secure"): ("ivanti", "policy secure"),
    ("ivanti", "epmm"): ("ivanti", "endpoint manager mobile"),
    ("ivanti", "core"): ("ivanti", "endpoint manager mobile"),
    ("citrix", "application delivery controller"): ("citrix", "netscaler adc"),
    ("citrix", "application delivery controller adc"): ("citrix", "netscaler adc"),
    ("citrix", "application delivery controller firmware"): ("citrix", "netscaler adc"),
    ("citrix", "netscaler application delivery controller"): ("citrix", "netscaler adc"),
    ("citrix", "netscaler"): ("citrix", "netscaler adc"),
    ("citrix", "adc"): ("citrix", "netscaler adc"),
    ("citrix", "gateway"): ("citrix", "netscaler gateway"),
    ("citrix", "gateway firmware"): ("citrix", "netscaler gateway"),
    ("palo alto networks", "panos"): ("palo alto networks", "pan os"),
    ("cisco", "ios xe software"): ("cisco", "ios xe"),
    ("cisco", "ios xr software"): ("cisco", "ios xr"),
    ("cisco", "ios software"): ("cisco", "ios"),
    ("cisco", "adaptive security appliance"): ("cisco", "asa"),
    ("cisco", "adaptive security appliance software"): ("cisco", "asa"),
    ("cisco", "adaptive security appliance asa"): ("cisco", "asa"),
    ("microsoft", "exchange"): ("microsoft", "exchange server"),
    ("microsoft", "sharepoint"): ("microsoft", "sharepoint server"),
    ("microsoft", "active directory federation services"): ("microsoft", "adfs"),
    ("progress", "moveit"): ("progress", "moveit transfer"),
    ("vmware", "vcenter"): ("vmware", "vcenter server"),
    ("vmware", "esx"): ("vmware", "esxi"),
    ("vmware", "vsphere esxi"): ("vmware", "esxi"),
    ("broadcom", "vmware esxi"): ("vmware", "esxi"),
    ("broadcom", "esxi"): ("vmware", "esxi"),
    ("broadcom", "vmware vcenter server"): ("vmware", "vcenter server"),
    ("broadcom", "vcenter server"): ("vmware", "vcenter server"),
    ("sonicwall", "sonicos software"): ("sonicwall", "sonicos"),
    ("sonicwall", "sma 100"): ("sonicwall", "sma100"),
    ("atlassian", "confluence"): ("atlassian", "confluence data center"),
    ("atlassian", "confluence server"): ("atlassian", "confluence data center"),
    ("atlassian", "confluence data center and server"): ("atlassian", "confluence data center"),
    ("atlassian", "confluence server and data center"): ("atlassian", "confluence data center"),
    ("atlassian", "jira"): ("atlassian", "jira data center"),
    ("atlassian", "jira server"): ("atlassian", "jira data center"),
    ("f5", "big ip access policy manager"): ("f5", "big ip"),
    ("f5", "big ip local traffic manager"): ("f5", "big ip"),
    ("apache", "log4j2"): ("apache", "log4j"),
    ("apache", "log4j core"): ("apache", "log4j"),
    ("apache", "http server"): ("apache", "httpd"),
    ("juniper", "junos os"): ("juniper", "junos"),
    ("check point", "quantum security gateway"): ("check point", "quantum security gateways"),
    ("zyxel", "zld"): ("zyxel", "zld firmware"),
    ("fortinet", "forti os"): ("fortinet", "fortios"),
}  # fmt: skip


_MAKERS = frozenset({*_VENDORS.values(), *(maker for maker, _ in _PRODUCTS)})


@lru_cache(maxsize=65536)
def plain_key(vendor: str, product: str) -> tuple[str, str]:
    """Names without case, signs, company forms, and the vendor's name before the product's; no aliases."""
    stated = unicodedata.normalize("NFKC", vendor)
    maker = _words(_COMPANY.sub(" ", stated)) or _words(stated)
    thing = _words(product)
    if maker and thing.startswith(maker + " "):
        thing = thing[len(maker) + 1 :]
    return maker, thing


@lru_cache(maxsize=65536)
def name_key(vendor: str, product: str) -> tuple[str, str]:
    """What every name of one product has in common, known aliases resolved: `("citrix", "netscaler adc")`."""
    maker, thing = plain_key(vendor, product)
    renamed = _VENDORS.get(maker, maker)
    if renamed != maker:
        thing = plain_key(renamed, thing)[1]
    return _PRODUCTS.get((renamed, thing), (renamed, thing))


def known_vendor(name: str) -> bool:
    """Is it a vendor that stands in the tables of aliases?"""
    maker = plain_key(name, "")[0]
    return maker in _VENDORS or maker in _MAKERS


def alias_of(vendor: str, product: str) -> bool:
    """Is this name another name than the one its product is filed under?"""
    return name_key(vendor, product) != plain_key(vendor, product)


def _words(text: str) -> str:
    folded = _EDITION.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    return _NOISE.sub(" ", folded).strip()


# CPE and purl


def cpe_parts(name: str) -> tuple[str, str, str] | None:
    """Vendor, product and version (empty: any) of a CPE 2.3 string or CPE 2.2 URI; None: it is neither.

    The update part joins the version: `8.0 update3`.
    """
    found = cpe.read(name)
    if found is None or {found.vendor, found.product} & {cpe.ANY, cpe.NA}:
        return None
    version, update = ("" if part in (cpe.ANY, cpe.NA) else part for part in (found.version, found.update))
    return found.vendor, found.product, f"{version} {update}".strip() if version else ""


def purl_parts(purl: str) -> tuple[str, str, str] | None:
    """`("pkg:pypi", "django", "4.2.1")`: type, name with its namespace, version (empty: any); None: not a purl."""
    try:
        read = PackageURL.from_string(purl)
    except ValueError:
        return None
    name = f"{read.namespace}/{read.name}" if read.namespace else read.name
    version, epoch = read.version or "", read.qualifiers.get("epoch", "") if isinstance(read.qualifiers, dict) else ""
    if read.type == "rpm" and version and epoch.isdigit() and ":" not in version:
        version = f"{epoch}:{version}"  # purl types, rpm: the epoch stands apart
    return f"pkg:{read.type}", name, version


@lru_cache(maxsize=16384)
def scheme_of(purl: str | None) -> str:
    """How the versions of its type of package are ordered (`normalize.schemes`); empty: not known."""
    parts = purl_parts(purl) if purl else None
    return schemes.scheme(parts[0].removeprefix("pkg:")) if parts else ""
