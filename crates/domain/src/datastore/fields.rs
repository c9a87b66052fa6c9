//! What each kind of datastore needs to know: one table for the wizard, the checks, the command line and the manual.

use super::DatastoreKind;

/// A setting or credential of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    pub key: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub example: &'static str,
    pub required: bool,
    /// A credential: encrypted, never answered.
    pub secret: bool,
    /// It says whom the credentials are shown to. Changing it needs them anew, so that nobody can have a kept one sent
    /// elsewhere.
    pub target: bool,
    /// Several lines.
    pub long: bool,
}

const fn setting(
    key: &'static str,
    label: &'static str,
    hint: &'static str,
    example: &'static str,
) -> FieldSpec {
    FieldSpec {
        key,
        label,
        hint,
        example,
        required: false,
        secret: false,
        target: false,
        long: false,
    }
}

const fn secret(key: &'static str, label: &'static str, hint: &'static str) -> FieldSpec {
    FieldSpec {
        key,
        label,
        hint,
        example: "",
        required: false,
        secret: true,
        target: false,
        long: false,
    }
}

impl FieldSpec {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn target(mut self) -> Self {
        self.target = true;
        self
    }

    const fn long(mut self) -> Self {
        self.long = true;
        self
    }
}

const FOLDER: &[FieldSpec] = &[setting(
    "path",
    "Folder",
    "An absolute path below one of `datastores.folders` of the server's configuration",
    "/mnt/photos",
)
.required()
.target()];

const PREFIX: FieldSpec = setting(
    "prefix",
    "Folder inside it",
    "All of it when empty",
    "datasets/street",
);

const S3: &[FieldSpec] = &[
    setting("bucket", "Bucket", "", "street-photos")
        .required()
        .target(),
    setting(
        "region",
        "Region",
        "`us-east-1` when empty; many compatible stores take any",
        "eu-central-1",
    )
    .target(),
    setting(
        "endpoint",
        "Endpoint",
        "Only for compatible stores; AWS when empty",
        "https://minio.example.org:9000",
    )
    .target(),
    PREFIX,
    setting(
        "addressing",
        "Addressing",
        "`path` or `host`; the usual one for the endpoint when empty",
        "path",
    ),
    setting(
        "access_key_id",
        "Access key id",
        "Empty for a public bucket",
        "AKIA...",
    ),
    secret(
        "secret_access_key",
        "Secret access key",
        "Needs s3:ListBucket and s3:GetObject, nothing else",
    ),
    secret(
        "session_token",
        "Session token",
        "Only with temporary credentials",
    ),
];

const ACCOUNT: FieldSpec = setting("account", "Storage account", "", "streetphotos")
    .required()
    .target();
const ACCOUNT_KEY: FieldSpec = secret(
    "account_key",
    "Account key",
    "Allows everything; a SAS is the better choice",
);

const AZURE: &[FieldSpec] = &[
    ACCOUNT,
    setting("container", "Container", "", "photos")
        .required()
        .target(),
    setting(
        "endpoint",
        "Endpoint",
        "Only for other clouds and emulators",
        "https://streetphotos.blob.core.windows.net",
    )
    .target(),
    PREFIX,
    ACCOUNT_KEY,
    secret("sas_token", "SAS token", "A container SAS with read and list"),
];

const AZURE_LAKE: &[FieldSpec] = &[
    ACCOUNT,
    setting(
        "filesystem",
        "File system",
        "The portal calls it a container",
        "photos",
    )
    .required()
    .target(),
    setting(
        "endpoint",
        "Endpoint",
        "Only for other clouds and emulators",
        "https://streetphotos.dfs.core.windows.net",
    )
    .target(),
    PREFIX,
    ACCOUNT_KEY,
    secret(
        "sas_token",
        "SAS token",
        "A SAS of the file system with read and list; instead of the account key",
    ),
];

const AZURE_FILES: &[FieldSpec] = &[
    ACCOUNT,
    setting("share", "File share", "", "photos").required().target(),
    setting(
        "endpoint",
        "Endpoint",
        "Only for other clouds and emulators",
        "https://streetphotos.file.core.windows.net",
    )
    .target(),
    PREFIX,
    ACCOUNT_KEY,
    secret(
        "sas_token",
        "SAS token",
        "A SAS of the share with read and list; instead of the account key",
    ),
];

const GCS: &[FieldSpec] = &[
    setting("bucket", "Bucket", "", "street-photos")
        .required()
        .target(),
    setting(
        "endpoint",
        "Endpoint",
        "Only for emulators",
        "https://storage.googleapis.com",
    )
    .target(),
    PREFIX,
    setting(
        "access_key_id",
        "HMAC access id",
        "Of a service account with Storage Object Viewer; empty for a public bucket",
        "GOOG1E...",
    ),
    secret("secret_access_key", "HMAC secret", ""),
];

const HTTP: &[FieldSpec] = &[
    setting(
        "url",
        "Address",
        "The page that lists the files",
        "https://data.example.org/photos/",
    )
    .required()
    .target(),
    setting("username", "User name", "Only with basic authentication", "limn"),
    secret("password", "Password", ""),
    secret("token", "Bearer token", "Instead of a password"),
];

const WEBDAV: &[FieldSpec] = &[
    setting(
        "url",
        "Address",
        "The folder",
        "https://cloud.example.org/remote.php/dav/files/limn/",
    )
    .required()
    .target(),
    setting("username", "User name", "", "limn"),
    secret(
        "password",
        "Password",
        "An app password where there is such a thing",
    ),
    secret("token", "Bearer token", "Instead of a password"),
];

const SFTP: &[FieldSpec] = &[
    setting("host", "Host", "", "sftp.example.org")
        .required()
        .target(),
    setting("port", "Port", "22 when empty", "22").target(),
    setting(
        "path",
        "Folder",
        "From `/` on, or from the login's own folder on; that one when empty",
        "photos/street",
    ),
    setting(
        "username",
        "User name",
        "A login that may only read",
        "limn_reader",
    )
    .required(),
    setting(
        "host_key",
        "Host key",
        "The fingerprint of the server's key; that of the first connection when empty",
        "SHA256:yC4r62GbpIo5Ps/DFo7uSgQ0TMhscErvctvbcB5lCFo",
    )
    .target(),
    secret("password", "Password", "Or a private key"),
    secret(
        "private_key",
        "Private key",
        "The whole file, as `ssh-keygen` writes it: Ed25519, ECDSA or RSA",
    )
    .long(),
    secret("passphrase", "Passphrase", "Only where the private key has one"),
];

const HOST: FieldSpec = setting("host", "Host", "", "db.example.org").required().target();
const DATABASE: FieldSpec = setting("database", "Database", "", "street").required().target();
const LOGIN: FieldSpec = setting(
    "username",
    "User name",
    "A login that may only read",
    "limn_reader",
)
.required();
const TLS: FieldSpec = setting(
    "tls",
    "TLS",
    "`prefer` when empty, `require` to refuse plain text, `verify-full` to check the server's certificate and name too, `off`",
    "verify-full",
)
.target();
const TLS_CA: FieldSpec = setting(
    "tls_ca",
    "Certificate authority",
    "Only with `verify-full`: who signed the server's certificate, as PEM, unless Limn's server trusts them already",
    "-----BEGIN CERTIFICATE-----",
)
.target()
.long();

const POSTGRES: &[FieldSpec] = &[
    HOST,
    setting("port", "Port", "5432 when empty", "5432").target(),
    DATABASE,
    LOGIN,
    TLS,
    TLS_CA,
    secret("password", "Password", ""),
];

const MYSQL: &[FieldSpec] = &[
    HOST,
    setting("port", "Port", "3306 when empty", "3306").target(),
    DATABASE,
    LOGIN,
    TLS,
    TLS_CA,
    secret("password", "Password", ""),
];

const SQL_SERVER: &[FieldSpec] = &[
    HOST,
    setting(
        "port",
        "Port",
        "1433 when empty; that of the instance where there are several",
        "1433",
    )
    .target(),
    DATABASE,
    LOGIN,
    TLS,
    TLS_CA,
    secret(
        "password",
        "Password",
        "Of a login of SQL Server itself, not of Windows",
    ),
];

const SQLITE: &[FieldSpec] = &[setting(
    "path",
    "File",
    "An absolute path below one of `datastores.folders` of the server's configuration",
    "/mnt/data/street.db",
)
.required()
.target()];

/// The fields of a kind, in the order a form shows them.
pub const fn fields(kind: DatastoreKind) -> &'static [FieldSpec] {
    match kind {
        DatastoreKind::Folder => FOLDER,
        DatastoreKind::S3 => S3,
        DatastoreKind::Azure => AZURE,
        DatastoreKind::AzureLake => AZURE_LAKE,
        DatastoreKind::AzureFiles => AZURE_FILES,
        DatastoreKind::Gcs => GCS,
        DatastoreKind::Http => HTTP,
        DatastoreKind::Webdav => WEBDAV,
        DatastoreKind::Sftp => SFTP,
        DatastoreKind::Postgres => POSTGRES,
        DatastoreKind::Mysql => MYSQL,
        DatastoreKind::SqlServer => SQL_SERVER,
        DatastoreKind::Sqlite => SQLITE,
    }
}
