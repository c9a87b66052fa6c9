-- What is said of an item as a whole: JSON of the values by the keys of the project's item attributes; NULL without any.
ALTER TABLE item ADD COLUMN attributes TEXT;
