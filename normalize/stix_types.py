"""What STIX 2.1 requires of each type, and what each property has to be (parts 3-7), as a hand-written table.

Looser than the specification only where real feeds are: UUIDs of no known version, references to types of their own.
"""

import functools
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

Check = Callable[[Any], bool] | type
"""A test, or simply the type that a value has to be of."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TYPE_NAME = re.compile(r"[a-z][a-z0-9-]{1,248}[a-z0-9]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")


_COMMON = ("id", "created", "modified")
_TIMED = ("first_observed", "last_observed", "number_observed")
REQUIRED: dict[str, tuple[str, ...]] = {
    # Domain objects (part 4).
    "attack-pattern": (*_COMMON, "name"),
    "campaign": (*_COMMON, "name"),
    "course-of-action": (*_COMMON, "name"),
    "grouping": (*_COMMON, "context", "object_refs"),
    "identity": (*_COMMON, "name"),
    "incident": (*_COMMON, "name"),
    "indicator": (*_COMMON, "pattern", "pattern_type", "valid_from"),
    "infrastructure": (*_COMMON, "name"),
    "intrusion-set": (*_COMMON, "name"),
    "location": _COMMON,
    "malware": (*_COMMON, "is_family"),
    "malware-analysis": (*_COMMON, "product"),
    "note": (*_COMMON, "content", "object_refs"),
    "observed-data": (*_COMMON, *_TIMED),
    "opinion": (*_COMMON, "opinion", "object_refs"),
    "report": (*_COMMON, "name", "published", "object_refs"),
    "threat-actor": (*_COMMON, "name"),
    "tool": (*_COMMON, "name"),
    "vulnerability": (*_COMMON, "name"),
    # Relationships (part 5).
    "relationship": (*_COMMON, "relationship_type", "source_ref", "target_ref"),
    "sighting": (*_COMMON, "sighting_of_ref"),
    # Observables (part 6).
    "artifact": ("id",),
    "autonomous-system": ("id", "number"),
    "directory": ("id", "path"),
    "domain-name": ("id", "value"),
    "email-addr": ("id", "value"),
    "email-message": ("id", "is_multipart"),
    "file": ("id",),
    "ipv4-addr": ("id", "value"),
    "ipv6-addr": ("id", "value"),
    "mac-addr": ("id", "value"),
    "mutex": ("id", "name"),
    "network-traffic": ("id", "protocols"),
    "process": ("id",),
    "software": ("id", "name"),
    "url": ("id", "value"),
    "user-account": ("id",),
    "windows-registry-key": ("id",),
    "x509-certificate": ("id",),
    # Meta objects (part 7).
    "extension-definition": (*_COMMON, "name", "schema", "version", "extension_types"),
    "language-content": (*_COMMON, "object_ref", "contents"),
    "marking-definition": ("id", "created"),
}
ONE_OF: dict[str, tuple[str, ...]] = {
    "artifact": ("payload_bin", "url", "hashes"),
    "file": ("hashes", "name"),
    "location": ("region", "country", "latitude"),
    "malware-analysis": ("result", "analysis_sco_refs", "sample_ref"),
    "marking-definition": ("definition", "extensions", "name"),
    "network-traffic": ("src_ref", "dst_ref"),
    "observed-data": ("object_refs", "objects"),
}
"""At least one of these has to be there."""

OBSERVABLES = frozenset(
    (
        *("artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file"),
        *("ipv4-addr", "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process", "software", "url"),
        *("user-account", "windows-registry-key", "x509-certificate"),
    )
)


def is_time(value: Any) -> bool:
    """An RFC 3339 time in UTC that exists (STIX 2.1 2.18)."""
    return type(value) is str and time_exists(value)


@functools.lru_cache(maxsize=1 << 14)  # an object often has the same time thrice, and a feed the same for all
def time_exists(value: str) -> bool:
    """The same of a text."""
    if len(value) > 64 or _TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_id(value: Any) -> bool:
    """`type--uuid` (STIX 2.1 2.9); real feeds use UUIDs of no known version, and upper case."""
    return kind_of(value) is not None


def kind_of(value: Any) -> str | None:
    """The type in an id; None: it is no id."""
    if type(value) is not str:
        return None
    kind, _, rest = value.partition("--")
    if _UUID.fullmatch(rest) is None or (kind not in REQUIRED and TYPE_NAME.fullmatch(kind) is None):
        return None
    return kind


def _name(value: Any) -> bool:
    return type(value) is str and value != ""


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _port(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 65535


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _percent(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 100


def _texts(value: Any) -> bool:
    return type(value) is list and all(type(part) is str for part in value)


def _ids(value: Any) -> bool:
    return type(value) is list and None not in map(kind_of, value)


def _some_ids(value: Any) -> bool:
    return _ids(value) and bool(value)


def _tables(value: Any) -> bool:
    return type(value) is list and all(type(part) is dict for part in value)


def _hashes(value: Any) -> bool:
    return type(value) is dict and all(type(part) is str for part in value.values())


def _external(value: Any) -> bool:
    return _tables(value) and all(_name(part.get("source_name")) for part in value)


def _phases(value: Any) -> bool:
    return _tables(value) and all(_name(p.get("kill_chain_name")) and _name(p.get("phase_name")) for p in value)


def _granular(value: Any) -> bool:
    return _tables(value) and all(
        _texts(part.get("selectors")) and (is_id(part.get("marking_ref")) or _name(part.get("lang"))) for part in value
    )


def _hex(value: Any) -> bool:
    return type(value) is str and _HEX.fullmatch(value) is not None


def _to(*types: str) -> Callable[[Any], bool]:
    """A reference to one of these types, or (for feeds' own types) to a custom one."""
    allowed = frozenset(types)

    def check(value: Any) -> bool:
        kind = kind_of(value)
        return kind is not None and (kind in allowed or kind not in REQUIRED)

    return check


def _all_to(*types: str) -> Check:
    one = _to(*types)

    def check(value: Any) -> bool:
        return type(value) is list and all(one(part) for part in value)

    return check


_ENDS = _to(*(name for name in REQUIRED if name not in ("relationship", "marking-definition", "language-content")))
_ADDRESSES = ("ipv4-addr", "ipv6-addr", "mac-addr", "domain-name")


def _each(check: Check, *names: str) -> dict[str, Check]:
    return dict.fromkeys(names, check)


COMMON: dict[str, Check] = {
    **_each(is_time, "created", "modified"),
    **_each(_texts, "labels"),
    **_each(_to("identity"), "created_by_ref"),
    **_each(_all_to("marking-definition"), "object_marking_refs"),
    **_each(_granular, "granular_markings"),
    **_each(_external, "external_references"),
    **_each(dict, "extensions"),
    **_each(bool, "revoked", "defanged"),
    **_each(_percent, "confidence"),
    **_each(str, "lang"),
}
"""Properties that mean the same in every type, custom ones included (STIX 2.1 3.2)."""

CHECKS: dict[str, Check] = {
    **COMMON,
    **_each(_name, "name", "value", "pattern", "pattern_type", "relationship_type", "context", "content", "product"),
    **_each(_name, "path", "opinion", "schema"),
    **_each(str, "description", "abstract", "explanation", "identity_class", "contact_information", "goal"),
    **_each(str, "pattern_version", "objective", "sophistication", "resource_level", "primary_motivation"),
    **_each(str, "tool_version", "version", "definition_type", "region", "country", "administrative_area", "city"),
    **_each(str, "street_address", "postal_code", "subject", "message_id", "content_type", "body", "mime_type"),
    **_each(str, "payload_bin", "url", "encryption_algorithm", "decryption_key", "path_enc", "name_enc", "key"),
    **_each(str, "display_name", "rir", "command_line", "cwd", "cpe", "swid", "vendor", "user_id", "credential"),
    **_each(str, "account_login", "account_type", "serial_number", "issuer", "signature_algorithm", "result"),
    **_each(
        str, "subject_public_key_algorithm", "subject_public_key_modulus", "result_name", "analysis_engine_version"
    ),
    **_each(bool, "is_family", "is_multipart", "is_active", "is_hidden", "is_self_signed", "is_service_account"),
    **_each(bool, "is_privileged", "can_escalate_privs", "is_disabled", "summary"),
    **_each(_count, "number", "number_observed", "count", "size", "pid", "number_of_subkeys", "src_byte_count"),
    **_each(_count, "dst_byte_count", "src_packets", "dst_packets", "subject_public_key_exponent"),
    **_each(_port, "src_port", "dst_port"),
    **_each(_number, "latitude", "longitude", "precision"),
    **_each(_hex, "magic_number_hex"),
    **_each(_hashes, "hashes"),
    **_each(_phases, "kill_chain_phases"),
    **_each(dict, "contents", "definition", "environment_variables", "ipfix", "x509_v3_extensions"),
    **_each(dict, "additional_header_fields"),
    **_each(_tables, "body_multipart", "values"),
    **_each(_texts, "aliases", "goals", "roles", "sectors", "secondary_motivations", "personal_motivations"),
    **_each(_texts, "threat_actor_types", "malware_types", "indicator_types", "infrastructure_types", "report_types"),
    **_each(_texts, "tool_types", "capabilities", "architecture_execution_envs", "implementation_languages"),
    **_each(_texts, "authors", "modules", "protocols", "received_lines", "languages", "extension_types"),
    **_each(is_time, "published", "first_seen", "last_seen", "first_observed", "last_observed", "valid_from"),
    **_each(is_time, "valid_until", "submitted", "analysis_started", "analysis_ended", "ctime", "mtime", "atime"),
    **_each(is_time, "start", "end", "date", "created_time", "modified_time", "account_created", "account_expires"),
    **_each(is_time, "credential_last_changed", "account_first_login", "account_last_login"),
    **_each(is_time, "validity_not_before", "validity_not_after"),
    **_each(_ENDS, "source_ref", "target_ref", "sighting_of_ref"),
    **_each(_all_to("observed-data"), "observed_data_refs"),
    **_each(_all_to("identity", "location"), "where_sighted_refs"),
    **_each(_all_to(*OBSERVABLES), "analysis_sco_refs", "contains_refs", "opened_connection_refs", "encapsulates_refs"),
    **_each(_all_to("file", "artifact"), "sample_refs"),
    **_each(_all_to("software"), "operating_system_refs", "installed_software_refs"),
    **_each(_all_to(*_ADDRESSES, "autonomous-system"), "resolves_to_refs", "belongs_to_refs"),
    **_each(_all_to("email-addr"), "to_refs", "cc_refs", "bcc_refs"),
    **_each(_all_to("process"), "child_refs"),
    **_each(_to("email-addr"), "from_ref", "sender_ref"),
    **_each(_to("artifact", "file"), "raw_email_ref", "content_ref", "image_ref", "sample_ref"),
    **_each(_to("artifact"), "src_payload_ref", "dst_payload_ref"),
    **_each(_to("software"), "host_vm_ref", "operating_system_ref"),
    **_each(_to("directory"), "parent_directory_ref"),
    **_each(_to("user-account"), "creator_user_ref", "belongs_to_ref"),
    **_each(_to("process"), "parent_ref"),
    **_each(_to("network-traffic"), "encapsulated_by_ref"),
    **_each(_to(*_ADDRESSES), "src_ref", "dst_ref"),
    **_each(_some_ids, "object_refs"),
    **_each(is_id, "object_ref"),
}

OF_TEXT: dict[Check, Callable[[str], bool]] = {is_time: time_exists, _name: bool}
"""Checks whose value is known to be text: what is left to ask."""
