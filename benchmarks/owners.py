"""A row for owner look-ups: whose network is this address? Against the queries of IntelMQ's contact database.

The same 1.8 million networks lie in the index and in PostgreSQL. IntelMQ's package has the queries and not the tables:
those are made here, with the columns that the queries read and an index for each condition in them (the shipped
schema lacks the one on `organisation_to_network.network_id`, without which each look-up reads the whole table).
The processor's time is counted on both sides; theirs is that of client and server.
"""

import json
import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import peering
from benchmarks.holders import HOLDERS, PREFIXES, inside, networks
from benchmarks.measuring import row
from filtering.network import Networks, prefix

LOOKUPS = 500
ROUNDS = 2
_TABLES = """
CREATE TABLE organisation{0} (organisation{0}_id integer, name varchar(500) NOT NULL, sector_id integer,
    import_source varchar(500) NOT NULL DEFAULT 'bench');
CREATE TABLE contact{0} (organisation{0}_id integer NOT NULL, email varchar(100) NOT NULL);
CREATE TABLE network{0} (network{0}_id integer, address cidr NOT NULL);
CREATE TABLE organisation_to_network{0} (organisation{0}_id integer, network{0}_id integer);
CREATE TABLE organisation_to_asn{0} (organisation{0}_id integer, asn bigint);
CREATE TABLE fqdn{0} (fqdn{0}_id integer, fqdn text NOT NULL);
CREATE TABLE organisation_to_fqdn{0} (organisation{0}_id integer, fqdn{0}_id integer);
CREATE TABLE national_cert{0} (country_code character(2) NOT NULL, organisation{0}_id integer NOT NULL);
"""
_INDEXES = """
ALTER TABLE organisation{0} ADD PRIMARY KEY (organisation{0}_id);
ALTER TABLE network{0} ADD PRIMARY KEY (network{0}_id);
ALTER TABLE fqdn{0} ADD PRIMARY KEY (fqdn{0}_id);
ALTER TABLE organisation_to_network{0} ADD PRIMARY KEY (organisation{0}_id, network{0}_id);
ALTER TABLE organisation_to_asn{0} ADD PRIMARY KEY (organisation{0}_id, asn);
ALTER TABLE organisation_to_fqdn{0} ADD PRIMARY KEY (organisation{0}_id, fqdn{0}_id);
CREATE INDEX ON contact{0} (organisation{0}_id);
CREATE INDEX ON network{0} USING gist (address inet_ops);
CREATE INDEX ON organisation_to_network{0} (network{0}_id);
CREATE INDEX ON organisation_to_asn{0} (asn);
CREATE INDEX ON fqdn{0} (fqdn);
CREATE INDEX ON national_cert{0} (country_code);
"""
_SHARED = """
CREATE TABLE sector (sector_id integer PRIMARY KEY, name varchar(100) NOT NULL);
CREATE TABLE organisation_annotation (organisation_id integer NOT NULL, annotation jsonb NOT NULL);
CREATE TABLE autonomous_system_annotation (asn bigint NOT NULL, annotation jsonb NOT NULL);
CREATE TABLE network_annotation (network_id integer NOT NULL, annotation jsonb NOT NULL);
CREATE TABLE fqdn_annotation (fqdn_id integer NOT NULL, annotation jsonb NOT NULL);
CREATE TABLE email_status (email varchar(100) PRIMARY KEY, enabled boolean NOT NULL);
CREATE FUNCTION email_annotations(varchar) RETURNS jsonb LANGUAGE sql IMMUTABLE RETURN '[]'::jsonb;
"""
_SETTINGS = {
    "shared_buffers": "1GB",
    "maintenance_work_mem": "1GB",
    "jit": "off",
    "fsync": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def measure(
    held: Networks, first: int, holders: int = HOLDERS, prefixes: int = PREFIXES, lookups: int = LOOKUPS
) -> Iterator[dict[str, Any]]:
    """Look-ups/s of a processor, against client and server of IntelMQ's, which have the first network of each holder.

    `held`: what `holders.networks(holders, prefixes)` gives, of the numbers from `first` on. Raises PeerError.
    """
    python = peering.python()
    each = [mine[0] for mine in networks(holders, prefixes)]
    asked = [inside(text) for text in random.Random(7).sample(each, lookups)]
    with peering.postgresql(**_SETTINGS) as socket:
        load(socket, each)
        rounds = [(ours(held, asked), theirs(python, socket, asked)) for _ in range(ROUNDS)]
    (_, found), answer = rounds[0]
    assert [[name(number - first) for number in numbers] for numbers in found] == answer["found"]
    mine = min(spent for (spent, _), _ in rounds)
    other = min(answer["client"] + answer["server"] for _, answer in rounds)
    clock = lookups / min(answer["wall"] for _, answer in rounds)
    peer = f"IntelMQ's contact database, by the clock {clock:,.0f}"
    yield row(f"owner of an address, {holders:,} networks", lookups / mine, peer, lookups / other, 100, "look-ups/s")


def name(number: int) -> str:
    """What a holder is called on both sides."""
    return f"Voorbeeld {number} BV"


def ours(held: Networks, asked: Sequence[str]) -> tuple[float, list[list[int]]]:
    """Seconds of this process, and the holders of each address: one by one, each from its text."""
    started = time.process_time()
    found = [held.holders(where) for address in asked if (where := prefix(address))]
    return time.process_time() - started, found


def theirs(python: Path, socket: Path, asked: Sequence[str]) -> dict[str, Any]:
    """What `peers/contacts.py` says: seconds of client, server and clock, and the names of the organisations."""
    command: peering.Command = [python, "-W", "ignore", peering.SCRIPTS / "contacts.py", socket]
    said = subprocess.run(command, input="\n".join(asked), check=True, capture_output=True, text=True).stdout
    answer: dict[str, Any] = json.loads(said)
    return answer


def load(socket: Path, held: Sequence[str]) -> None:
    """Their tables, with an organisation, its contact and its network for each of these: in no order, as their index
    is then three times faster than in that of the addresses."""
    mixed = random.Random(7).sample(list(enumerate(held)), len(held))
    with closing(psycopg.connect(host=str(socket), user="oktt", dbname="postgres", autocommit=True)) as connection:
        connection.execute("CREATE DATABASE contactdb")
    with psycopg.connect(host=str(socket), user="oktt", dbname="contactdb") as connection:
        for kind in ("", "_automatic"):
            connection.execute(_TABLES.format(kind).encode())
        connection.execute(_SHARED.encode())
        numbers = range(len(held))
        for table, rows in (
            ("organisation_automatic (organisation_automatic_id, name)", ((each, name(each)) for each in numbers)),
            ("contact_automatic", ((each, f"info@voorbeeld-{each}.example") for each in numbers)),
            ("network_automatic", iter(mixed)),
            ("organisation_to_network_automatic", ((each, each) for each in numbers)),
        ):
            fill(connection, table, rows)
        for kind in ("", "_automatic"):
            connection.execute(_INDEXES.format(kind).encode())
    with closing(psycopg.connect(host=str(socket), user="oktt", dbname="contactdb", autocommit=True)) as connection:
        connection.execute("VACUUM ANALYZE")


def fill(connection: psycopg.Connection[Any], table: str, rows: Iterator[tuple[int, str | int]]) -> None:
    """COPY, in blocks: a call for each row takes longer than the server does."""
    lines = (f"{one}\t{other}\n" for one, other in rows)
    with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
        while block := "".join(islice(lines, 10_000)):
            copy.write(block)
