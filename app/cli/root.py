"""The root command, and the one place where an error becomes an exit code."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app import AppError, database, observe
from app.service import Service, open_service
from config import ConfigError
from dispatch import DispatchError
from filtering import FilteringError
from ingest import SourceError
from normalize import NormalizeError
from pii_guard import GuardError
from subscribers import SubscriberError
from tlp import TlpError
from triage import TriageError
from web import WebError

ERRORS = (
    AppError,
    ConfigError,
    DispatchError,
    FilteringError,
    GuardError,
    NormalizeError,
    SourceError,
    SubscriberError,
    TlpError,
    TriageError,
    WebError,
)

cli = typer.Typer(
    name="oktt",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print newline-delimited JSON.")]


@cli.callback()
def root(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("--dir", envvar="OKTT_DIR", help="Folder of the instance: configuration, data, outbox.")
    ] = Path("var"),
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every decision to stderr.")] = False,
) -> None:
    """OKTT: threat information in; the right alert, to the right firm, in time, out."""
    observe.configure(verbose=verbose or context.invoked_subcommand in ("run", "serve"))
    context.obj = folder


def opened(context: typer.Context) -> Service:
    """The instance that --dir names, closed when the command ends."""
    service = open_service(context.obj)
    context.call_on_close(service.close)
    return service


def main() -> None:
    """Run a command; errors of rooms become one line and exit code 1."""
    import sqlalchemy as sa

    try:
        cli()
    except ERRORS as error:
        _end(" ".join(str(error).split("\n")))
    except sa.exc.DBAPIError as error:
        if database.locked(error):
            _end(database.LOCKED)
        _end(f"the database could not do it ({type(error.orig).__name__}): run `oktt doctor`")
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _end(f"{where}{error.strerror or type(error).__name__}: correct that, and run the command again")
    except KeyboardInterrupt:
        _end("stopped; run the command again, nothing is lost", 130)
    except UnicodeEncodeError:
        _end("an argument is not UTF-8 text: correct it", 2)
    except Exception as error:
        _end(
            f"{type(error).__name__} at {observe.place(error)}: a mistake of ours; report that place, it holds no data"
        )


def _end(text: str, code: int = 1) -> NoReturn:
    print(f"oktt: {text}", file=sys.stderr)  # noqa: T201
    sys.exit(code)
