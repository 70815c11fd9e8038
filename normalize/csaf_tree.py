"""The product tree of a CSAF document: its products by id, as they are stated, and its groups of them.

Branches nest vendor > family > name > version in any order and with wrong categories; products also stand in flat
lists and in relationships, and are named by groups. Clauses: CSAF 2.0 3.1.2, 3.2.2, and where a part does not pass one
of the standard's tests, that test.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from normalize import Affected, products, ranges
from normalize.lenient import Json, Parts

_NAMES = ("product_name", "product", "product_family")
"""Categories that name a product, the best first (`product` is none of CSAF's, and is met)."""
_VERSIONS = ("product_version", "product_version_range")
_DEEPER = ("service_pack", "patch_level")
_COMPONENT = frozenset({"default_component_of", "optional_component_of"})
_SPLIT_NAME = re.compile(r"^(.*[A-Za-z)].*?)[ /](?:version |v)?((?:[<>=]=?)?\s*\d++(?:\.\d++)++\S*+)$", re.IGNORECASE)
_RANGE = re.compile(r"[<>]|\b(?:after|all|before|earlier|later|prior|versions)\b", re.IGNORECASE)
_AFTER_NAME = re.compile("[ /:-]")
_LONGEST_NAME = 300
"""A longer one is not split: that takes time with the square of its length."""
_PLAIN_PACKAGES = frozenset({"pkg:rpm", "pkg:deb", "pkg:apk", "pkg:oci"})
"""Package types whose namespace is the distribution, not a part of the name."""
_DEEPEST = 40
NO_PRODUCT = "a product id that the product tree does not have (CSAF 6.1.1)"
_TWICE = "a product id that is defined twice; the first stands (CSAF 6.1.2)"
_CIRCULAR = "relationships of products that define each other; they are left out (CSAF 6.1.3)"
NO_GROUP = "a group id that the product tree does not have (CSAF 6.1.4)"


class _Product(NamedTuple):
    """A product of the tree: as it is stated, and the platform it is a component of."""

    stated: Affected
    platform: str = ""


class _Relation(NamedTuple):
    """Two products by id, and whether the first is a part of the second."""

    component: str
    platform: str
    part: bool
    path: str


class Tree:
    """The products of a document by id, and its groups of them."""

    def __init__(self, root: Json, document: Json, parts: Parts) -> None:
        tree = parts.object(root, "product_tree")
        publisher = document.get("publisher")
        maker = ""
        if isinstance(publisher, dict) and publisher.get("category") == "vendor":
            maker = parts.text(publisher, "name", "/document/publisher")
        self.products: dict[str, _Product] = {}
        for branch, path in parts.objects(tree, "branches", "/product_tree"):
            _branch(branch, path, {}, maker, self.products, parts)
        for full, path in parts.objects(tree, "full_product_names", "/product_tree"):
            _add(full, path, {}, maker, self.products, parts)
        _relate(tree, self.products, parts)
        self._names = {entry.stated.product: entry.stated for entry in self.products.values()}
        self.groups: dict[str, list[str]] = {}
        for group, path in parts.objects(tree, "product_groups", "/product_tree"):
            identifier = parts.text(group, "group_id", path)
            if identifier in self.groups:
                parts.note("a group id that is defined twice; the first stands (CSAF 6.1.5)", f"{path}/group_id")
            self.groups.setdefault(identifier, list(self._known(group, path, parts)))

    def listed(self, holder: Json, path: str, parts: Parts) -> list[str]:
        """The product ids that a flag or a remediation names, itself or by groups."""
        found = list(self._known(holder, path, parts))
        for group in parts.texts(holder, "group_ids", path):
            if group not in self.groups:
                parts.note(NO_GROUP, f"{path}/group_ids")
            found += self.groups.get(group, ())
        return list(dict.fromkeys(found))

    def _known(self, holder: Json, path: str, parts: Parts) -> Iterator[str]:
        for identifier in parts.texts(holder, "product_ids", path):
            if self.resolve(identifier):
                yield identifier
            else:
                parts.note(NO_PRODUCT, f"{path}/product_ids")

    def names(self, identifiers: Iterable[str]) -> tuple[str, ...]:
        """What the products of these ids are called, without their versions."""
        known = (product.product for each in identifiers for product in self.resolve(each))
        return tuple(dict.fromkeys(filter(None, known)))

    def resolve(self, identifier: str) -> list[Affected]:
        """The product of an id; of an id that is a name with versions, when the tree has a product of that name."""
        known = self.products.get(identifier)
        if known is not None:
            return [known.stated]
        ends = [found.start() for found in _AFTER_NAME.finditer(identifier[:_LONGEST_NAME])]
        for end in (len(identifier), *reversed(ends)):
            stated = self._names.get(identifier[:end])
            if stated is not None and stated.product:
                text = identifier[end:].strip(" /-:")
                return [Affected(stated.vendor, stated.product, text, ranges.read(text))]
        return []

    def platforms(self, identifier: str) -> list[Affected]:
        """What a component is part of, and what that is part of."""
        found: list[Affected] = []
        for _ in range(_DEEPEST):
            known = self.products.get(identifier)
            if known is None or not known.platform or known.platform not in self.products:
                break
            identifier = known.platform
            found.append(self.products[identifier].stated)
        return found


def _branch(
    branch: Json, path: str, above: dict[str, str], maker: str, found: dict[str, _Product], parts: Parts
) -> None:
    category, name = parts.text(branch, "category", path), parts.text(branch, "name", path)
    names = {**above, category: name}
    if category == "product_version" and _RANGE.search(name):
        parts.note("a range where one version belongs; read as a range (CSAF 6.1.31)", f"{path}/name")
    if path.count("/branches/") > _DEEPEST:
        parts.note("branches nested too deeply", path)
        return
    if "product" in branch:
        _add(parts.object(branch, "product", path), f"{path}/product", names, maker, found, parts)
    for inner, where in parts.objects(branch, "branches", path):
        _branch(inner, where, names, maker, found, parts)


def _add(full: Json, path: str, names: dict[str, str], maker: str, found: dict[str, _Product], parts: Parts) -> None:
    identifier = parts.text(full, "product_id", path)
    if not identifier:
        parts.note("a product without an id", path)
        return
    helper = parts.object(full, "product_identification_helper", path)
    cpe, purl = _cpe(helper), _purl(helper)
    if helper.get("purl") and not purl:
        parts.note("not a purl (CSAF 6.1.13)", f"{path}/product_identification_helper/purl")
    if "hashes" in helper:
        _hashed(helper, path, parts)
    vendor, product, text = _names(names, parts.text(full, "name", path), cpe, purl)
    read = ranges.read(text, product, products.scheme_of(purl))
    stated = Affected(vendor or maker, product, text, read, cpe=cpe or None, purl=purl or None)
    if identifier in found:
        parts.note(_TWICE, f"{path}/product_id")
    found.setdefault(identifier, _Product(stated))


def _hashed(helper: Json, path: str, parts: Parts) -> None:
    """CSAF 2.0 6.1.25: one hash of a file by each algorithm."""
    for hashes, where in parts.objects(helper, "hashes", f"{path}/product_identification_helper"):
        found = [
            parts.text(each, "algorithm", inside).lower()
            for each, inside in parts.objects(hashes, "file_hashes", where)
        ]
        if len(set(found)) < len(found):
            parts.note("two hashes of one file by the same algorithm (CSAF 6.1.25)", f"{where}/file_hashes")


def _names(names: dict[str, str], full: str, cpe: str, purl: str) -> tuple[str, str, str]:
    """Vendor, product and versions as stated, from the branches; what they lack from CPE, purl or the full name."""
    vendor = names.get("vendor", "")
    product = next((names[name] for name in _NAMES if names.get(name)), "")
    text = " ".join(names[name] for name in (*_VERSIONS, *_DEEPER) if names.get(name))
    if product:
        shown = text.removeprefix(product).lstrip(" /") if text.startswith((product + " ", product + "/")) else text
        return vendor, product, shown
    packaged, listed = products.purl_parts(purl), products.cpe_parts(cpe)
    if packaged:
        name = packaged[1].rpartition("/")[2] if packaged[0] in _PLAIN_PACKAGES else packaged[1]
        return vendor, name, packaged[2]
    if listed and not text:
        return vendor or listed[0], listed[1], listed[2]
    if text:  # a version with no product above it: the name stands in its place
        return vendor, text, ""
    split = _SPLIT_NAME.match(full) if len(full) <= _LONGEST_NAME else None
    return (vendor, split[1], split[2].strip()) if split else (vendor, full, "")


def _cpe(helper: Json) -> str:
    value = helper.get("cpe")
    return value if isinstance(value, str) and products.cpe_parts(value) else ""


def _purl(helper: Json) -> str:
    """CSAF 2.0 `purl`, CSAF 2.1 `purls`."""
    several = helper.get("purls")
    values = [helper.get("purl"), *(several if isinstance(several, list) else ())]
    return next((value for value in values if isinstance(value, str) and products.purl_parts(value)), "")


def _relate(tree: Json, found: dict[str, _Product], parts: Parts) -> None:
    """`A as a component of B`: A is what is affected; B too, when A is a part of it. Either may be such a pair."""
    waiting: dict[str, _Relation] = {}
    for relation, path in parts.objects(tree, "relationships", "/product_tree"):
        full = parts.object(relation, "full_product_name", path)
        identifier = parts.text(full, "product_id", f"{path}/full_product_name")
        component = parts.text(relation, "product_reference", path)
        platform = parts.text(relation, "relates_to_product_reference", path)
        if not identifier:
            parts.note("a product without an id", path)
        elif identifier in found or identifier in waiting:
            parts.note(_TWICE, f"{path}/full_product_name/product_id")
        else:
            part = relation.get("category") in _COMPONENT
            waiting[identifier] = _Relation(component, platform, part, path)
    _join(waiting, found)
    defined = found.keys() | waiting.keys()
    for each in waiting.values():
        circular = each.component in defined and each.platform in defined
        parts.note(_CIRCULAR if circular else NO_PRODUCT, each.path)


def _join(waiting: dict[str, _Relation], found: dict[str, _Product]) -> None:
    """Relations whose products are known become products, until there are none."""
    for _ in range(_DEEPEST):
        before = len(waiting)
        for identifier, each in list(waiting.items()):
            if each.component in found and each.platform in found:
                found[identifier] = _Product(found[each.component].stated, each.platform if each.part else "")
                del waiting[identifier]
        if not waiting or len(waiting) == before:
            break
