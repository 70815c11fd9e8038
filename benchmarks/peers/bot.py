"""A process of the IntelMQ pipeline, run by the peers' own Python: `bot.py MODULE ID` is a bot, `bot.py feed REPORT` is
what its collector does: hands a report to the parser. INTELMQ_ROOT_DIR names its folder (benchmarks/events.py)."""

import importlib
import json
import os
import sys
from pathlib import Path


def feed(report: Path) -> None:
    """Lay a report before the parser as IntelMQ's file collector does."""
    from intelmq.lib.message import Report
    from intelmq.lib.pipeline import PipelineFactory

    root = Path(os.environ["INTELMQ_ROOT_DIR"]) / "etc"
    settings = json.loads((root / "runtime.yaml").read_text())["global"]
    made = Report(harmonization=json.loads((root / "harmonization.conf").read_text()))
    made.add("raw", report.read_text())
    made.add("feed.name", "bench")
    made.add("extra.file_name", report.name)
    pipeline = PipelineFactory.create(None, broker="redis", direction="destination", queues=["parser-queue"],
                                      pipeline_args=settings)  # fmt: skip
    pipeline.connect()
    pipeline.send(made.serialize())


if __name__ == "__main__":
    if sys.argv[1] == "feed":
        feed(Path(sys.argv[2]))
    else:
        # As a library: as a service it would want a user of its own. The loop over messages is the same.
        importlib.import_module(sys.argv[1]).BOT(sys.argv[2]).start()
