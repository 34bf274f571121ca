"""What you can do about an error, by its reason. Answers of the API and failed clips show it."""

from __future__ import annotations

_REMEDIES = {
    "invalid_request": "Correct every fault that is listed, then send the request again.",
    "id_taken": "Choose another id, or leave it out.",
    "message_refused": "Request less at once, and remove control characters.",
    "clip_not_found": "Check the id.",
    "wrong_state": "Read the clip to see its state.",
    "not_found": "Check the address.",
    "method_not_allowed": "Use a method that the header Allow lists.",
    "unauthorized": "Send a valid API key.",
    "forbidden": "Use an API key that has the scope.",
    "rate_limited": "Wait as long as Retry-After says.",
    "body_too_large": "Send less at once.",
    "precondition_required": "Read the clip and send its ETag as If-Match.",
    "precondition_failed": "Read the clip again, then repeat the change.",
    "range_not_satisfiable": "Request a range within the file; Content-Range has its size.",
    "upload_refused": "Check the file, its size and its type, then start another upload.",
    "upload_incomplete": "List the parts, upload those that are missing, then complete the upload again.",
    "too_many": "Remove some that you no longer need.",
    "forged_message": "Check that the topic's ARN is configured, and that it signs with version 2.",
    "sns_unreachable": "Try again later.",
    "recording_not_found": "Check the recording's key, or upload it, then retry the clip.",
    "source_changed": "Wait until the recording is complete, then retry the clip.",
    "recording_grew": "Nothing: the clip is made again from the longer version.",
    "range_outside_recording": "Request a range within the recording.",
    "footage_missing": "Check the camera's name and its clock. If the footage arrives later, retry the clip.",
    "footage_expired": "Nothing: the footage is gone.",
    "footage_not_yet": "Nothing: the clip waits for the footage again.",
    "camera_unknown": "Check the camera's name.",
    "symlink_outside": "Ask the operator to move the recording into the source store.",
    "place_unknown": "Name the recording by a configured pattern, or register its camera and start time.",
    "media_unreadable": "Check the recording, and upload it again.",
    "media_unsupported": "Convert the recording to MP4, MOV, Matroska, WebM or MPEG-TS.",
    "media_crashed": "Keep the recording and report the crash.",
    "media_too_slow": "Request less, or ask the operator to raise the limits.",
    "media_too_large": "Use a smaller recording, or ask the operator to raise the limits.",
    "clip_damaged": "Keep the recording and report it.",
    "object_not_found": "Check the key.",
    "object_too_large": "Store a smaller one.",
    "object_exists": "Choose another key.",
    "storage_full": "Ask the operator to free some space.",
    "surroundings": "Try again later.",
    "storage_unavailable": "Try again later.",
    "recordings_missing": "Ask the operator to check the store.",
    "records_unavailable": "Try again later.",
    "queue_unavailable": "Try again later.",
    "lease_lost": "Nothing: another attempt has taken over.",
    "stopped": "Try again later.",
    "out_of_time": "Request less at once.",
    "gave_up": "Ask the operator to read the workers' logs, then retry the clip.",
    "wrong_settings": "Ask the operator to correct the settings.",
    "internal_error": "Report it with the error's id.",
    "wrong_usage": "Correct the arguments.",
    "file_not_found": "Check the name.",
    "output_exists": "Choose another name.",
    "output_is_source": "Choose another name.",
    "output_unwritable": "Choose another place.",
}


def remedy_of(reason: str) -> str:
    """Return what to do about a reason. A reason of the future, in an older record, has a general one."""
    return _REMEDIES.get(reason, "Read the documentation of this reason.")


REASONS_WITH_REMEDIES = frozenset(_REMEDIES)
