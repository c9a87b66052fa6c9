-- Videos of datastores: pictures that are frames, and what a file was when its item was made.
--
-- Frames a second of the videos that pictures of one folder are; NULL where each picture is an item.
ALTER TABLE project_source ADD COLUMN sequence_rate DOUBLE PRECISION;
-- BLAKE3 of the bytes that became the item (of a folder of frames: of their list); NULL where that is not known.
ALTER TABLE source_file ADD COLUMN digest TEXT;
