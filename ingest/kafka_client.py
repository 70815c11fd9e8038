"""kafka-python under our own rules: which addresses it may speak with, and why a connection failed, which it only logs,
in words that name nothing. What a batch may unpack to: `ingest.kafka_records`.

What has a place for rules is used (a client, a socket); where there is none, a function is replaced (at the end).
"""

import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import kafka.errors
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from ingest.addresses import REFUSED, allowed
from ingest.http import words


class PrivateError(kafka.errors.KafkaError):  # type: ignore[misc]
    """A broker is at an address that we do not speak with."""


class Manager(KafkaConnectionManager):  # type: ignore[misc]
    """Remembers why the last connection failed, which kafka-python only logs."""

    reason: Exception | None = None

    @property
    def refused(self) -> bool:
        """Would the next attempt fail just the same?"""
        certain = kafka.errors.SaslAuthenticationFailedError, kafka.errors.UnsupportedSaslMechanismError, PrivateError
        return any(isinstance(each, (*certain, ssl.SSLError)) for each in chain(self.reason))

    async def _connect(self, node: Any, conn: Any, *args: Any, **more: Any) -> None:
        conn.init_future.add_errback(self._remember)
        await super()._connect(node, conn, *args, **more)

    def _remember(self, error: Exception) -> None:
        self.reason = self.reason if self.refused else error


class Client(KafkaNetClient):  # type: ignore[misc]
    """What KafkaConsumer speaks through, with our manager."""

    def __init__(self, **settings: Any) -> None:
        net = NetworkSelector(**settings)
        super().__init__(net=net, manager=Manager(net, **settings))


class Socket(KafkaNetSocket):  # type: ignore[misc]
    """Connects to the public internet, and to the private networks that the source's table names. kafka-python chooses
    it by the scheme of `proxy_url`, whose rest names those networks; there is no proxy."""

    SCHEMES = ("oktt-direct",)

    def __init__(self, proxy_url: str) -> None:
        self._private = [ip_network(each) for each in proxy_url.partition("://")[2].split(",") if each]

    def connect_ex(self, sock: Any, sockaddr: Any) -> int:
        if not allowed(sockaddr[0], self._private):
            raise PrivateError
        code: int = super().connect_ex(sock, sockaddr)
        return code


def reason_of(error: BaseException | None) -> str:
    """What went wrong, for people: kafka-python's own words quote names and addresses."""
    kinds = {
        PrivateError: REFUSED,
        kafka.errors.SaslAuthenticationFailedError: "it does not accept our credentials: check user and secret_file",
        kafka.errors.AuthorizationError: "it does not let us read that: ask the source, or correct collections",
        kafka.errors.CorruptRecordError: "what its broker gives is damaged: ask the source",
        kafka.errors.KafkaTimeoutError: "its broker took too long to answer: check url, or wait for the source",
        kafka.errors.RequestTimedOutError: "its broker took too long to answer: check url, or wait for the source",
    }
    for kind, told in kinds.items():
        if isinstance(error, kind):
            return told
    if broken := next((each for each in chain(error) if isinstance(each, OSError)), None):
        return words(broken, "Kafka's")
    plain = {"ECONNREFUSED": ConnectionRefusedError(), "DNS": socket.gaierror(), "timed out": TimeoutError()}
    if told := next((words(each) for text, each in plain.items() if text in str(error)), ""):
        return told
    return "its broker broke the connection off, or is no Kafka broker: check url, or wait for the source"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _kept(receive: Callable[[Any], tuple[bytes, Any]]) -> Callable[[Any], tuple[bytes, Any]]:
    """kafka-python's own drops what came in just before the end of a connection: why it was ended, as a rule."""

    def received(transport: Any) -> tuple[bytes, Any]:
        data, error = receive(transport)
        return data, None if data else error

    return received


for _transport in (KafkaTCPTransport, KafkaSSLTransport):
    _transport._sock_recv = _kept(_transport._sock_recv)
logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)  # its words quote names and addresses
