-- Spans that models proposed, as `annotation.geometry` has them, to tell those that people took as they were; NULL for boxes and whole items.
ALTER TABLE assist_proposal ADD COLUMN geometry TEXT;
