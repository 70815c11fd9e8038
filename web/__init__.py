"""Everything HTTP; thin. `web.server.create_app(...)` builds it; rooms below do the work.

TAXII 2.1 reading (`web.taxii`), the public Atom feed, health and metrics. GET changes nothing but access records.
"""


class WebError(Exception):
    """Something the web cannot be started with; names the setting and the next step."""
