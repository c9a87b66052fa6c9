-- The CRC-32 of bytes, once somebody has worked it out: a part of an archive is made without reading the files before it.
ALTER TABLE blob ADD COLUMN crc32 INTEGER;
