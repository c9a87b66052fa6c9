-- Boxes that models proposed, in image pixels, to tell those that people took as they were; NULL for categories of whole items.
ALTER TABLE assist_proposal ADD COLUMN x DOUBLE PRECISION;
ALTER TABLE assist_proposal ADD COLUMN y DOUBLE PRECISION;
ALTER TABLE assist_proposal ADD COLUMN w DOUBLE PRECISION;
ALTER TABLE assist_proposal ADD COLUMN h DOUBLE PRECISION;
