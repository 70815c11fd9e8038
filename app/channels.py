"""The ways out, as the settings of an instance have them; and what mail carries to show that it is ours."""

from dataclasses import dataclass

from app import returning
from app.service import Service
from config.settings import Settings
from dispatch import Channel, DispatchError, signing
from dispatch import dkim as dkim_signature
from dispatch.dkim import Dkim
from dispatch.files import FileChannel
from dispatch.signing import Signer
from dispatch.smtp import SmtpChannel, SmtpSettings
from dispatch.topic import Broker, KafkaChannel
from dispatch.webhook import WebhookChannel
from subscribers import Contact


@dataclass(frozen=True, slots=True)
class Signatures:
    """With what our mail is signed."""

    dkim: Dkim | None = None
    smime: Signer | None = None
    pgp: Signer | None = None

    def signer(self, contact: Contact) -> Signer | None:
        """What its reader's mail program knows, as far as we can tell: S/MIME more of them do."""
        return self.pgp or self.smime if contact.pgp else self.smime or self.pgp


def signatures(settings: Settings) -> Signatures:
    """Of `[mail]`. Raises DispatchError for keys that cannot be used: before anything is claimed, not for each."""
    mail, file = settings.main.mail, settings.file
    domain = mail.sender.rpartition("@")[2].rstrip("> ")
    return Signatures(
        dkim_signature.dkim(file(mail.dkim_key), mail.dkim_selector, domain) if mail.dkim_key else None,
        signing.smime(file(mail.smime_cert), file(mail.smime_key)) if mail.smime_cert else None,
        signing.openpgp(file(mail.pgp_key)) if mail.pgp_key else None,
    )


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
    hooks = settings.main.webhooks
    trusted = settings.file(hooks.ca_file) if hooks.ca_file else None
    made["webhook"] = WebhookChannel(settings.dir, service.clock, private=hooks.private, ca_file=trusted)
    made["kafka"] = KafkaChannel(_broker(settings))
    return made


def _broker(settings: Settings) -> Broker | None:
    kafka = settings.main.kafka
    if kafka is None:
        return None
    password = ""
    if kafka.user:
        try:
            password = settings.file(kafka.password_file).read_text("utf-8").strip()
        except OSError as error:
            raise DispatchError(f"kafka.password_file {kafka.password_file}: {error.strerror}") from None
    trusted = settings.file(kafka.ca_file) if kafka.ca_file else None
    return Broker(kafka.servers, kafka.user, password, kafka.security == "tls", trusted, kafka.timeout)
