import pytest

from filtering.catalogue import Catalogue
from filtering.naming import installed
from filtering.software import pair, products_of
from normalize import Affected, Range
from subscribers import Software
from tests.filtering.things import affected


def verdict(one: Software, *entries: Affected) -> str | None:
    """By pair and by catalogue: they have to agree."""
    line, catalogue = installed(one), Catalogue()
    catalogue.add([line], 1)
    found = None
    for product in products_of(entries):
        if (by_pair := pair(product, line)) is not None:
            found = by_pair[0]
        users = [name for name, bits in catalogue.users(product).items() if 1 in bits]
        assert users == ([by_pair[0]] if by_pair else [])
    return found


@pytest.mark.parametrize(
    ("version", "stated", "confidence"),
    [
        ("7.2.3", ">=7.2.0|<7.2.5", "exact"),
        ("7.2.5", ">=7.2.0|<7.2.5", None),
        (None, ">=7.2.0|<7.2.5", "possible"),
        ("7.2.3", "", "possible"),
        ("7.2.3", "see the vendor's page", "possible"),
        ("7.2.3", "*", "exact"),
        ("onbekend", "<7.2.5", "possible"),
    ],
)
def test_versions(version: str | None, stated: str, confidence: str | None) -> None:
    assert verdict(Software("Fortinet", "FortiOS", version), affected(versions=stated)) == confidence


def test_names_by_alias_are_likely() -> None:
    assert verdict(Software("MobileIron", "Core", "11.0"), affected("Ivanti", "EPMM", "<11.5")) == "likely"
    assert verdict(Software("MobileIron", "Core"), affected("Ivanti", "EPMM", "<11.5")) == "possible"


def test_a_cpe_is_a_name_and_a_version() -> None:
    cpe = Software(cpe="cpe:2.3:o:fortinet:fortios:7.2.3:*:*:*:*:*:*:*")
    assert verdict(cpe, affected(versions="<7.2.5")) == "exact"
    assert verdict(Software("Fortinet", "FortiOS", "7.2.3"), affected("", "", "<7.2.5", cpe=cpe.cpe)) == "exact"


def test_purls() -> None:
    django = Software(purl="pkg:pypi/django@4.2.1")
    assert verdict(django, affected("", "django", "<4.2.2", purl="pkg:pypi/django")) == "exact"
    assert verdict(django, affected("", "django", "<4.2.1", purl="pkg:pypi/django")) is None
    assert verdict(django, affected("", "django", "<4.2.2", purl="pkg:npm/django")) is None
    assert verdict(Software(purl="pkg:pypi/django"), affected("", "x", "<4.2.2", purl="pkg:pypi/django")) == "possible"


def test_a_missing_vendor_meets_that_product_of_any_vendor() -> None:
    assert verdict(Software("", "FortiOS", "7.2.3"), affected(versions="<7.2.5")) == "likely"
    assert verdict(Software("Fortinet", "FortiOS", "7.2.3"), affected("", "FortiOS", "<7.2.5")) == "likely"
    assert verdict(Software("Other", "FortiOS", "7.2.3"), affected(versions="<7.2.5")) is None


def test_fixed_and_not_affected() -> None:
    hit = affected(versions="<7.2.5")
    user = Software("Fortinet", "FortiOS", "7.2.3")
    assert verdict(user, affected(versions="<9", status="fixed")) is None
    assert verdict(user, hit, affected(versions="7.2.3", status="fixed")) is None
    assert verdict(user, hit, affected(versions="7.2.3", status="not-affected")) is None
    assert verdict(user, hit, affected(versions="7.2.4", status="fixed")) == "exact"
    assert verdict(user, hit, affected(versions="*", status="not-affected")) == "exact", "says nothing on a version"
    assert verdict(user, affected(versions="<7.2.5", status="unknown")) == "possible"


def test_entries_that_share_a_name_or_purl_are_one_product() -> None:
    cpe = "cpe:2.3:o:fortinet:fortios:*:*:*:*:*:*:*:*"
    entries = [
        affected("A", "B"),
        affected("Fortinet", "FortiOS"),
        affected("", "", purl="pkg:generic/fortios"),
        Affected("", "", ranges=(Range(),), cpe=cpe, purl="pkg:generic/fortios"),
    ]
    assert [len(product.entries) for product in products_of(entries)] == [1, 3]
