"""The garbage collector, put off while a document is in hand.

A large bundle is hundreds of thousands of objects that all live until the document is done; each time so many have
come, the collector looks through all of them, and every so often through the whole process, and finds nothing. Half
of the time at the door went there.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No collection until the block ends. Blocks may lie in one another, or run in several threads: the one that
    paused it, resumes it."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
