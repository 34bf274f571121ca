"""One table from the reasons of errors to the statuses of HTTP."""

from __future__ import annotations

from http import HTTPStatus

STATUSES: dict[str, HTTPStatus] = {
    # the request
    "invalid_request": HTTPStatus.UNPROCESSABLE_ENTITY,
    "wrong_usage": HTTPStatus.UNPROCESSABLE_ENTITY,
    "id_taken": HTTPStatus.CONFLICT,
    "clip_not_found": HTTPStatus.NOT_FOUND,
    "wrong_state": HTTPStatus.CONFLICT,
    "message_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "repeated_header": HTTPStatus.BAD_REQUEST,
    "cross_site": HTTPStatus.FORBIDDEN,
    "wrong_host": HTTPStatus.MISDIRECTED_REQUEST,
    "key_not_found": HTTPStatus.NOT_FOUND,
    "dead_letter_not_found": HTTPStatus.NOT_FOUND,
    "tenant_not_found": HTTPStatus.NOT_FOUND,
    "too_many_streams": HTTPStatus.TOO_MANY_REQUESTS,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "request_timeout": HTTPStatus.REQUEST_TIMEOUT,
    "answer_timeout": HTTPStatus.GATEWAY_TIMEOUT,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "precondition_required": HTTPStatus.PRECONDITION_REQUIRED,
    "precondition_failed": HTTPStatus.PRECONDITION_FAILED,
    "range_not_satisfiable": HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    "upload_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "upload_incomplete": HTTPStatus.CONFLICT,
    "too_many": HTTPStatus.CONFLICT,
    "forged_message": HTTPStatus.FORBIDDEN,
    "sns_unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
    # recordings and cameras
    "recording_not_found": HTTPStatus.NOT_FOUND,
    "asset_not_found": HTTPStatus.NOT_FOUND,
    "camera_unknown": HTTPStatus.NOT_FOUND,
    "footage_missing": HTTPStatus.NOT_FOUND,
    "footage_expired": HTTPStatus.GONE,
    "footage_not_yet": HTTPStatus.SERVICE_UNAVAILABLE,
    "object_not_found": HTTPStatus.NOT_FOUND,
    "object_exists": HTTPStatus.CONFLICT,
    "object_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "source_changed": HTTPStatus.CONFLICT,
    "recording_grew": HTTPStatus.CONFLICT,
    "range_outside_recording": HTTPStatus.UNPROCESSABLE_ENTITY,
    "edit_impossible": HTTPStatus.UNPROCESSABLE_ENTITY,
    "output_impossible": HTTPStatus.UNPROCESSABLE_ENTITY,
    "place_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "symlink_outside": HTTPStatus.UNPROCESSABLE_ENTITY,
    "media_unreadable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "media_unsupported": HTTPStatus.UNPROCESSABLE_ENTITY,
    "media_crashed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "media_too_slow": HTTPStatus.UNPROCESSABLE_ENTITY,
    "media_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "clip_damaged": HTTPStatus.UNPROCESSABLE_ENTITY,
    # stores, queue, records, workers
    "surroundings": HTTPStatus.SERVICE_UNAVAILABLE,
    "storage_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "storage_full": HTTPStatus.INSUFFICIENT_STORAGE,
    "records_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "recordings_missing": HTTPStatus.SERVICE_UNAVAILABLE,
    "queue_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "stopped": HTTPStatus.SERVICE_UNAVAILABLE,
    "lease_lost": HTTPStatus.CONFLICT,
    "out_of_time": HTTPStatus.GATEWAY_TIMEOUT,
    "gave_up": HTTPStatus.INTERNAL_SERVER_ERROR,
    "wrong_settings": HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
    # named by files, which the API does not do
    "file_not_found": HTTPStatus.NOT_FOUND,
    "output_exists": HTTPStatus.CONFLICT,
    "output_is_source": HTTPStatus.CONFLICT,
    "migration_refused": HTTPStatus.INTERNAL_SERVER_ERROR,
    "output_unwritable": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Every reason of `cutback.domain.errors`, each with its status."""


def status_of(reason: str) -> HTTPStatus:
    """Return the status for a reason; 500 for an unknown one."""
    return STATUSES.get(reason, HTTPStatus.INTERNAL_SERVER_ERROR)
