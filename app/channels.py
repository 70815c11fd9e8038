"""The ways out, as the settings of an instance have them."""

from app import returning
from app.service import Service
from dispatch import Channel
from dispatch.files import FileChannel
from dispatch.smtp import SmtpChannel, SmtpSettings


def channels(service: Service, sender: str) -> dict[str, Channel]:
    """By type of contact; `sender`: the address that mail is from. Raises DispatchError for what cannot be used."""
    settings = service.settings
    files = FileChannel(settings.dir / "outbox")
    made: dict[str, Channel] = {"file": files, "email": files}
    if (smtp := settings.main.smtp) is not None:
        wanted = SmtpSettings(
            smtp.host,
            smtp.port,
            smtp.security,
            smtp.user,
            settings.file(smtp.password_file) if smtp.password_file else None,
            settings.file(smtp.ca_file) if smtp.ca_file else None,
            smtp.timeout,
        )
        server = SmtpChannel(wanted, lambda delivery: returning.address_for(service, delivery) or sender)
        server.check()
        made["email"] = server
    return made
