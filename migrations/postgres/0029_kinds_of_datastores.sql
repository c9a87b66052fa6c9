-- More kinds of datastores: Data Lake Gen2, Azure Files, SQL Server.
ALTER TABLE datastore DROP CONSTRAINT datastore_kind_check;
ALTER TABLE datastore ADD CONSTRAINT datastore_kind_check CHECK (kind IN ('folder', 's3', 'azure', 'azure_lake', 'azure_files',
    'gcs', 'http', 'webdav', 'sftp', 'postgres', 'mysql', 'sql_server', 'sqlite'));
