-- no-transaction
-- More kinds of datastores: Data Lake Gen2, Azure Files, SQL Server.
--
-- The table is made anew as in 0002. Interrupted, it starts over.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS datastore_next;
CREATE TABLE datastore_next (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('folder', 's3', 'azure', 'azure_lake', 'azure_files', 'gcs', 'http', 'webdav', 'sftp',
        'postgres', 'mysql', 'sql_server', 'sqlite')),
    description TEXT NOT NULL,
    -- JSON: texts by key. Nothing secret.
    settings TEXT NOT NULL,
    -- JSON: the keys of the credentials that are set.
    secret_keys TEXT NOT NULL,
    -- Encrypted JSON of the credentials.
    sealed BLOB NOT NULL,
    enabled INTEGER NOT NULL,
    health TEXT NOT NULL CHECK (health IN ('unknown', 'ok', 'failing')),
    health_text TEXT NOT NULL,
    -- JSON: a list of texts.
    warnings TEXT NOT NULL,
    checked_at INTEGER,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO datastore_next (id, name, name_key, kind, description, settings, secret_keys, sealed, enabled, health, health_text,
    warnings, checked_at, created_by, created_at, updated_at) SELECT id, name, name_key, kind, description, settings, secret_keys,
    sealed, enabled, health, health_text, warnings, checked_at, created_by, created_at, updated_at FROM datastore;
DROP TABLE datastore;
ALTER TABLE datastore_next RENAME TO datastore;
COMMIT;
PRAGMA foreign_keys = ON;
