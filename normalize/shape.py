"""The structural gate for STIX 2.1: is this an object that the rest of the house can rely on?

A hand-written table of what each type requires (STIX 2.1 parts 3-7), checked with precompiled expressions in a few
microseconds an object. A required property that is missing or malformed, or a marking that cannot be read, costs
the object; a malformed optional property costs only itself. Custom types, `x_` properties and extensions pass (the
guard strips what is not allowed), within the limits on size and depth.
"""

import functools
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from normalize import Problem

MAX_OBJECTS = 250_000
MAX_DEPTH = 24
MAX_STRING = 2_000_000
MAX_ITEMS = 100_000
"""Elements of one list, or properties of one object."""

Check = Callable[[Any], bool] | type
"""A test, or simply the type that a value has to be of."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TYPE = re.compile(r"[a-z][a-z0-9-]{1,248}[a-z0-9]")
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
    return type(value) is str and _is_time(value)


@functools.lru_cache(maxsize=1 << 14)  # an object often has the same time thrice, and a feed the same for all
def _is_time(value: str) -> bool:
    if len(value) > 64 or _TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_id(value: Any) -> bool:
    """`type--uuid` (STIX 2.1 2.9); real feeds use UUIDs of no known version, and upper case."""
    return _kind_of(value) is not None


def _kind_of(value: Any) -> str | None:
    """The type in an id; None: it is no id."""
    if type(value) is not str:
        return None
    kind, _, rest = value.partition("--")
    if _UUID.fullmatch(rest) is None or (kind not in REQUIRED and _TYPE.fullmatch(kind) is None):
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
    return type(value) is list and None not in map(_kind_of, value)


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
        kind = _kind_of(value)
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
_KNOWN = frozenset(CHECKS) | {"type", "spec_version", "objects"}
_VITAL = frozenset(("object_marking_refs", "granular_markings", "revoked"))
"""What may not be left out when it is malformed: it says who may see the object, or that it is void."""


def admit(obj: Any, path: str, problems: list[Problem], *, small: bool = False) -> bool:
    """Can this object go on? Malformed optional properties are taken out of it; what is wrong joins `problems`.

    `path` is the object's JSON Pointer; `small`: its document is no larger than one string may be. Some
    microseconds for an object of ten properties.
    """
    if type(obj) is not dict:
        problems.append(Problem("shape", "not a JSON object", path))
        return False
    kind = obj.get("type")
    if type(kind) is not str or _TYPE.fullmatch(kind) is None:
        problems.append(Problem("shape", "no type, or one that is not a STIX type name", f"{path}/type"))
        return False
    required = REQUIRED.get(kind)
    identifier = obj.get("id")
    if _kind_of(identifier) != kind:
        reason = "no id" if identifier is None else "an id that is not `type--uuid` of its own type"
        problems.append(Problem("shape", reason, f"{path}/id"))
        return False
    for name in required or ():
        if name not in obj:
            problems.append(Problem("shape", "a required property is missing", f"{path}/{name}"))
            return False
    if (one_of := ONE_OF.get(kind)) and not any(name in obj for name in one_of):
        reason = f"one of {', '.join(one_of)} is required"
        problems.append(Problem("shape", reason, path))
        return False
    return _properties(obj, path, problems, required, small=small)


def _properties(
    obj: dict[str, Any], path: str, problems: list[Problem], required: tuple[str, ...] | None, *, small: bool
) -> bool:
    if len(obj) > MAX_ITEMS:
        problems.append(Problem("shape", f"more than {MAX_ITEMS} properties", path))
        return False
    check_of = (COMMON if required is None else CHECKS).get
    malformed: list[str] = []
    for name, value in obj.items():
        check = check_of(name)
        kind = type(value)
        if check is not None and not (kind is check if type(check) is type else check(value)):
            if name in _VITAL or name in (required or ()):
                problems.append(Problem("shape", "malformed", f"{path}/{name}"))
                return False
            malformed.append(name)
        if kind is str:
            fits = small or len(value) <= MAX_STRING
        else:
            fits = (kind is not dict and kind is not list) or _within(value, MAX_DEPTH)
        if not fits:
            where = f"{path}/{name if name in _KNOWN else '*'}"
            problems.append(Problem("shape", "longer, larger or nested deeper than is read", where))
            return False
    for name in malformed:
        problems.append(Problem("shape", "malformed; the object goes on without it", f"{path}/{name}"))
        del obj[name]
    if "modified" in obj and "created" in obj and not _in_order(obj["created"], obj["modified"]):
        problems.append(Problem("shape", "modified before it was created", f"{path}/modified"))
        return False
    return True


def _in_order(created: Any, modified: Any) -> bool:
    """Times in UTC compare as text once the Z is gone, however many decimals they have."""
    if type(created) is not str or type(modified) is not str or created == modified:
        return True
    return created.rstrip("Z") <= modified.rstrip("Z") or _first_second(created) == _first_second(modified)


def _first_second(moment: str) -> str:
    return moment[:19]


def _within(value: Any, depth: int) -> bool:
    """Is it nested no deeper than that, and no part larger than is read?"""
    if depth == 0 or len(value) > MAX_ITEMS:
        return False
    for part in value.values() if type(value) is dict else value:
        kind = type(part)
        if kind is str:
            if len(part) > MAX_STRING:
                return False
        elif (kind is dict or kind is list) and not _within(part, depth - 1):
            return False
    return True
