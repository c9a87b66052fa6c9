-- Experiments, runs, what they log, their files, and the registry of models.
CREATE TABLE experiment (
    -- Clients write ids of experiments as numbers, and 0 is where they log unless told otherwise.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    -- JSON: an object of texts.
    tags TEXT NOT NULL,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
INSERT INTO experiment (id, name, tags, created_at, updated_at)
SELECT 0, 'Default', '{}', t.now, t.now FROM (SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 AS now) t;

CREATE TABLE run (
    id BLOB NOT NULL PRIMARY KEY,
    experiment_id INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Who ran it, in the words of the client.
    user_name TEXT NOT NULL,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'scheduled', 'finished', 'failed', 'killed')),
    -- Milliseconds, as the client gave them.
    start_ms INTEGER NOT NULL,
    end_ms INTEGER,
    -- Raised by whatever is logged, so that what was read of a run can be kept while it stays.
    change INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE INDEX run_experiment ON run (experiment_id, start_ms);
CREATE INDEX run_updated ON run (experiment_id, updated_at);

CREATE TABLE run_param (
    run_id BLOB NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_tag (
    run_id BLOB NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

-- The latest value of each metric: that of the highest step, then time, then value.
CREATE TABLE metric (
    run_id BLOB NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    step INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    -- NULL is not a number.
    value REAL,
    -- Points logged, and chunks of the lowest level there are.
    points INTEGER NOT NULL,
    loose INTEGER NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

-- All values of a metric: what one call logged is a chunk, and 64 chunks of a level become one of the next.
CREATE TABLE metric_chunk (
    run_id BLOB NOT NULL,
    key TEXT NOT NULL,
    -- The number of its first point.
    seq INTEGER NOT NULL,
    level INTEGER NOT NULL,
    points INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (run_id, key, seq),
    FOREIGN KEY (run_id, key) REFERENCES metric (run_id, key) ON DELETE CASCADE
) STRICT;

-- Data a run read.
CREATE TABLE run_input (
    run_id BLOB NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    source_type TEXT NOT NULL,
    source TEXT NOT NULL,
    schema TEXT NOT NULL,
    profile TEXT NOT NULL,
    tags TEXT NOT NULL,
    -- The version of a dataset of ours that it is.
    version_id BLOB REFERENCES dataset_version (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (run_id, name, digest)
) STRICT;
CREATE INDEX run_input_version ON run_input (version_id);

-- Models as runs log them, before anybody registers them.
CREATE TABLE logged_model (
    id BLOB NOT NULL PRIMARY KEY,
    experiment_id INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
    run_id BLOB REFERENCES run (id) ON DELETE SET NULL,
    name TEXT NOT NULL,
    model_type TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'failed')),
    params TEXT NOT NULL,
    tags TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE INDEX logged_model_experiment ON logged_model (experiment_id, created_at);
CREATE INDEX logged_model_run ON logged_model (run_id);

CREATE TABLE logged_model_metric (
    model_id BLOB NOT NULL REFERENCES logged_model (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    dataset_name TEXT NOT NULL,
    dataset_digest TEXT NOT NULL,
    run_id BLOB NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    value REAL,
    PRIMARY KEY (model_id, key, dataset_name, dataset_digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX logged_model_metric_run ON logged_model_metric (run_id);

-- Which models a run read and made.
CREATE TABLE run_model (
    run_id BLOB NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    model_id BLOB NOT NULL REFERENCES logged_model (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('input', 'output')),
    step INTEGER NOT NULL,
    PRIMARY KEY (run_id, model_id, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_model_model ON run_model (model_id);

CREATE TABLE registered_model (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    tags TEXT NOT NULL,
    next_number INTEGER NOT NULL DEFAULT 1,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX registered_model_updated ON registered_model (updated_at, id);

CREATE TABLE model_version (
    id BLOB NOT NULL PRIMARY KEY,
    model_id BLOB NOT NULL REFERENCES registered_model (id) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number >= 1),
    description TEXT NOT NULL,
    tags TEXT NOT NULL,
    -- What the client named as its origin; never opened.
    source TEXT NOT NULL,
    run_id BLOB REFERENCES run (id) ON DELETE SET NULL,
    logged_model_id BLOB REFERENCES logged_model (id) ON DELETE SET NULL,
    dataset_version_id BLOB REFERENCES dataset_version (id) ON DELETE SET NULL,
    run_link TEXT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('None', 'Staging', 'Production', 'Archived')),
    by_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (model_id, number)
) STRICT;
CREATE INDEX model_version_run ON model_version (run_id);
CREATE INDEX model_version_logged ON model_version (logged_model_id);
CREATE INDEX model_version_dataset ON model_version (dataset_version_id);

CREATE TABLE model_alias (
    model_id BLOB NOT NULL REFERENCES registered_model (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (model_id, name),
    FOREIGN KEY (model_id, number) REFERENCES model_version (model_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX model_alias_version ON model_alias (model_id, number);

-- Every move of an alias, only ever added to; a number that is NULL is its removal.
CREATE TABLE model_alias_move (
    id BLOB NOT NULL PRIMARY KEY,
    model_id BLOB NOT NULL REFERENCES registered_model (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    number INTEGER,
    by_name TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX model_alias_move_model ON model_alias_move (model_id, name, at);

-- Files of runs, logged models and versions of registered models, by path.
CREATE TABLE artifact (
    -- The id of a run, a logged model or a version; its files go with it.
    owner BLOB NOT NULL,
    path TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest),
    byte_size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner, path)
) STRICT;
CREATE INDEX artifact_digest ON artifact (digest);

-- Files that arrive in parts.
CREATE TABLE artifact_upload (
    id BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    path TEXT NOT NULL,
    -- The digest of what the addresses of the parts hold as their permission.
    secret_hash TEXT NOT NULL,
    parts INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX artifact_upload_created ON artifact_upload (created_at);
