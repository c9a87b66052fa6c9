-- no-transaction
-- Videos: items of numbered frames, and labels that are tracks through them.
--
-- The table is made anew as in 0002. Interrupted, it starts over.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS annotation_next;
CREATE TABLE annotation_next (
    item_id BLOB NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    category_id BLOB NOT NULL REFERENCES category (id),
    kind TEXT NOT NULL CHECK (kind IN
        ('whole', 'box', 'polygon', 'mask', 'rotated_box', 'ellipse', 'polyline', 'points', 'keypoints', 'span', 'track')),
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

CREATE TABLE frame (
    item_id BLOB NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    -- From 0, without gaps.
    number INTEGER NOT NULL CHECK (number >= 0),
    -- When it is shown, in microseconds from the first.
    time_us INTEGER NOT NULL CHECK (time_us >= 0),
    digest TEXT NOT NULL REFERENCES blob (digest),
    media_type TEXT NOT NULL,
    byte_size INTEGER NOT NULL,
    -- EXIF orientation of the stored bytes, 1 to 8.
    orientation INTEGER NOT NULL,
    PRIMARY KEY (item_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX frame_digest ON frame (digest);
COMMIT;
PRAGMA foreign_keys = ON;
