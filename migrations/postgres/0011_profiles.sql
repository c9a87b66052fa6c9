-- Profiles of files by their content, kept so that a new version profiles only its new files, and those of versions.
CREATE TABLE file_profile (
    digest TEXT NOT NULL REFERENCES blob (digest) ON DELETE CASCADE,
    -- How the file was read: csv, jsonl, parquet, image, text.
    reader TEXT NOT NULL,
    -- What limn-profile wrote.
    state BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (digest, reader)
);

CREATE TABLE version_profile (
    version_id UUID NOT NULL PRIMARY KEY REFERENCES dataset_version (id) ON DELETE CASCADE,
    -- JSON; NULL while it is being computed.
    profile BYTEA,
    computed_at BIGINT,
    job_id UUID REFERENCES job (id) ON DELETE SET NULL
);
CREATE INDEX version_profile_job ON version_profile (job_id);
