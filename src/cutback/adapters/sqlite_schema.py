"""The database's schema, as the steps that lead to it. A step that was released never changes.

Times are microseconds since 1970. Long columns come last, so that reading the others skips their pages.
"""

from __future__ import annotations

APPLICATION_ID = 0x43425431
"""Marks a database as Cutback's ("CBT1"), in SQLite's `application_id`."""

_QUEUES = (
    """
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        queue TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        receive_count INTEGER NOT NULL DEFAULT 0,
        receipt TEXT,
        body TEXT NOT NULL
    ) STRICT
    """,
    # The count is in it so that the depth is counted without touching the table.
    "CREATE INDEX messages_by_visibility ON messages (queue, visible_at, seq, receive_count)",
    """
    CREATE TABLE dead_letters (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        queue TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        died_at INTEGER NOT NULL,
        receive_count INTEGER NOT NULL,
        reason TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX dead_letters_by_death ON dead_letters (queue, seq)",
)

_RECORDS = (
    """
    CREATE TABLE clips (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        lease_until INTEGER,
        sweep_at INTEGER,
        expires_at INTEGER,
        content TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX clips_by_creation ON clips (created_at, id)",
    "CREATE INDEX clips_by_state ON clips (state, created_at, id)",
    "CREATE INDEX clips_by_lease ON clips (lease_until) WHERE state = 'processing'",
    "CREATE INDEX clips_by_sweep ON clips (sweep_at) WHERE sweep_at IS NOT NULL",
    "CREATE INDEX clips_by_expiry ON clips (expires_at) WHERE state = 'ready' AND expires_at IS NOT NULL",
    """
    CREATE TABLE clip_tags (
        tag TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (tag, created_at, id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE clip_recordings (
        recording TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (recording, created_at, id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE events (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        announced_at INTEGER,
        content TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX events_unannounced ON events (position) WHERE announced_at IS NULL",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_QUEUES + _RECORDS,)
"""The n-th leads from schema version n to n + 1 (`user_version`)."""
