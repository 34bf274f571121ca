"""The AWS Lambda functions: one makes clips, one delivers webhooks, one does housekeeping on a schedule.

The work is that of the poll worker: `receive`, `make_clip`, `retry`. This module has only what differs on Lambda.
"""

from __future__ import annotations

import functools
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from cutback.adapters.build import build, open_queue, open_webhook_queue, policy_of
from cutback.domain.clips.event import Answer, Event
from cutback.domain.errors import CutbackError, OutOfTimeError
from cutback.ports import Message, Queue
from cutback.services import Services
from cutback.settings.settings import load_settings
from cutback.worker.acknowledge import acknowledge, give_back
from cutback.worker.receive import receive

MARGIN_SECONDS = 10.0
"""Time before a function's timeout at which work stops: enough to end the child, record this and hand the work over."""


HIDDEN = timedelta(minutes=1)
"""How long messages stay hidden if this function cannot work yet, instead of half an hour or more."""


class NotDoneError(Exception):
    """Makes the event source mapping leave the message in the queue."""


class MetricsAnnouncer:
    """Counts the outcomes of clips, in CloudWatch's embedded metric format. Never fails."""

    def __init__(self, metrics: Metrics) -> None:
        """Add to `metrics`, which the handler flushes."""
        self._metrics = metrics

    def close(self) -> None:
        """Nothing to close: the handler flushes the metrics."""

    def announce(self, event: Event) -> None:
        """Count a clip that ended; for one that is ready, also record its cost."""
        if isinstance(event, Answer):
            return
        name = event.type.removeprefix("clip.")
        if name in {"ready", "failed", "waiting"}:
            self._metrics.add_metric(f"Clips{name.capitalize()}", MetricUnit.Count, 1)
        result = event.data.get("result")
        if name == "ready" and result:
            self._metrics.add_metric("ClipSeconds", MetricUnit.Seconds, float(result["seconds"]))
            self._metrics.add_metric("BytesRead", MetricUnit.Bytes, int(result["bytes_read"]))
            self._metrics.add_metric("BytesStored", MetricUnit.Bytes, int(result["size"]))


@functools.cache
def _logger() -> Logger:
    """Return a logger that writes JSON lines, and make all of Cutback's modules log in this form."""
    logger = Logger()
    package = logging.getLogger("cutback")
    package.handlers = list(logger.handlers)
    package.setLevel(logger.log_level)
    package.propagate = False
    return logger


@functools.cache
def _metrics() -> Metrics:
    return Metrics()


@functools.cache
def _services() -> Services:
    """Build the services at the first invocation, and keep them for the next ones in the same environment."""
    services = build(load_settings())
    return replace(services, announcers=(*services.announcers, MetricsAnnouncer(_metrics())))


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Make the clips of a batch from SQS. Returns which messages must stay in the queue."""
    try:
        services, logger = _services(), _logger()
    except CutbackError as error:
        settings = load_settings()
        policy = policy_of(settings)
        return _not_ready(event, error, open_queue(settings, policy), most=policy.max_tries)
    gives_up_at = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS

    def make(record: SQSRecord) -> None:
        message = _message(record)
        logger.append_keys(request_id=context.aws_request_id, message_id=message.id)
        outcome = receive(services, message, stopping=lambda: time.monotonic() > gives_up_at, why=OutOfTimeError)
        if not acknowledge(services, message, outcome):
            raise NotDoneError(message.id)

    try:
        return _each(event, context, make)
    finally:
        _metrics().flush_metrics()
        services.tracer.flush()


def webhooks(event: dict[str, Any], context: LambdaContext) -> Any:
    """Deliver the webhooks of a batch from SQS. Returns which messages must stay in the queue."""
    from cutback.worker.webhooks import Deliverer

    try:
        services, logger = _services(), _logger()
    except CutbackError as error:
        # Here, the receive count is the number of tries, so keep it.
        return _not_ready(event, error, open_webhook_queue(load_settings()), most=None)
    deliverer = Deliverer(services)

    def deliver(record: SQSRecord) -> None:
        message = _message(record)
        logger.append_keys(request_id=context.aws_request_id, message_id=message.id)
        if not deliverer.deliver(message):
            raise NotDoneError(message.id)

    return _each(event, context, deliver)


def housekeep(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one round of housekeeping, on a schedule."""
    from cutback.lifecycle.housekeeping import housekeep as keep

    logger = _logger()
    logger.append_keys(request_id=context.aws_request_id)
    keep(_services())
    return {}


def _not_ready(event: dict[str, Any], error: CutbackError, queue: Queue | None, *, most: int | None) -> Any:
    """Return a batch to the queue because the database does not answer or a setting is invalid.

    Otherwise the messages would stay hidden for the queue's whole visibility timeout, and each time come closer to the
    dead letters. For `most`, see `give_back`.

    Raises:
        CutbackError: `error` again, unless it is transient; it then counts as an error of the function.
    """
    _logger().warning("stage=started reason=%s message=%r", error.reason, error.message)
    left = []
    for message in (_message(SQSRecord(record)) for record in event["Records"]):
        try:
            done = queue is not None and give_back(queue, message, HIDDEN, most=most)
        except CutbackError as trouble:
            _logger().warning("stage=started message=%s returned=no reason=%s", message.id, trouble.reason)
            done = False
        if not done:
            left.append({"itemIdentifier": message.id})
    if not error.transient:
        raise error
    return {"batchItemFailures": left}


def _each(event: dict[str, Any], context: LambdaContext, work: Any) -> Any:
    # If the whole batch failed, still return normally: raising would count as an error of the function.
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=work, processor=processor, context=context)


def _message(record: SQSRecord) -> Message:
    sent = int(record.attributes.sent_timestamp or 0)
    return Message(
        id=record.message_id,
        receipt=record.receipt_handle,
        body=record.body,
        receive_count=int(record.attributes.approximate_receive_count or 1),
        sent_at=datetime.fromtimestamp(sent / 1000, tz=UTC),
    )
