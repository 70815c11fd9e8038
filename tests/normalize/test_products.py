"""Names, CPE, purl, and the ranges that real feeds write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import products, versions
from normalize.products import alias_of, cpe_parts, name_key, plain_key, purl_parts, ranges


def read(text: str, product: str = "") -> str:
    """Ranges as short text: alternatives by ` or `, `any` for every version."""
    return " or ".join("|".join(f"{b}{v}" for b, v in r.constraints) or "any" for r in ranges(text, product))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vers:unknown/15.0.1.13010-1", "=15.0.1.13010-1"),
        ("vers:unknown/*", "any"),
        ("vers:all/*", "any"),
        ("vers:all/<V2024.3", "<V2024.3"),
        ("vers:gem/<24.6.0", "<24.6.0"),
        ("vers:npm/>=1.0|<2.0|>=3|<4", ">=1.0|<2.0 or >=3|<4"),
        ("vers:pypi/>=3.0.0|2.0.3", "=2.0.3 or >=3.0.0"),
        ("vers:npm/>=1.0|!=1.1|<2.0", ">=1.0|<2.0|!=1.1"),
        ("FortiManager/>=7.6.0|<=7.6.1", ">=7.6.0|<=7.6.1"),
        ("FortiManager/ 7.2 all versions", ">=7.2|<7.3"),
        ("FortiOS/7.6.0", "=7.6.0"),
        ("7.2 all versions", ">=7.2|<7.3"),
        ("7.2.x", ">=7.2|<7.3"),
        ("14.1 lessThan 8.50 type patch", ">=14.1-0|<14.1-8.50"),
        ("<12.0.4 IF2", "<12.0.4 IF2"),
        ("<= 1.4", "<=1.4"),
        ("≤ 1.4", "<=1.4"),
        ("*", "any"),
        ("all versions", "any"),
        ("Alle versies", "any"),
        ("All versions < V3.2", "<V3.2"),
        ("< 1.5, >= 1.2", ">=1.2|<1.5"),
        (">= 1.2 < 1.5", ">=1.2|<1.5"),
        (">=1.2 <1.5 || >=2.0 <2.1", ">=1.2|<1.5 or >=2.0|<2.1"),
        ("from 1.2 before 1.5", ">=1.2|<1.5"),
        ("1.2 - 1.5", ">=1.2|<=1.5"),
        ("1.2 through 1.5", ">=1.2|<=1.5"),
        ("1.5 and earlier", "<=1.5"),
        ("V3.2 and later", ">=V3.2"),
        ("versions prior to 1.5", "<1.5"),
        ("ouder dan 1.5", "<1.5"),
        ("1.0, 1.1, 1.2", "=1.0 or =1.1 or =1.2"),
        ("<=2023.3_Build_9342", "<=2023.3_Build_9342"),
        # What cannot be read exactly gives nothing: possibly affected.
        ("Warehouse <5.1.0", ""),
        ("on Cloud Pak for Data", ""),
        ("<=firmware_FullImg-1023-1007-1011-1009", ""),
        ("vers:deb/>=1%3A2.0|<3", ""),
        ("vers:npm/", ""),
        (">=1.0|>=2.0", ""),
        ("unspecified", ""),
        ("n/a", ""),
        ("", ""),
        ("1." * 400, ""),
    ],
)
def test_ranges(text: str, expected: str) -> None:
    assert read(text) == expected


def test_the_product_may_stand_before_its_version() -> None:
    assert read("FortiOS 7.4.8", "FortiOS") == "=7.4.8"
    assert read("FortiOS 7.4.8") == ""


@given(st.text(max_size=60))
def test_ranges_read_or_give_up(text: str) -> None:
    for alternative in ranges(text):
        for _, limit in alternative.constraints:
            assert versions.key(limit) is not None


@given(st.text(alphabet="0123456789.<>=!|, vers:all/xX*-", max_size=30), st.sampled_from(["1.0", "7.2.3", "0"]))
def test_within_what_was_read_is_yes_no_or_unsure(text: str, version: str) -> None:
    for alternative in ranges(text):
        assert products.within(version, alternative) in (True, False, None)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (("Fortinet", "FortiOS"), ("fortinet", "fortios"), "exact"),
        (("Fortinet PSIRT", "FortiOS"), ("Fortinet", "FortiOS"), "exact"),
        (("Microsoft", "Microsoft Exchange Server"), ("microsoft", "exchange_server"), "exact"),
        (("Citrix", "NetScaler ADC"), ("Citrix", "Citrix ADC"), "likely"),
        (("Citrix Systems, Inc.", "Citrix ADC"), ("citrix", "netscaler_application_delivery_controller"), "likely"),
        (("Ivanti", "Connect Secure"), ("Pulse Secure", "Pulse Connect Secure"), "likely"),
        (("Palo Alto Networks", "PAN-OS"), ("paloaltonetworks", "pan-os"), "likely"),
        (("VMware", "ESXi"), ("Broadcom", "VMware ESXi"), "likely"),
        (("Cisco", "Cisco IOS XE Software"), ("cisco", "ios_xe"), "likely"),
        (("Progress", "MOVEit Transfer"), ("Progress Software Corporation", "MOVEit"), "likely"),
        (("Atlassian", "Confluence Data Center"), ("Atlassian", "Confluence Server"), "likely"),
        (("Microsoft", "Exchange Server"), ("Microsoft", "SQL Server"), None),
        (("Fortinet", "FortiOS"), ("Fortinet", "FortiProxy"), None),
        (("Cisco", "IOS XE"), ("Cisco", "IOS XR"), None),
        (("A", "Portal"), ("B", "Portal"), None),
    ],
)
def test_names_of_one_product_have_one_key(one: tuple[str, str], other: tuple[str, str], found: str | None) -> None:
    """Exact: the same names. Likely: one product by a known alias. None: not the same product."""
    assert (name_key(*one) == name_key(*other)) == (found is not None)
    assert (plain_key(*one) == plain_key(*other)) == (found == "exact")


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_key_of_a_name_is_stable(vendor: str, product: str) -> None:
    assert name_key(*name_key(vendor, product)) == name_key(vendor, product)


def test_every_alias_ends_where_it_leads() -> None:
    for (vendor, product), target in products._PRODUCTS.items():
        assert name_key(vendor, product) == target == name_key(*target)
        assert not alias_of(*target)
    for vendor, target_vendor in products._VENDORS.items():
        assert name_key(vendor, "x")[0] == target_vendor


@pytest.mark.parametrize(
    ("cpe", "parts"),
    [
        ("cpe:2.3:a:ivanti:connect_secure:*:*:*:*:*:*:*:*", ("ivanti", "connect_secure", "")),
        ("cpe:2.3:o:fortinet:fortios:7.2.3:*:*:*:*:*:*:*", ("fortinet", "fortios", "7.2.3")),
        ("cpe:2.3:a:vmware:vcenter_server:8.0:update3:*:*:*:*:*:*", ("vmware", "vcenter_server", "8.0 update3")),
        (r"cpe:2.3:a:acme:a\:b:1\.0:*:*:*:*:*:*:*", ("acme", "a:b", "1.0")),
        ("cpe:/o:redhat:rhel_aus:7.6::server", ("redhat", "rhel_aus", "7.6")),
        ("cpe:/a:oracle:c%2b%2b", ("oracle", "c++", "")),
        ("cpe:2.3:a:*:*:*:*:*:*:*:*:*:*", None),
        ("cpe:2.3:a", None),
        ("fortinet fortios", None),
        ("", None),
    ],
)
def test_cpe_parts(cpe: str, parts: tuple[str, str, str] | None) -> None:
    assert cpe_parts(cpe) == parts


@pytest.mark.parametrize(
    ("purl", "parts"),
    [
        ("pkg:pypi/Django@4.2.1", ("pkg:pypi", "django", "4.2.1")),
        ("pkg:maven/org.apache.logging.log4j/log4j-core", ("pkg:maven", "org.apache.logging.log4j/log4j-core", "")),
        ("django@4.2.1", None),
        ("pkg:", None),
    ],
)
def test_purl_parts(purl: str, parts: tuple[str, str, str] | None) -> None:
    assert purl_parts(purl) == parts


@given(st.text(max_size=60), st.sampled_from(["cpe:2.3:", "cpe:/", "pkg:", ""]))
def test_cpe_and_purl_never_fail(text: str, start: str) -> None:
    cpe_parts(start + text)
    purl_parts(start + text)
