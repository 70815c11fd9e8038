"""The front door: command line, pipeline, workers, database, observability, demo.

`app.pipeline` is the story: admit a document, release an item, send a delivery. `app.cli` holds the commands and
turns every room's base error into an exit code; nothing else exits.
"""


class AppError(Exception):
    """A command that could not be done; the message names the file or setting and the next step."""
