-- The assist: models that learn while people label.
CREATE TABLE assist (
    project_id BLOB NOT NULL PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
    settings TEXT NOT NULL,
    -- Names what describes pictures; NULL before it was fitted to the project's own.
    encoder_key TEXT,
    encoder BLOB,
    -- Pictures there were when it was fitted.
    fitted_on INTEGER NOT NULL DEFAULT 0,
    -- Items done when it trained last, items there were when it looked last, and when that was.
    trained_done INTEGER NOT NULL DEFAULT 0,
    run_total INTEGER NOT NULL DEFAULT 0,
    run_at INTEGER NOT NULL DEFAULT 0,
    -- Runs so far: places in the queue that an earlier one gave lie behind.
    runs INTEGER NOT NULL DEFAULT 0,
    -- Why there is no (new) model, in words.
    note TEXT NOT NULL DEFAULT '',
    job_id BLOB REFERENCES job (id) ON DELETE SET NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX assist_job ON assist (job_id);

-- Descriptions of pictures by their content; an empty one is of a picture that cannot be read.
CREATE TABLE feature (
    encoder_key TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest) ON DELETE CASCADE,
    -- 32-bit floats, little-endian.
    vector BLOB NOT NULL,
    PRIMARY KEY (encoder_key, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX feature_digest ON feature (digest);

CREATE TABLE assist_model (
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    encoder_key TEXT NOT NULL,
    -- The categories it knows, in the order of its outputs, and from which confidence on each is proposed.
    categories TEXT NOT NULL,
    thresholds TEXT NOT NULL,
    head BLOB NOT NULL,
    figures TEXT NOT NULL,
    -- Labeled items there were.
    labels INTEGER NOT NULL,
    millis INTEGER NOT NULL,
    trained_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, version)
) STRICT, WITHOUT ROWID;

-- What models proposed; the annotation of that id is gone where somebody refused it.
CREATE TABLE assist_proposal (
    item_id BLOB NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    annotation_id BLOB NOT NULL,
    category_id BLOB NOT NULL REFERENCES category (id) ON DELETE CASCADE,
    score REAL NOT NULL,
    model_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (item_id, annotation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX assist_proposal_category ON assist_proposal (category_id);

-- Items placed beside those alike.
CREATE TABLE assist_cluster (
    item_id BLOB NOT NULL PRIMARY KEY REFERENCES item (id) ON DELETE CASCADE,
    cluster INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
