"""What each MISP attribute type is here: an observable, a rule, words, a fact, or nothing we have a use for.

One word a type, with what it needs behind a colon. `tests/normalize/test_misp.py` holds the table against pymisp's
describeTypes.json, so that a type MISP adds is a decision here and not an accident.

    hash:ALGORITHM   file   file+hash:ALGORITHM   certificate:ALGORITHM   of files and certificates
    ip  ip+port  domain  domain+port  domain+ip  url  email  as  mac      addresses
    regkey  regkey+value  mutex  subject                                  what else STIX has an object for
    rule:LANGUAGE    a detection rule, an indicator by itself
    cve  cpe         vulnerabilities and products
    threat-actor  campaign  malware                                       names that stand as attributes
    prose  reference                                                      words, and addresses with more about it
    technical        no STIX object; a value to look for all the same (user agents, JA3, wallets)
    personal         of persons: never read, whatever the event says
    nothing          numbers, flags and raw data that say nothing by themselves
"""

from collections.abc import Mapping

_HASHES = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "sha3-224": "SHA3-224",
    "sha3-256": "SHA3-256",
    "sha3-384": "SHA3-384",
    "sha3-512": "SHA3-512",
    "ssdeep": "SSDEEP",
    "tlsh": "TLSH",
    "imphash": "IMPHASH",
    "vhash": "VHASH",
    "authentihash": "AUTHENTIHASH",
}
_OTHER_HASHES = ("sha512/224", "sha512/256", "impfuzzy", "pehash")
"""Digests that no STIX algorithm name stands for."""


def _are(way: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), way)


WAYS: Mapping[str, str] = {
    **{name: f"hash:{algorithm}" for name, algorithm in _HASHES.items()},
    **{f"filename|{name}": f"file+hash:{algorithm}" for name, algorithm in _HASHES.items()},
    **_are("technical", " ".join((*_OTHER_HASHES, "cdhash telfhash"))),
    **{f"filename|{name}": "file" for name in _OTHER_HASHES},
    **_are("file", "filename email-attachment"),
    "malware-sample": "file+hash:MD5",
    "x509-fingerprint-md5": "certificate:MD5",
    "x509-fingerprint-sha1": "certificate:SHA-1",
    "x509-fingerprint-sha256": "certificate:SHA-256",
    **_are("ip", "ip-src ip-dst"),
    **_are("ip+port", "ip-src|port ip-dst|port"),
    **_are("domain", "domain hostname onion-address"),
    "hostname|port": "domain+port",
    "domain|ip": "domain+ip",
    **_are("url", "url uri"),
    **_are("email", "email email-src email-dst email-reply-to target-email whois-registrant-email dns-soa-email"),
    "AS": "as",
    "mac-address": "mac",
    "regkey": "regkey",
    "regkey|value": "regkey+value",
    "mutex": "mutex",
    "email-subject": "subject",
    **{name: f"rule:{name}" for name in ("yara", "snort", "suricata", "sigma")},
    "stix2-pattern": "rule:stix",
    "vulnerability": "cve",
    "cpe": "cpe",
    "threat-actor": "threat-actor",
    "campaign-name": "campaign",
    "malware-type": "malware",
    **_are("prose", "text comment other"),
    "link": "reference",
    **_are(
        "technical",
        "user-agent ja3-fingerprint-md5 jarm-fingerprint favicon-mmh3 hassh-md5 hasshserver-md5 ssh-fingerprint "
        "community-id dom-hash pdb windows-scheduled-task windows-service-name windows-service-displayname "
        "btc dash xmr mobile-application-id azure-application-id chrome-extension-id edge-extension-id "
        "email-x-mailer git-commit-id",
    ),
    "named pipe": "technical",
    **_are(
        "personal",
        "target-user target-machine target-org target-location target-external eppn "
        "whois-registrant-phone whois-registrant-name whois-registrant-org phone-number "
        "email-dst-display-name email-src-display-name email-body email-header email-message-id email-thread-index "
        "email-mime-boundary dkim dkim-signature cookie identity-card-number pgp-public-key pgp-private-key "
        "iban bic bank-account-nr aba-rtn bin cc-number prtn github-username github-repository github-organisation "
        "jabber-id twitter-id first-name middle-name last-name full-name date-of-birth place-of-birth gender "
        "passport-number passport-country passport-expiration redress-number nationality visa-number "
        "issue-date-of-the-visa primary-residence country-of-residence special-service-request "
        "frequent-flyer-number travel-details payment-details place-port-of-original-embarkation "
        "place-port-of-clearance place-port-of-onward-foreign-destination passenger-name-record-locator-number "
        "mac-eui-64 anonymised",
    ),
    **_are(
        "nothing",
        "float counter integer boolean datetime size-in-bytes port hex uuid mime-type http-method process-state "
        "pattern-in-file pattern-in-traffic pattern-in-memory filename-pattern bro zeek gene kusto-query weakness "
        "attachment whois-registrar whois-creation-date campaign-id cortex",
    ),
}
"""Attribute type -> what it is here. A type that does not stand here is refused by itself."""

VICTIM: Mapping[str, str] = {
    "email-dst": "email:recipient",
    "target-email": "victim:target-email",
    "whois-registrant-email": "victim:whois-registrant-email",
    "dns-soa-email": "victim:dns-soa-email",
}
"""Types whose values are of somebody who may have nothing to do with the attack: the guard's evidence for that."""

PERSONAL_OBJECTS = frozenset(
    _are(
        "left out",
        "person persnona personification employee identity fbi-most-wanted interpol-notice facial-composite "
        "tattoo credential contact-list transport-ticket postal-address legal-entity organization phone "
        "phone-number short-message-service chat-message instant-message instant-message-group bank-account "
        "credit-card leaked-document user-account google-account github-user gitlab-user keybase-account "
        "telegram-account twitter-account twitter-post facebook-account facebook-post facebook-reaction "
        "instagram-account parler-account parler-comment parler-post reddit-account reddit-comment "
        "reddit-post microblog social-media-group vehicle geolocation gpx geojson image exif mfa-auth "
        "tsk-chats tsk-web-bookmark tsk-web-cookie tsk-web-history tsk-web-search-query cookie",
    )
)
"""Object templates about persons and their accounts: nothing of them is read."""
FILES = frozenset({"file", "pe", "elf", "macho", "lnk", "apk"})
"""Objects whose names and hashes are all of one file."""
SECTIONS = frozenset({"pe-section", "elf-section", "macho-section", "authenticode-signerinfo"})
"""Their hashes are of parts of files: as hashes of files they would never be found, or be found wrongly."""
PROSE_RELATIONS = frozenset({"description", "summary", "comment", "text", "signature"})
"""What of an object's text fields is for people; the others are states, dates and names that say little alone."""
CONNECTIONS = frozenset({"network-connection", "network-socket", "network-traffic", "netflow", "http-request"})
"""Objects whose source is whoever called: the victim, when the other end is an attacker's."""
RELATIONS = frozenset(
    _are(
        "known",
        "analysis-of attributed-to authored-by based-on beacons-to characterizes communicates-with "
        "compromises connected-to consists-of contains controls delivers derived-from detected-as "
        "downloaded-from downloads dropped-by drops duplicate-of executed-by executes exfiltrates-to exploits "
        "extracted-from has header-of hosts impersonates included-in includes indicates located-at "
        "originates-from owns resolved-to targets uses variant-of written-by",
    )
)
"""Names of relations, of STIX 2.1 and of MISP's objects."""
