"""Look-ups in IntelMQ's contact database, run by the peers' own Python: `contacts.py SOCKET`, addresses on stdin.

As its expert bot asks: both its queries for each address, on one connection; nothing of the bot's own work on events.
Prints JSON: what was found, and the seconds of the clock, of this process and of the server's.
"""

import json
import os
import sys
import time
from pathlib import Path

import psycopg2
from intelmq_certbund_contact.common import Managed, lookup_contacts


def server(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    addresses = sys.stdin.read().split()
    connection = psycopg2.connect(dbname="contactdb", user="oktt", host=sys.argv[1])
    connection.autocommit = True
    backend = connection.info.backend_pid
    found = []

    def ask(address: str) -> list[str]:
        with connection.cursor() as cursor:
            both = [
                lookup_contacts(cursor, managed, None, address, None, "NL")
                for managed in (Managed.automatic, Managed.manual)
            ]
        return [each["name"] for answer in both for each in answer["organisations"]]

    for address in addresses[:20]:
        ask(address)
    wall, own, theirs = time.perf_counter(), time.process_time(), server(backend)
    for address in addresses:
        found.append(ask(address))
    spent = {
        "wall": time.perf_counter() - wall,
        "client": time.process_time() - own,
        "server": server(backend) - theirs,
    }
    print(json.dumps({"found": found, **spent}))


if __name__ == "__main__":
    main()
