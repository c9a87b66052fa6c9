-- What several processes on one database and one object store tell each other.

-- Who is putting a blob, and who is removing one: never both.
CREATE TABLE blob_hold (
    digest TEXT NOT NULL PRIMARY KEY,
    -- Until then nobody removes it.
    held_until INTEGER NOT NULL,
    -- Until then somebody is removing it, unless they said before that it is done.
    doomed_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Things that one process does at a time, however many there are.
CREATE TABLE chore (
    name TEXT NOT NULL PRIMARY KEY,
    -- Whoever comes before leaves it.
    next_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The parts of a resumable upload, where those lie in the object store.
CREATE TABLE upload_piece (
    upload_id BLOB NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    -- Where it lies among the files that processes share.
    name TEXT NOT NULL,
    PRIMARY KEY (upload_id, start)
) STRICT, WITHOUT ROWID;
