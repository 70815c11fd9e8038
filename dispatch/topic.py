"""The Kafka channel: a message on a subscriber's topic of our own broker, its key the delivery's id.

Sent is what all replicas in step have. Who gets a message again knows it by its key.
"""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kafka.errors
from kafka import KafkaProducer

from dispatch import Delivery, DispatchError, Outcome
from dispatch.outbox import POSSIBLY_ACCEPTED
from subscribers import Contact

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)  # its words quote names and addresses
_FINAL = (
    kafka.errors.MessageSizeTooLargeError,
    kafka.errors.RecordListTooLargeError,
    kafka.errors.InvalidTopicError,
    ValueError,  # a name that no topic has, which the library says before it asks
)


@dataclass(frozen=True, slots=True)
class Broker:
    """`[kafka]` of oktt.toml. Secrets are read from files."""

    servers: tuple[str, ...]
    user: str = ""
    password: str = ""
    tls: bool = True
    ca_file: Path | None = None
    timeout: float = 30.0


class KafkaChannel:
    """One producer for many topics, connected when it is needed. None: there is no broker. For one thread."""

    def __init__(self, broker: Broker | None) -> None:
        self._broker = broker
        self._open: Any = None

    def send(self, delivery: Delivery, contact: Contact, message: bytes) -> Outcome:
        """Hand the message over once, and wait until it is stored."""
        if self._broker is None:
            return Outcome("failed", "no-kafka")
        try:
            producer = self._open or self._connected(self._broker)
        except (kafka.errors.KafkaError, OSError):
            return Outcome("retry", "connect")
        try:
            producer.send(contact.topic, value=message, key=delivery.id.encode()).get(self._broker.timeout)
        except _FINAL as error:
            return Outcome("failed", f"kafka-{getattr(error, 'errno', 'topic')}")
        except kafka.errors.AuthorizationError as error:
            return Outcome("retry", f"kafka-{error.errno}")
        except (kafka.errors.KafkaError, OSError):
            self.close()
            return Outcome("retry", POSSIBLY_ACCEPTED)
        return Outcome("sent", "kafka")

    def close(self) -> None:
        """Give up connections."""
        if self._open is not None:
            self._open.close(timeout=1)
            self._open = None

    def _connected(self, broker: Broker) -> Any:
        milliseconds = int(broker.timeout * 1000)
        settings: dict[str, Any] = {
            "bootstrap_servers": list(broker.servers),
            "acks": "all",
            "linger_ms": 0,
            "retries": 0,  # the outbox tries again
            "enable_idempotence": False,
            "bootstrap_timeout_ms": milliseconds,
            "max_block_ms": milliseconds,
            "request_timeout_ms": milliseconds,
            "delivery_timeout_ms": milliseconds + 1000,
            "security_protocol": f"{'SASL_' if broker.user else ''}{'SSL' if broker.tls else 'PLAINTEXT'}",
        }
        if broker.tls:
            try:
                settings["ssl_context"] = ssl.create_default_context(cafile=broker.ca_file)
            except OSError as error:
                raise DispatchError(f"kafka.ca_file {broker.ca_file}: {error.strerror}") from None
        if broker.user:
            settings |= {"sasl_mechanism": "SCRAM-SHA-512"}
            settings |= {"sasl_plain_username": broker.user, "sasl_plain_password": broker.password}
        self._open = KafkaProducer(**settings)
        return self._open
