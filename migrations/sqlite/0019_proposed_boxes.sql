-- Boxes that models proposed, in image pixels, to tell those that people took as they were; NULL for categories of whole items.
ALTER TABLE assist_proposal ADD COLUMN x REAL;
ALTER TABLE assist_proposal ADD COLUMN y REAL;
ALTER TABLE assist_proposal ADD COLUMN w REAL;
ALTER TABLE assist_proposal ADD COLUMN h REAL;
