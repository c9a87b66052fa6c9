-- Limn's first schema. Ids are UUIDv7 (16 bytes), times are microseconds since the epoch.
CREATE TABLE user_account (
    id UUID NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'manager', 'reviewer', 'labeler', 'viewer')),
    password_hash TEXT,
    disabled_at BIGINT,
    -- Raised to end every session of the person.
    session_epoch BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT
);

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    user_id UUID,
    data TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_expires ON session (expires_at);
CREATE INDEX session_owner ON session (user_id);

-- Failed sign-ins by address and by client, for slowing guesses down.
CREATE TABLE sign_in_throttle (
    subject TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE setting (
    key TEXT NOT NULL PRIMARY KEY,
    value JSONB NOT NULL
);

CREATE TABLE project (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL CHECK (task IN ('detection', 'classification', 'multilabel')),
    status TEXT NOT NULL CHECK (status IN ('running', 'paused')),
    description TEXT NOT NULL,
    instructions TEXT NOT NULL,
    settings JSONB NOT NULL,
    next_category_export_id BIGINT NOT NULL DEFAULT 1,
    next_item_export_id BIGINT NOT NULL DEFAULT 1,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE project_member (
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('manager', 'reviewer', 'labeler', 'viewer')),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_member_user ON project_member (user_id);

CREATE TABLE api_token (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
    project_id UUID REFERENCES project (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_token_user ON api_token (user_id);

CREATE TABLE invitation (
    id UUID NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'manager', 'reviewer', 'labeler', 'viewer')),
    project_id UUID REFERENCES project (id) ON DELETE CASCADE,
    project_role TEXT CHECK (project_role IN ('manager', 'reviewer', 'labeler', 'viewer')),
    secret_hash TEXT NOT NULL UNIQUE,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    accepted_at BIGINT
);

CREATE TABLE category (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    parent_id UUID REFERENCES category (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    color TEXT NOT NULL,
    hotkey BIGINT CHECK (hotkey BETWEEN 1 AND 9),
    position BIGINT NOT NULL,
    export_id BIGINT NOT NULL CHECK (export_id >= 1),
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, export_id)
);
CREATE INDEX category_parent ON category (parent_id);

-- Export ids of categories that were removed; never given again.
CREATE TABLE retired_category (
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    export_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, export_id)
);

-- Bytes by their BLAKE3 digest; the files lie in the blob store.
CREATE TABLE blob (
    digest TEXT NOT NULL PRIMARY KEY,
    byte_size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE item (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- By bytes, as on SQLite.
    name_key TEXT COLLATE "C" NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest),
    media_type TEXT NOT NULL,
    byte_size BIGINT NOT NULL,
    -- Of the oriented image, in pixels.
    width BIGINT NOT NULL CHECK (width > 0),
    height BIGINT NOT NULL CHECK (height > 0),
    -- EXIF orientation of the stored bytes, 1 to 8.
    orientation BIGINT NOT NULL,
    export_id BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('todo', 'done', 'skipped')),
    skip_reason TEXT,
    -- Place in the queue: the export id, or random when the project shuffles.
    queue_rank BIGINT NOT NULL,
    lease_user_id UUID REFERENCES user_account (id) ON DELETE SET NULL,
    lease_until BIGINT NOT NULL DEFAULT 0,
    -- When the holder took it, so that items in hand come in the order taken.
    leased_at BIGINT NOT NULL DEFAULT 0,
    revision BIGINT NOT NULL DEFAULT 0,
    annotation_count BIGINT NOT NULL DEFAULT 0,
    prelabel_count BIGINT NOT NULL DEFAULT 0,
    active_ms BIGINT NOT NULL DEFAULT 0,
    annotated_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    done_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    done_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (project_id, name_key),
    UNIQUE (project_id, export_id)
);
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
    item_id UUID NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    id UUID NOT NULL,
    category_id UUID NOT NULL REFERENCES category (id),
    kind TEXT NOT NULL CHECK (kind IN ('whole', 'box')),
    -- Bounds in image pixels; NULL for labels of the whole item.
    x DOUBLE PRECISION,
    y DOUBLE PRECISION,
    w DOUBLE PRECISION,
    h DOUBLE PRECISION,
    z BIGINT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('human', 'import', 'prelabel')),
    score DOUBLE PRECISION,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (item_id, id)
);
CREATE INDEX annotation_category ON annotation (category_id, source, item_id);

-- The latest saved edits of each item, so that an edit sent again is answered as the first time.
CREATE TABLE annotation_change (
    item_id UUID NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    change_id UUID NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (item_id, change_id)
);

-- Items by status, kept by whoever changes an item, so that nobody counts 500,000 rows to take one. A project's figure is
-- the sum of its rows: everybody counts on their own row (`user_id` all zero: nobody), so that writers do not queue for
-- one. `done` and `skipped` stand on the row of whoever submitted or skipped.
CREATE TABLE project_counter (
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id UUID NOT NULL,
    todo BIGINT NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    -- Of `todo`, those with proposals.
    prelabeled BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, user_id)
);

CREATE TABLE asset (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest),
    media_type TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX asset_project ON asset (project_id);

CREATE TABLE upload (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    received BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE job (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    project_id UUID REFERENCES project (id) ON DELETE CASCADE,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    payload JSONB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    priority BIGINT NOT NULL DEFAULT 0,
    -- A queued job with the same key is not queued twice.
    dedup_key TEXT,
    run_after BIGINT NOT NULL,
    worker TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    max_attempts BIGINT NOT NULL,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    done BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    result JSONB,
    error TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE INDEX job_claim ON job (state, run_after);
CREATE INDEX job_project ON job (project_id, created_at);
CREATE INDEX job_user ON job (created_by, created_at);
CREATE UNIQUE INDEX job_dedup ON job (dedup_key) WHERE dedup_key IS NOT NULL AND state = 'queued';

CREATE TABLE job_log (
    job_id UUID NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (job_id, seq)
);

-- The audit log. Rows outlive what they speak of.
CREATE TABLE activity (
    id UUID NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_id UUID REFERENCES user_account (id) ON DELETE SET NULL,
    actor_name TEXT NOT NULL,
    project_id UUID,
    verb TEXT NOT NULL,
    summary TEXT NOT NULL,
    data JSONB NOT NULL
);
CREATE INDEX activity_project ON activity (project_id, at);
CREATE INDEX activity_at ON activity (at);
