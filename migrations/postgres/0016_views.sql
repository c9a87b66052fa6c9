-- Filters over a dataset's files, kept under a name.
CREATE TABLE saved_view (
    id UUID NOT NULL PRIMARY KEY,
    dataset_id UUID NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    -- JSON: an explore query.
    query JSONB NOT NULL,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (dataset_id, name_key)
);
