-- The record of the catalogue of open datasets that an edge of the lineage begins at.
ALTER TABLE lineage ADD COLUMN from_catalogue TEXT;
CREATE INDEX lineage_from_catalogue ON lineage (from_catalogue) WHERE from_catalogue IS NOT NULL;
