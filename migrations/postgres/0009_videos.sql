-- Videos: items of numbered frames, and labels that are tracks through them.
ALTER TABLE annotation DROP CONSTRAINT annotation_kind_check;
ALTER TABLE annotation ADD CONSTRAINT annotation_kind_check CHECK (kind IN
    ('whole', 'box', 'polygon', 'mask', 'rotated_box', 'ellipse', 'polyline', 'points', 'keypoints', 'span', 'track'));

CREATE TABLE frame (
    item_id UUID NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    -- From 0, without gaps.
    number BIGINT NOT NULL CHECK (number >= 0),
    -- When it is shown, in microseconds from the first.
    time_us BIGINT NOT NULL CHECK (time_us >= 0),
    digest TEXT NOT NULL REFERENCES blob (digest),
    media_type TEXT NOT NULL,
    byte_size BIGINT NOT NULL,
    -- EXIF orientation of the stored bytes, 1 to 8.
    orientation BIGINT NOT NULL,
    PRIMARY KEY (item_id, number)
);
CREATE INDEX frame_digest ON frame (digest);
