"""Every property of STIX 2.1, and how the guard treats it. What does not stand here is unknown, and goes.

A table for each object type: property -> Treatment. The words are defined by `pii_guard.redact`:

    id type       identifiers           ref refs     references to objects   markings  references to markings
    language      tag of a language
    plain         numbers, true/false   time         a timestamp             hashes    algorithm -> digest
    word words    vocabulary, tokens    term terms   short names, scanned    prose     free text, scanned or dropped
    title         text that has to be   url          a reference             url-sco   an observable
    file-path     may hold user names   pattern      rewritten by its tree   version   four numbers are no address
    list-of:X     each element by X     contents     translations            account   a user's name
    never:CATEGORY  never kept: that it was there is all that stays          list:NAME, table:NAME  nested

Source: STIX 2.1 sections 3.2, 4 to 7, 10 and 11.
"""

from collections.abc import Mapping

from pii_guard import Category

Treatment = str
Table = Mapping[str, Treatment]

COMMON: Table = {
    "type": "type",
    "spec_version": "word",
    "id": "id",
    "created_by_ref": "ref",
    "created": "time",
    "modified": "time",
    "revoked": "plain",
    "labels": "words",
    "confidence": "plain",
    "lang": "language",
    "external_references": "list:external-reference",
    "object_marking_refs": "markings",
    "granular_markings": "granular",
    "extensions": "extensions",
    # MITRE ATT&CK, as published (its contributors are persons).
    "x_mitre_version": "word",
    "x_mitre_attack_spec_version": "word",
    "x_mitre_domains": "words",
    "x_mitre_platforms": "words",
    "x_mitre_deprecated": "plain",
    "x_mitre_modified_by_ref": "ref",
    "x_mitre_data_sources": "words",
    "x_mitre_aliases": "terms",
    "x_mitre_detection": "prose",
    "x_mitre_is_subtechnique": "plain",
    "x_mitre_permissions_required": "words",
    "x_mitre_tactic_type": "words",
    "x_mitre_contributors": "never:name",
    "x_mitre_old_attack_id": "word",
}
OBSERVED: Table = {
    "type": "type",
    "spec_version": "word",
    "id": "id",
    "object_marking_refs": "markings",
    "granular_markings": "granular",
    "defanged": "plain",
    "extensions": "extensions",
}

_NAMED: Table = {"name": "term", "description": "prose"}
_TITLED: Table = {"name": "title", "description": "prose"}
_SEEN: Table = {"first_seen": "time", "last_seen": "time"}
_CHAIN: Table = {"kill_chain_phases": "list:kill-chain-phase"}
_ACTOR: Table = {
    "aliases": "terms",
    "goals": "list-of:prose",
    "resource_level": "word",
    "primary_motivation": "word",
    "secondary_motivations": "words",
}
_FILE_TIMES: Table = {"ctime": "time", "mtime": "time", "atime": "time"}

OBJECTS: Mapping[str, Table] = {
    "attack-pattern": {**_NAMED, **_CHAIN, "aliases": "terms"},
    "campaign": {**_NAMED, **_SEEN, "aliases": "terms", "objective": "prose"},
    "course-of-action": {**_NAMED, "action_type": "word", "os_execution_envs": "words"},
    "grouping": {**_TITLED, "context": "word", "object_refs": "refs"},
    "identity": {
        **_NAMED,
        "roles": "words",
        "identity_class": "word",
        "sectors": "words",
        "contact_information": "never:address",
    },
    "incident": _TITLED,
    "indicator": {
        **_TITLED,
        **_CHAIN,
        "indicator_types": "words",
        "pattern": "pattern",
        "pattern_type": "word",
        "pattern_version": "word",
        "valid_from": "time",
        "valid_until": "time",
    },
    "infrastructure": {**_TITLED, **_CHAIN, **_SEEN, "infrastructure_types": "words", "aliases": "terms"},
    "intrusion-set": {**_NAMED, **_SEEN, **_ACTOR},
    "location": {
        "name": "term",
        "description": "prose",
        "latitude": "never:address",
        "longitude": "never:address",
        "precision": "never:address",
        "street_address": "never:address",
        "postal_code": "never:address",
        "city": "term",
        "administrative_area": "term",
        "country": "word",
        "region": "word",
    },
    "malware": {
        **_NAMED,
        **_CHAIN,
        **_SEEN,
        "malware_types": "words",
        "is_family": "plain",
        "aliases": "terms",
        "operating_system_refs": "refs",
        "architecture_execution_envs": "words",
        "implementation_languages": "words",
        "capabilities": "words",
        "sample_refs": "refs",
    },
    "malware-analysis": {
        "product": "term",
        "version": "version",
        "host_vm_ref": "ref",
        "operating_system_ref": "ref",
        "installed_software_refs": "refs",
        "configuration_version": "version",
        "modules": "terms",
        "analysis_engine_version": "version",
        "analysis_definition_version": "version",
        "submitted": "time",
        "analysis_started": "time",
        "analysis_ended": "time",
        "result_name": "term",
        "result": "word",
        "analysis_sco_refs": "refs",
        "sample_ref": "ref",
    },
    "note": {"abstract": "prose", "content": "prose", "authors": "never:name", "object_refs": "refs"},
    "observed-data": {
        "first_observed": "time",
        "last_observed": "time",
        "number_observed": "plain",
        "object_refs": "refs",
    },
    "opinion": {"explanation": "prose", "authors": "never:name", "opinion": "word", "object_refs": "refs"},
    "report": {**_TITLED, "report_types": "words", "published": "time", "object_refs": "refs"},
    "threat-actor": {
        **_NAMED,
        **_SEEN,
        **_ACTOR,
        "threat_actor_types": "words",
        "roles": "words",
        "sophistication": "word",
        "personal_motivations": "words",
    },
    "tool": {**_NAMED, **_CHAIN, "tool_types": "words", "aliases": "terms", "tool_version": "version"},
    "vulnerability": _NAMED,
    "relationship": {
        "relationship_type": "word",
        "description": "prose",
        "source_ref": "ref",
        "target_ref": "ref",
        "start_time": "time",
        "stop_time": "time",
    },
    "sighting": {
        **_SEEN,
        "description": "prose",
        "count": "plain",
        "sighting_of_ref": "ref",
        "observed_data_refs": "refs",
        "where_sighted_refs": "refs",
        "summary": "plain",
    },
    "language-content": {"object_ref": "ref", "object_modified": "time", "contents": "contents"},
    "marking-definition": {"name": "term", "definition_type": "word", "definition": "table:definition"},
    "extension-definition": {
        **_NAMED,
        "schema": "url",
        "version": "version",
        "extension_types": "words",
        "extension_properties": "words",
    },
}
"""SDOs, SROs and meta objects, without COMMON."""

OBSERVABLES: Mapping[str, Table] = {
    "artifact": {
        "mime_type": "word",
        "payload_bin": "never:free-text",
        "url": "url-sco",
        "hashes": "hashes",
        "encryption_algorithm": "word",
        "decryption_key": "never:credential",
    },
    "autonomous-system": {"number": "plain", "name": "term", "rir": "word"},
    "directory": {
        **_FILE_TIMES,
        "path": "file-path",
        "path_enc": "word",
        "contains_refs": "refs",
    },
    "domain-name": {"value": "domain", "resolves_to_refs": "refs"},
    "email-addr": {"value": "address:email", "display_name": "never:name", "belongs_to_ref": "ref"},
    "email-message": {
        "is_multipart": "plain",
        "date": "time",
        "content_type": "word",
        "from_ref": "ref",
        "sender_ref": "ref",
        "to_refs": "refs",
        "cc_refs": "refs",
        "bcc_refs": "refs",
        "message_id": "never:device",
        "subject": "prose",
        "received_lines": "never:device",
        "additional_header_fields": "never:free-text",
        "body": "never:free-text",
        "body_multipart": "never:free-text",
        "raw_email_ref": "ref",
    },
    "file": {
        **_FILE_TIMES,
        "hashes": "hashes",
        "size": "plain",
        "name": "file-path",
        "name_enc": "word",
        "magic_number_hex": "hex",
        "mime_type": "word",
        "parent_directory_ref": "ref",
        "contains_refs": "refs",
        "content_ref": "ref",
    },
    "ipv4-addr": {"value": "address:ipv4", "resolves_to_refs": "refs", "belongs_to_refs": "refs"},
    "ipv6-addr": {"value": "address:ipv6", "resolves_to_refs": "refs", "belongs_to_refs": "refs"},
    "mac-addr": {"value": "address:mac"},
    "mutex": {"name": "term"},
    "network-traffic": {
        "start": "time",
        "end": "time",
        "is_active": "plain",
        "src_ref": "ref",
        "dst_ref": "ref",
        "src_port": "plain",
        "dst_port": "plain",
        "protocols": "words",
        "src_byte_count": "plain",
        "dst_byte_count": "plain",
        "src_packets": "plain",
        "dst_packets": "plain",
        "ipfix": "never:device",
        "src_payload_ref": "ref",
        "dst_payload_ref": "ref",
        "encapsulates_refs": "refs",
        "encapsulated_by_ref": "ref",
    },
    "process": {
        "is_hidden": "plain",
        "pid": "plain",
        "created_time": "time",
        "cwd": "file-path",
        "command_line": "prose",
        "environment_variables": "never:device",
        "opened_connection_refs": "refs",
        "creator_user_ref": "ref",
        "image_ref": "ref",
        "parent_ref": "ref",
        "child_refs": "refs",
    },
    "software": {
        "name": "term",
        "cpe": "version",
        "swid": "version",
        "languages": "words",
        "vendor": "term",
        "version": "version",
    },
    "url": {"value": "url-sco"},
    "user-account": {
        "user_id": "account",
        "credential": "never:credential",
        "account_login": "account",
        "account_type": "word",
        "display_name": "never:name",
        "is_service_account": "plain",
        "is_privileged": "plain",
        "can_escalate_privs": "plain",
        "is_disabled": "plain",
        "account_created": "time",
        "account_expires": "time",
        "credential_last_changed": "time",
        "account_first_login": "time",
        "account_last_login": "time",
    },
    "windows-registry-key": {
        "key": "registry-key",
        "values": "list:registry-value",
        "modified_time": "time",
        "creator_user_ref": "ref",
        "number_of_subkeys": "plain",
    },
    "x509-certificate": {
        "is_self_signed": "plain",
        "hashes": "hashes",
        "version": "word",
        "serial_number": "hex",
        "signature_algorithm": "word",
        "issuer": "never:name",
        "validity_not_before": "time",
        "validity_not_after": "time",
        "subject": "never:name",
        "subject_public_key_algorithm": "word",
        "subject_public_key_modulus": "hex",
        "subject_public_key_exponent": "plain",
        "x509_v3_extensions": "never:name",
    },
}
"""SCOs, without OBSERVED."""

PROPERTIES: Mapping[str, Table] = {
    **{kind: {**COMMON, **table} for kind, table in OBJECTS.items()},
    **{kind: {**OBSERVED, **table} for kind, table in OBSERVABLES.items()},
}
"""Every object type with all of its properties."""

_PE_NUMBERS = (
    "major_linker_version",
    "minor_linker_version",
    "size_of_code",
    "size_of_initialized_data",
    "size_of_uninitialized_data",
    "address_of_entry_point",
    "base_of_code",
    "base_of_data",
    "image_base",
    "section_alignment",
    "file_alignment",
    "major_os_version",
    "minor_os_version",
    "major_image_version",
    "minor_image_version",
    "major_subsystem_version",
    "minor_subsystem_version",
    "size_of_image",
    "size_of_headers",
    "size_of_stack_reserve",
    "size_of_stack_commit",
    "size_of_heap_reserve",
    "size_of_heap_commit",
    "number_of_rva_and_sizes",
)
NESTED: Mapping[str, Table] = {
    "external-reference": {
        "source_name": "term",
        "description": "prose",
        "url": "url",
        "hashes": "hashes",
        "external_id": "term",
    },
    "kill-chain-phase": {"kill_chain_name": "word", "phase_name": "word"},
    "definition": {"tlp": "word", "statement": "prose"},
    "registry-value": {"name": "file-path", "data": "registry-data", "data_type": "word"},
    "alternate-data-stream": {"name": "file-path", "hashes": "hashes", "size": "plain"},
    "pe-optional-header": dict.fromkeys(_PE_NUMBERS, "plain")
    | {
        "magic_hex": "hex",
        "subsystem_hex": "hex",
        "dll_characteristics_hex": "hex",
        "win32_version_value_hex": "hex",
        "checksum_hex": "hex",
        "loader_flags_hex": "hex",
        "hashes": "hashes",
    },
    "pe-section": {"name": "term", "size": "plain", "entropy": "plain", "hashes": "hashes"},
}

EXTENSIONS: Mapping[str, Table] = {
    "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {"extension_type": "word", "tlp_2_0": "word"},
    "archive-ext": {"contains_refs": "refs-inside", "comment": "prose"},
    "ntfs-ext": {"sid": "never:device", "alternate_data_streams": "list:alternate-data-stream"},
    "pdf-ext": {
        "version": "version",
        "is_optimized": "plain",
        "document_info_dict": "never:name",
        "pdfid0": "hex",
        "pdfid1": "hex",
    },
    "raster-image-ext": {
        "image_height": "plain",
        "image_width": "plain",
        "bits_per_pixel": "plain",
        "exif_tags": "never:device",
    },
    "windows-pebinary-ext": {
        "pe_type": "word",
        "imphash": "hex",
        "machine_hex": "hex",
        "number_of_sections": "plain",
        "time_date_stamp": "time",
        "pointer_to_symbol_table_hex": "hex",
        "number_of_symbols": "plain",
        "size_of_optional_header": "plain",
        "characteristics_hex": "hex",
        "file_header_hashes": "hashes",
        "optional_header": "table:pe-optional-header",
        "sections": "list:pe-section",
    },
    "http-request-ext": {
        "request_method": "word",
        "request_value": "never:url-personal",
        "request_version": "word",
        "request_header": "never:device",
        "message_body_length": "plain",
        "message_body_data_ref": "ref-inside",
    },
    "icmp-ext": {"icmp_type_hex": "hex", "icmp_code_hex": "hex"},
    "socket-ext": {
        "address_family": "word",
        "is_blocking": "plain",
        "is_listening": "plain",
        "options": "never:device",
        "socket_type": "word",
        "socket_descriptor": "plain",
        "socket_handle": "plain",
    },
    "tcp-ext": {"src_flags_hex": "hex", "dst_flags_hex": "hex"},
    "windows-process-ext": {
        "aslr_enabled": "plain",
        "dep_enabled": "plain",
        "priority": "word",
        "owner_sid": "never:device",
        "window_title": "prose",
        "startup_info": "never:device",
        "integrity_level": "word",
    },
    "windows-service-ext": {
        "service_name": "term",
        "descriptions": "list-of:prose",
        "display_name": "term",
        "group_name": "term",
        "start_type": "word",
        "service_dll_refs": "refs-inside",
        "service_type": "word",
        "service_status": "word",
    },
    "unix-account-ext": {
        "gid": "plain",
        "groups": "words",
        "home_dir": "file-path",
        "shell": "file-path",
    },
}
"""Extensions that are known; every other goes."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "attack-pattern": ("name",),
    "campaign": ("name",),
    "course-of-action": ("name",),
    "grouping": ("context", "object_refs"),
    "identity": ("name",),
    "incident": ("name",),
    "indicator": ("pattern", "pattern_type", "valid_from"),
    "infrastructure": ("name",),
    "intrusion-set": ("name",),
    "malware": ("is_family",),
    "malware-analysis": ("product",),
    "note": ("content", "object_refs"),
    "observed-data": ("first_observed", "last_observed", "number_observed", "object_refs"),
    "opinion": ("opinion", "object_refs"),
    "report": ("name", "published", "object_refs"),
    "threat-actor": ("name",),
    "tool": ("name",),
    "vulnerability": ("name",),
    "relationship": ("relationship_type", "source_ref", "target_ref"),
    "sighting": ("sighting_of_ref",),
    "language-content": ("object_ref", "contents"),
    "extension-definition": ("name", "schema", "version", "extension_types"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("is_multipart",),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": ("protocols",),
    "software": ("name",),
    "url": ("value",),
}
"""What an object cannot be without: when the guard takes it, the object goes."""

ANY_OF: Mapping[str, tuple[str, ...]] = {
    "artifact": ("url",),
    "file": ("hashes", "name"),
    "location": ("region", "country"),
    "malware-analysis": ("result", "analysis_sco_refs"),
    "network-traffic": ("src_ref", "dst_ref"),
    "user-account": ("user_id", "account_login"),
    "x509-certificate": ("hashes", "serial_number", "validity_not_before", "validity_not_after"),
    "marking-definition": ("definition", "extensions"),
    "process": (
        *("is_hidden", "pid", "created_time", "cwd", "command_line", "opened_connection_refs", "creator_user_ref"),
        *("image_ref", "parent_ref", "child_refs", "extensions"),
    ),
    "windows-registry-key": ("key", "values", "modified_time", "number_of_subkeys"),
}
"""An object of that type needs at least one of these."""

PERSONAL_TYPES = frozenset(
    (
        *("ipv4-addr", "ipv6-addr", "mac-addr", "email-addr", "email-message", "user-account", "url", "directory"),
        *("network-traffic", "process", "windows-registry-key", "x509-certificate", "artifact", "domain-name"),
    )
)
"""SCOs whose id, a UUIDv5 of their value, gives the value away: a reference to one that is not in the draft goes."""

CATEGORY_OF_TYPE: Mapping[str, Category] = {
    "ipv4-addr": "ipv4",
    "ipv6-addr": "ipv6",
    "mac-addr": "mac",
    "email-addr": "email",
    "email-message": "email",
    "user-account": "username",
}

PATTERN_NEVER: Mapping[tuple[str, str], Category] = {
    ("x509-certificate", "subject"): "name",
    ("x509-certificate", "issuer"): "name",
    ("user-account", "credential"): "credential",
    ("user-account", "display_name"): "name",
    ("email-addr", "display_name"): "name",
    ("artifact", "payload_bin"): "free-text",
    ("artifact", "decryption_key"): "credential",
    ("email-message", "body"): "free-text",
    ("email-message", "message_id"): "device",
    ("email-message", "received_lines"): "device",
    ("email-message", "additional_header_fields"): "free-text",
    ("process", "environment_variables"): "device",
}
"""(object type, first property) of a pattern's comparison that never stays."""
PATTERN_ACCOUNT = frozenset({("user-account", "user_id"), ("user-account", "account_login")})

_TABLES: tuple[Table, ...] = (*OBSERVABLES.values(), *NESTED.values(), *EXTENSIONS.values())
BENEATH = frozenset(
    (*EXTENSIONS, *(name for table in _TABLES for name in table), "body_raw_ref", "content_disposition")
) - {name for table in _TABLES for name, how in table.items() if how == "account" or how.startswith("never:")}
"""Names that may stand in a pattern behind the first step of a path (`from_ref.value`, `values[*].name`): those of
properties that are known, and that are nowhere stripped as such."""
