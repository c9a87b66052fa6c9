-- Profiles of files by their content, kept so that a new version profiles only its new files, and those of versions.
CREATE TABLE file_profile (
    digest TEXT NOT NULL REFERENCES blob (digest) ON DELETE CASCADE,
    -- How the file was read: csv, jsonl, parquet, image, text.
    reader TEXT NOT NULL,
    -- What limn-profile wrote.
    state BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (digest, reader)
) STRICT, WITHOUT ROWID;

CREATE TABLE version_profile (
    version_id BLOB NOT NULL PRIMARY KEY REFERENCES dataset_version (id) ON DELETE CASCADE,
    -- JSON; NULL while it is being computed.
    profile BLOB,
    computed_at INTEGER,
    job_id BLOB REFERENCES job (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX version_profile_job ON version_profile (job_id);
