"""Sessions of browsers: a signed value that names an API key, for a cookie that scripts cannot read.

Every node signs with the same secret, which the registry keeps; no node remembers a session. A session ends with its
time, or when its key is revoked.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer

from cutback.domain.api_keys import ApiKey
from cutback.lifecycle.api_keys import key_by_id
from cutback.services import Services

LASTS = timedelta(days=7)
_KIND, _ID = "secret", "session"
_PURPOSE = "cutback session"


def sign_session(services: Services, key: ApiKey) -> str:
    """Return the value of a session's cookie."""
    return str(_serializer(services).dumps(key.id))


def key_of_session(services: Services, value: str) -> ApiKey | None:
    """Return the key of a session; None if the value was altered or has expired, or its key was revoked."""
    try:
        key_id = _serializer(services).loads(value, max_age=int(LASTS.total_seconds()))
    except BadData:
        return None
    return key_by_id(services, str(key_id))


def _serializer(services: Services) -> URLSafeTimedSerializer:
    found = services.registry.get(_KIND, _ID)
    while found is None:
        services.registry.put_new(_KIND, _ID, {"secret": secrets.token_urlsafe(32)})
        found = services.registry.get(_KIND, _ID)
    return URLSafeTimedSerializer(found.content["secret"], salt=_PURPOSE)
