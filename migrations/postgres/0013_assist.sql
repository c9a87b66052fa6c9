-- The assist: models that learn while people label.
CREATE TABLE assist (
    project_id UUID NOT NULL PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
    settings JSONB NOT NULL,
    -- Names what describes pictures; NULL before it was fitted to the project's own.
    encoder_key TEXT,
    encoder BYTEA,
    -- Pictures there were when it was fitted.
    fitted_on BIGINT NOT NULL DEFAULT 0,
    -- Items done when it trained last, items there were when it looked last, and when that was.
    trained_done BIGINT NOT NULL DEFAULT 0,
    run_total BIGINT NOT NULL DEFAULT 0,
    run_at BIGINT NOT NULL DEFAULT 0,
    -- Runs so far: places in the queue that an earlier one gave lie behind.
    runs BIGINT NOT NULL DEFAULT 0,
    -- Why there is no (new) model, in words.
    note TEXT NOT NULL DEFAULT '',
    job_id UUID REFERENCES job (id) ON DELETE SET NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX assist_job ON assist (job_id);

-- Descriptions of pictures by their content; an empty one is of a picture that cannot be read.
CREATE TABLE feature (
    encoder_key TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest) ON DELETE CASCADE,
    -- 32-bit floats, little-endian.
    vector BYTEA NOT NULL,
    PRIMARY KEY (encoder_key, digest)
);
CREATE INDEX feature_digest ON feature (digest);

CREATE TABLE assist_model (
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    encoder_key TEXT NOT NULL,
    -- The categories it knows, in the order of its outputs, and from which confidence on each is proposed.
    categories JSONB NOT NULL,
    thresholds JSONB NOT NULL,
    head BYTEA NOT NULL,
    figures JSONB NOT NULL,
    -- Labeled items there were.
    labels BIGINT NOT NULL,
    millis BIGINT NOT NULL,
    trained_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, version)
);

-- What models proposed; the annotation of that id is gone where somebody refused it.
CREATE TABLE assist_proposal (
    item_id UUID NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    annotation_id UUID NOT NULL,
    category_id UUID NOT NULL REFERENCES category (id) ON DELETE CASCADE,
    score DOUBLE PRECISION NOT NULL,
    model_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (item_id, annotation_id)
);
CREATE INDEX assist_proposal_category ON assist_proposal (category_id);

-- Items placed beside those alike.
CREATE TABLE assist_cluster (
    item_id UUID NOT NULL PRIMARY KEY REFERENCES item (id) ON DELETE CASCADE,
    cluster BIGINT NOT NULL
);
