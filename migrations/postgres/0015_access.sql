-- Sums of what a version is downloaded as, for descriptions of it that have to name them.
CREATE TABLE version_checksum (
    version_id UUID NOT NULL REFERENCES dataset_version (id) ON DELETE CASCADE,
    file TEXT NOT NULL CHECK (file IN ('archive', 'metadata')),
    byte_size BIGINT NOT NULL CHECK (byte_size >= 0),
    sha256 TEXT NOT NULL,
    PRIMARY KEY (version_id, file)
);

-- A token that reaches one dataset alone.
ALTER TABLE api_token ADD COLUMN dataset_id UUID REFERENCES dataset (id) ON DELETE CASCADE;
CREATE INDEX api_token_dataset ON api_token (dataset_id);
