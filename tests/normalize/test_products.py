"""Names, CPE, purl."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import products
from normalize.products import alias_of, cpe_parts, name_key, plain_key, purl_parts


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


def test_a_purl_says_how_versions_are_ordered() -> None:
    assert products.scheme_of("pkg:pypi/django@4.2.1") == "pypi"
    assert products.scheme_of("pkg:cargo/serde") == "semver"
    assert [products.scheme_of(purl) for purl in ("pkg:generic/x", "not a purl", None)] == ["", "", ""]


def test_the_epoch_of_an_rpm_belongs_to_its_version() -> None:
    assert products.purl_parts("pkg:rpm/fedora/curl@7.50.3-1.fc25?epoch=1") == (
        "pkg:rpm", "fedora/curl", "1:7.50.3-1.fc25",
    )  # fmt: skip
