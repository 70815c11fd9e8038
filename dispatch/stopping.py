"""The last line of a mail: where its reader stops what comes to this address. Other ways out have none, nor has
what is passed on by its reader."""

from dataclasses import replace

from markupsafe import escape

from dispatch.render import Rendered
from dispatch.wording import words


def with_stop(rendered: Rendered, address: str) -> Rendered:
    """The message with that line at its end: a link in HTML, the address in text."""
    label = words(rendered.language)["text"]["stop"]
    line = f'<p><a href="{escape(address)}">{escape(label)}</a></p>\n'
    text = f"{label}:\n{address}\n"
    head, mark, tail = rendered.html.rpartition("</footer>")
    changed = replace(rendered, text=rendered.text + text, html=f"{head}{line}{mark}{tail}")
    if rendered.pieces is None:
        return changed
    texts, (*before, last) = rendered.pieces
    head, mark, tail = last.rpartition("</footer>")
    return replace(changed, pieces=((*texts, text, ""), (*before, head, line, mark + tail)))
