"""The database's schema, as a list of migrations. A released migration never changes.

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
    # It includes the receive count, so that `depth` need not read the table.
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

_CATALOGUE = (
    """
    CREATE TABLE recordings (
        seq INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        camera TEXT NOT NULL,
        length_class INTEGER NOT NULL,
        starts_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        content TEXT NOT NULL
    ) STRICT
    """,
    # It includes the end, so that a camera's last moment is found without reading the table.
    "CREATE INDEX recordings_by_span ON recordings (camera, length_class, starts_at, ends_at)",
    "CREATE INDEX recordings_by_camera ON recordings (camera, starts_at, key)",
    "CREATE INDEX recordings_by_start ON recordings (starts_at, key)",
    """
    CREATE TABLE camera_lengths (
        camera TEXT NOT NULL,
        length_class INTEGER NOT NULL,
        recordings INTEGER NOT NULL,
        PRIMARY KEY (camera, length_class)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE removed_recordings (
        key TEXT PRIMARY KEY,
        sequencer TEXT NOT NULL,
        removed_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX removed_recordings_by_time ON removed_recordings (removed_at)",
)

_WAITING = (
    "ALTER TABLE clips ADD COLUMN waits_for TEXT",
    "CREATE INDEX clips_by_waiting ON clips (waits_for, created_at, id) WHERE state = 'waiting'",
)

_PLACES = (
    "ALTER TABLE recordings ADD COLUMN rules TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX recordings_by_rules ON recordings (rules)",
    # What was registered by hand about a recording outlives its removal.
    "ALTER TABLE removed_recordings ADD COLUMN content TEXT",
)

_FOLDERS = (
    "ALTER TABLE recordings ADD COLUMN folder TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX recordings_by_folder ON recordings (camera, folder)",
)

_CLIP_CAMERAS = (
    """
    CREATE TABLE clip_cameras (
        camera TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (camera, created_at, id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    INSERT OR IGNORE INTO clip_cameras (camera, created_at, id)
        SELECT json_extract(piece.value, '$.camera'), clips.created_at, clips.id
        FROM clips, json_each(clips.content, '$.request.source') AS piece
        WHERE json_extract(piece.value, '$.camera') IS NOT NULL
    """,
)

_REGISTRY = (
    """
    CREATE TABLE documents (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        owner TEXT NOT NULL,
        revision TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX documents_by_owner ON documents (kind, owner, id)",
)

_CLIP_SEARCH = (
    # Constant defaults: SQLite then need not rewrite the table.
    "ALTER TABLE clips ADD COLUMN tenant TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE clips ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE clips ADD COLUMN words TEXT NOT NULL DEFAULT ''",
    """
    UPDATE clips SET words = lower(
        id || ' ' || json_extract(content, '$.request.title') || ' ' || json_extract(content, '$.request.tags')
        || ' ' || json_extract(content, '$.request.labels') || ' ' || json_extract(content, '$.request.source')
    )
    """,
    "CREATE INDEX clips_by_tenant ON clips (tenant, created_at, id)",
)

_SETTLED = (
    "ALTER TABLE clips ADD COLUMN settled_at INTEGER",
    """
    UPDATE clips SET settled_at =
        CAST(strftime('%s', substr(json_extract(content, '$.updated_at'), 1, 19)) AS INTEGER) * 1000000
        + CAST(substr(json_extract(content, '$.updated_at'), 21, 6) AS INTEGER)
        WHERE sweep_at IS NULL
        AND (state IN ('failed', 'cancelled', 'expired') OR (state = 'ready' AND expires_at IS NULL))
    """,
    "CREATE INDEX clips_by_settling ON clips (settled_at) WHERE settled_at IS NOT NULL",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _QUEUES + _RECORDS,
    _CATALOGUE,
    _WAITING,
    _PLACES,
    _FOLDERS,
    _CLIP_CAMERAS,
    _REGISTRY,
    _CLIP_SEARCH,
    _SETTLED,
)
"""The n-th one (from 0) upgrades schema version n to n + 1 (`user_version`)."""
