"""URLs of queues, databases and caches, and ARNs of topics: parsed and checked without any network. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from cutback.settings.nats_address import is_nats, nats_queue

MEMCACHED_PORT = 11211

_AWS_QUEUE_HOSTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^sqs(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$",
        r"^sqs(?:-fips)?\.(?P<region>[a-z0-9-]+)\.api\.(?:aws|amazonwebservices\.com\.cn)$",
        r"^(?P<region>[a-z0-9-]+)\.queue\.amazonaws\.com(?:\.cn)?$",
    )
)
_AWS_PRIVATE_HOST = re.compile(r"\.sqs\.(?P<region>[a-z0-9-]+)\.vpce\.amazonaws\.com(?:\.cn)?$")
_TOPIC = re.compile(
    r"^arn:(?:aws|aws-cn|aws-us-gov|aws-iso[a-z-]*):sns:(?P<region>[a-z0-9-]+):\d{12}:"
    r"[A-Za-z0-9_-]{1,256}(?P<fifo>\.fifo)?$"
)


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """The address of a queue."""

    url: str
    region: str
    """Empty if the URL does not contain it; the environment's region then applies."""
    endpoint: str | None
    """The endpoint; None for AWS's own in that region."""

    def beside(self, name: str) -> str:
        """Return the URL of the queue with that name in the same account and region."""
        return f"{self.url.rsplit('/', 1)[0]}/{name}"


@dataclass(frozen=True, slots=True)
class TopicAddress:
    """An SNS topic."""

    arn: str
    region: str
    fifo: bool


def queue_address(url: str) -> QueueAddress:
    """Parse a queue's URL: from AWS, a VPC endpoint, or any SQS-compatible service.

    Raises:
        ValueError: the URL is invalid; the message says what is expected.
    """
    parts = urlsplit(url)
    try:
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    name = parts.path.rpartition("/")[2]
    if not usable or not name or parts.query or parts.fragment:
        raise ValueError("must be a queue's URL, such as https://sqs.eu-central-1.amazonaws.com/123456789012/cutback")
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password")
    if name.endswith(".fifo"):
        raise ValueError("must be a standard queue; FIFO queues cannot delay single messages or reorder them")
    host = parts.hostname or ""
    for pattern in _AWS_QUEUE_HOSTS:
        if found := pattern.match(host):
            return QueueAddress(url, found["region"], None)
    private = _AWS_PRIVATE_HOST.search(host)
    return QueueAddress(url, private["region"] if private else "", f"{parts.scheme}://{parts.netloc}")


def topic_address(arn: str) -> TopicAddress:
    """Parse an SNS topic's ARN.

    Raises:
        ValueError: the ARN is invalid; the message shows a valid one.
    """
    found = _TOPIC.match(arn)
    if not found:
        raise ValueError(
            f"{arn[:100]!r} is not an SNS topic's ARN, such as arn:aws:sns:eu-central-1:123456789012:video_production"
        )
    return TopicAddress(arn, found["region"], bool(found["fifo"]))


def check_queue(url: str) -> str:
    """Check a setting that is a queue's URL or empty. Raises like `queue_address` and `nats_queue`."""
    if is_nats(url):
        nats_queue(url)
    elif url:
        queue_address(url)
    return url


def check_topics(arns: tuple[str, ...]) -> tuple[str, ...]:
    """Check a setting that lists topics. Raises like `topic_address`."""
    for arn in arns:
        topic_address(arn)
    return arns


def check_records_url(value: object) -> object:
    """Check that a value is a MongoDB URL, or empty for SQLite.

    Raises:
        ValueError: it is neither; the message says what is expected.
    """
    if isinstance(value, str) and value:
        parts = urlsplit(value)
        if parts.scheme not in {"mongodb", "mongodb+srv"} or not parts.netloc or parts.path.count("/") > 1:
            raise ValueError("must be mongodb://HOST:PORT/DATABASE or mongodb+srv://HOST/DATABASE")
    return value


def check_cache_url(value: object) -> object:
    """Check that `cache_nodes` can parse a value, or that it is empty for the process's own memory.

    Raises:
        ValueError: it is neither; the message says what is expected.
    """
    if isinstance(value, str) and value:
        cache_nodes(value)
    return value


def cache_nodes(url: str) -> tuple[tuple[str, int], ...]:
    """Return the hosts and ports of `memcached://HOST:PORT,HOST:PORT`. The default port is 11211.

    Raises:
        ValueError: the URL is invalid; the message says what is expected.
    """
    scheme, _, hosts = url.partition("://")
    nodes = []
    for host in hosts.removesuffix("/").split(","):
        parts = urlsplit(f"//{host}")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if scheme != "memcached" or parts.netloc != host or not parts.hostname or "@" in host or port == 0:
            raise ValueError("must be memcached://HOST:PORT, with more nodes after commas")
        nodes.append((parts.hostname, port or MEMCACHED_PORT))
    return tuple(nodes)
