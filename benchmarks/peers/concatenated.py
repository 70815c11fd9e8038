"""Pages in memory: `concatenated.py BODIES PORT` answers the number of a page (4 octets) with its length and its
octets, joined when it is asked for (benchmarks/taxii.py)."""

import json
import socket
import sys
from pathlib import Path

pages = [[each.encode() for each in page] for page in json.loads(Path(sys.argv[1]).read_bytes())]
with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as listening:
    while True:
        connection, _ = listening.accept()
        with connection:
            while number := connection.recv(4):
                body = (
                    b'{"more":true,"next":"YWZ0ZXI6MTAwMA","objects":['
                    + b",".join(pages[int.from_bytes(number)])
                    + b"]}"
                )
                connection.sendall(len(body).to_bytes(4) + body)
