"""A suspicious mail, as a file: what it says and where it leads, filled in to be looked at before it is handed in.

Read in memory; nothing of it is kept. Of the headers only subject, sender and the address for replies are read: whom it
went to is nobody's concern here.
"""

import re
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from hashlib import sha256

from ingest.archives import Limits
from ingest.messages import MessageError, is_message, letter, parts
from normalize.letters import URL, of_html

LIMITS = Limits(max_bytes=16 << 20, max_unpacked=32 << 20, max_members=100)
"""Of what is attached."""
MOST_TEXT = 20_000
"""Characters of the text of a mail."""


def read(body: bytes) -> tuple[str, str, list[str]]:
    """Title, text, and lines of what was seen: sender, links, hashes of what is attached. Raises MessageError."""
    if not is_message(body):
        raise MessageError("a file that is no mail")
    mail = letter(body)
    blocks = of_html(mail.html) if mail.html else []
    text = mail.plain.strip() or "\n".join(each.text for each in blocks if each.text)
    links = [*URL.findall(mail.plain), *(address for each in blocks for address, _ in each.links)]
    links = [re.sub(r"[.,;:]+$", "", each) for each in links if each.startswith(("http://", "https://"))]
    files = [sha256(each.body).hexdigest() for each in parts(body, LIMITS) if each.where and each.body]
    return mail.subject[:200], text[:MOST_TEXT], list(dict.fromkeys((*_senders(body), *links, *files)))


def _senders(body: bytes) -> Iterator[str]:
    headers = BytesHeaderParser().parsebytes(body[: 64 << 10])
    for name in ("From", "Reply-To"):
        address = parseaddr(str(headers.get(name, ""))[:1000])[1]
        if "@" in address:
            yield address
