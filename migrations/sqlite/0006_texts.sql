-- no-transaction
-- Documents: items that are text, labels that are spans, and the tasks for them.
--
-- The tables are made anew as in 0002. Interrupted, it starts over.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS project_next;
CREATE TABLE project_next (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL CHECK (task IN
        ('detection', 'segmentation', 'semantic', 'keypoints', 'objects', 'classification', 'multilabel',
        'text_classification', 'text_multilabel', 'entities')),
    status TEXT NOT NULL CHECK (status IN ('running', 'paused')),
    description TEXT NOT NULL,
    instructions TEXT NOT NULL,
    settings TEXT NOT NULL,
    next_category_export_id INTEGER NOT NULL DEFAULT 1,
    next_item_export_id INTEGER NOT NULL DEFAULT 1,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO project_next SELECT id, name, name_key, task, status, description, instructions, settings,
    next_category_export_id, next_item_export_id, created_by, created_at, updated_at FROM project;
DROP TABLE project;
ALTER TABLE project_next RENAME TO project;

DROP TABLE IF EXISTS item_next;
CREATE TABLE item_next (
    id BLOB NOT NULL PRIMARY KEY,
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest),
    media_type TEXT NOT NULL,
    byte_size INTEGER NOT NULL,
    -- Of the oriented image, in pixels; 0 for a document.
    width INTEGER NOT NULL CHECK (width >= 0),
    height INTEGER NOT NULL CHECK (height >= 0),
    -- EXIF orientation of the stored bytes, 1 to 8.
    orientation INTEGER NOT NULL,
    export_id INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('todo', 'done', 'skipped')),
    skip_reason TEXT,
    -- Place in the queue: the export id, or random when the project shuffles.
    queue_rank INTEGER NOT NULL,
    lease_user_id BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    lease_until INTEGER NOT NULL DEFAULT 0,
    -- When the holder took it, so that items in hand come in the order taken.
    leased_at INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    annotation_count INTEGER NOT NULL DEFAULT 0,
    prelabel_count INTEGER NOT NULL DEFAULT 0,
    active_ms INTEGER NOT NULL DEFAULT 0,
    annotated_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    done_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    done_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Of a document: its Unicode scalar values, and how it begins.
    length INTEGER NOT NULL DEFAULT 0,
    excerpt TEXT NOT NULL DEFAULT '',
    UNIQUE (project_id, name_key),
    UNIQUE (project_id, export_id)
) STRICT;
INSERT INTO item_next (id, project_id, name, name_key, digest, media_type, byte_size, width, height, orientation, export_id, status,
    skip_reason, queue_rank, lease_user_id, lease_until, leased_at, revision, annotation_count, prelabel_count,
    active_ms, annotated_by, done_by, done_at, created_at, updated_at)
    SELECT id, project_id, name, name_key, digest, media_type, byte_size, width, height, orientation, export_id, status,
    skip_reason, queue_rank, lease_user_id, lease_until, leased_at, revision, annotation_count, prelabel_count,
    active_ms, annotated_by, done_by, done_at, created_at, updated_at FROM item;
DROP TABLE item;
ALTER TABLE item_next RENAME TO item;
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

DROP TABLE IF EXISTS annotation_next;
CREATE TABLE annotation_next (
    item_id BLOB NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    category_id BLOB NOT NULL REFERENCES category (id),
    kind TEXT NOT NULL CHECK (kind IN
        ('whole', 'box', 'polygon', 'mask', 'rotated_box', 'ellipse', 'polyline', 'points', 'keypoints', 'span')),
    -- Bounds in image pixels; NULL for labels of the whole item and spans.
    x REAL,
    y REAL,
    w REAL,
    h REAL,
    -- JSON of what the bounds do not say. NULL for boxes and labels of the whole item.
    geometry TEXT,
    z INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('human', 'import', 'prelabel')),
    score REAL,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    attributes TEXT,
    links TEXT,
    PRIMARY KEY (item_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO annotation_next SELECT item_id, id, category_id, kind, x, y, w, h, geometry, z, source, score, created_by,
    created_at, updated_at, attributes, links FROM annotation;
DROP TABLE annotation;
ALTER TABLE annotation_next RENAME TO annotation;
CREATE INDEX annotation_category ON annotation (category_id, source, item_id);
COMMIT;
PRAGMA foreign_keys = ON;
