-- Limn's first schema. Ids are UUIDv7 (16 bytes), times are microseconds since the epoch.
CREATE TABLE user_account (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'manager', 'reviewer', 'labeler', 'viewer')),
    password_hash TEXT,
    disabled_at INTEGER,
    -- Raised to end every session of the person.
    session_epoch INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER
) STRICT;

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    user_id BLOB,
    data TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_expires ON session (expires_at);
CREATE INDEX session_owner ON session (user_id);

-- Failed sign-ins by address and by client, for slowing guesses down.
CREATE TABLE sign_in_throttle (
    subject TEXT NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE setting (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE project (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL CHECK (task IN ('detection', 'classification', 'multilabel')),
    status TEXT NOT NULL CHECK (status IN ('running', 'paused')),
    description TEXT NOT NULL,
    instructions TEXT NOT NULL,
    settings TEXT NOT NULL,
    next_category_export_id INTEGER NOT NULL DEFAULT 1,
    next_item_export_id INTEGER NOT NULL DEFAULT 1,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE project_member (
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id BLOB NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('manager', 'reviewer', 'labeler', 'viewer')),
    added_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_member_user ON project_member (user_id);

CREATE TABLE api_token (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
    project_id BLOB REFERENCES project (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX api_token_user ON api_token (user_id);

CREATE TABLE invitation (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'manager', 'reviewer', 'labeler', 'viewer')),
    project_id BLOB REFERENCES project (id) ON DELETE CASCADE,
    project_role TEXT CHECK (project_role IN ('manager', 'reviewer', 'labeler', 'viewer')),
    secret_hash TEXT NOT NULL UNIQUE,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    accepted_at INTEGER
) STRICT;

CREATE TABLE category (
    id BLOB NOT NULL PRIMARY KEY,
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    parent_id BLOB REFERENCES category (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    color TEXT NOT NULL,
    hotkey INTEGER CHECK (hotkey BETWEEN 1 AND 9),
    position INTEGER NOT NULL,
    export_id INTEGER NOT NULL CHECK (export_id >= 1),
    created_at INTEGER NOT NULL,
    UNIQUE (project_id, export_id)
) STRICT;
CREATE INDEX category_parent ON category (parent_id);

-- Export ids of categories that were removed; never given again.
CREATE TABLE retired_category (
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    export_id INTEGER NOT NULL,
    PRIMARY KEY (project_id, export_id)
) STRICT, WITHOUT ROWID;

-- Bytes by their BLAKE3 digest; the files lie in the blob store.
CREATE TABLE blob (
    digest TEXT NOT NULL PRIMARY KEY,
    byte_size INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE item (
    id BLOB NOT NULL PRIMARY KEY,
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest),
    media_type TEXT NOT NULL,
    byte_size INTEGER NOT NULL,
    -- Of the oriented image, in pixels.
    width INTEGER NOT NULL CHECK (width > 0),
    height INTEGER NOT NULL CHECK (height > 0),
    -- EXIF orientation of the stored bytes, 1 to 8.
    orientation INTEGER NOT NULL,
    export_id INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('todo', 'done', 'skipped')),
    skip_reason TEXT,
    -- Place in the queue: the export id, or random when the project shuffles.
    queue_rank INTEGER NOT NULL,
    lease_user_id BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    lease_until INTEGER NOT NULL DEFAULT 0,
    -- When the holder took it, so that items in hand come in the order taken.
    leased_at INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    annotation_count INTEGER NOT NULL DEFAULT 0,
    prelabel_count INTEGER NOT NULL DEFAULT 0,
    active_ms INTEGER NOT NULL DEFAULT 0,
    annotated_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    done_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    done_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (project_id, name_key),
    UNIQUE (project_id, export_id)
) STRICT;
-- The lease's end lets the queue pass over what others hold without reading the rows.
CREATE INDEX item_queue ON item (project_id, status, queue_rank, lease_until);
CREATE INDEX item_lease ON item (lease_user_id, project_id) WHERE lease_user_id IS NOT NULL;
CREATE INDEX item_held ON item (project_id, lease_until, lease_user_id) WHERE lease_user_id IS NOT NULL;
-- Lists: each is a sort order with the export id to break ties.
CREATE INDEX item_status ON item (project_id, status, export_id);
CREATE INDEX item_updated ON item (project_id, updated_at, export_id);
CREATE INDEX item_annotations ON item (project_id, annotation_count, export_id);
CREATE INDEX item_done_by ON item (project_id, done_by, done_at, export_id);
CREATE INDEX item_digest ON item (digest);

CREATE TABLE annotation (
    item_id BLOB NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    category_id BLOB NOT NULL REFERENCES category (id),
    kind TEXT NOT NULL CHECK (kind IN ('whole', 'box')),
    -- Bounds in image pixels; NULL for labels of the whole item.
    x REAL,
    y REAL,
    w REAL,
    h REAL,
    z INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('human', 'import', 'prelabel')),
    score REAL,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (item_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX annotation_category ON annotation (category_id, source, item_id);

-- The latest saved edits of each item, so that an edit sent again is answered as the first time.
CREATE TABLE annotation_change (
    item_id BLOB NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    change_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (item_id, change_id)
) STRICT, WITHOUT ROWID;

-- Items by status, kept by whoever changes an item, so that nobody counts 500,000 rows to take one. A project's figure is
-- the sum of its rows: everybody counts on their own row (`user_id` all zero: nobody), so that writers do not queue for
-- one. `done` and `skipped` stand on the row of whoever submitted or skipped.
CREATE TABLE project_counter (
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id BLOB NOT NULL,
    todo INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    -- Of `todo`, those with proposals.
    prelabeled INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE asset (
    id BLOB NOT NULL PRIMARY KEY,
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest),
    media_type TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX asset_project ON asset (project_id);

CREATE TABLE upload (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    received INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE job (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    project_id BLOB REFERENCES project (id) ON DELETE CASCADE,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    priority INTEGER NOT NULL DEFAULT 0,
    -- A queued job with the same key is not queued twice.
    dedup_key TEXT,
    run_after INTEGER NOT NULL,
    worker TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    result TEXT,
    error TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER
) STRICT;
CREATE INDEX job_claim ON job (state, run_after);
CREATE INDEX job_project ON job (project_id, created_at);
CREATE INDEX job_user ON job (created_by, created_at);
CREATE UNIQUE INDEX job_dedup ON job (dedup_key) WHERE dedup_key IS NOT NULL AND state = 'queued';

CREATE TABLE job_log (
    job_id BLOB NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

-- The audit log. Rows outlive what they speak of.
CREATE TABLE activity (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor_id BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    actor_name TEXT NOT NULL,
    project_id BLOB,
    verb TEXT NOT NULL,
    summary TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX activity_project ON activity (project_id, at);
CREATE INDEX activity_at ON activity (at);
