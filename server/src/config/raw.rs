//! The settings as written, before any check. One table makes the struct, the environment's names and the manual.

use super::Secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A setting for the manual and for reading the environment.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub section: &'static str,
    pub key: &'static str,
    /// `text`, `path`, `number`, `yes/no` or `secret`.
    pub kind: &'static str,
    /// As written in `limn.toml`.
    pub default: &'static str,
    pub doc: &'static str,
}

impl Setting {
    /// Name of the environment variable.
    pub fn variable(&self) -> String {
        format!(
            "LIMN__{}__{}",
            self.section.to_uppercase(),
            self.key.to_uppercase()
        )
    }
}

macro_rules! kind {
    (String) => {
        "text"
    };
    (PathBuf) => {
        "path"
    };
    (i64) => {
        "number"
    };
    (bool) => {
        "yes/no"
    };
    (Secret) => {
        "secret"
    };
}

macro_rules! settings {
    ($($section:ident : $name:ident { $($(#[doc = $doc:literal])+ $key:ident : $type:tt = $default:expr;)* })*) => {
        /// The settings as written.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct RawConfig { $(pub $section: $name,)* }

        $(
            /// One section of the settings.
            #[derive(Debug, Clone, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $name { $($(#[doc = $doc])+ pub $key: $type,)* }

            impl Default for $name {
                fn default() -> Self {
                    Self { $($key: $type::from($default),)* }
                }
            }
        )*

        /// Every setting, in the manual's order.
        pub const SETTINGS: &[Setting] = &[$($(Setting {
            section: stringify!($section),
            key: stringify!($key),
            kind: kind!($type),
            default: stringify!($default),
            doc: concat!($($doc),+),
        },)*)*];
    };
}

settings! {
    server: Server {
        /// Address and port to listen on; port 0 takes a free one. `--addr` wins.
        addr: String = "127.0.0.1:8080";
        /// Where browsers reach the server, such as `https://limn.example.org`. With `https` session cookies are sent
        /// over HTTPS only. Worked out from each request when empty.
        public_url: String = "";
        /// Believe `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`. Only behind a proxy that sets them.
        trust_proxy: bool = false;
        /// Folder with the built front end. Only for a binary built without it; found beside it when empty.
        site_dir: PathBuf = "";
    }
    storage: Storage {
        /// Folder for the database (SQLite), pictures and exports; made when missing. `--data-dir` wins.
        data_dir: PathBuf = "data";
        /// Where pictures and all other files are kept: `folder` is the data directory, `s3` an object store. With `s3` every
        /// process has a data directory of its own, for what it is working on.
        kind: String = "folder";
        /// Address of the object store, `https://s3.example.org`; that of AWS in the region when empty.
        endpoint: String = "";
        /// Its region.
        region: String = "us-east-1";
        /// Its bucket, which must be there.
        bucket: String = "";
        /// Put before the name of every object, so that several studios share a bucket.
        prefix: String = "";
        /// Whether the bucket is in the path of addresses (`https://s3.example.org/bucket`) and not in the host name.
        path_style: bool = true;
        /// The access key's id.
        access_key_id: Secret = String::new();
        /// The access key's secret.
        secret_access_key: Secret = String::new();
        /// A file with id and secret of the access key, a line each, in the place of the two settings above.
        access_key_file: PathBuf = "";
        /// Gigabytes of objects that this process keeps copies of in its data directory; what was used last stays longest.
        cache_gb: i64 = 20;
        /// Whether downloads are answered with an address of the object store that is good for a quarter of an hour, and the
        /// command line and other API clients get such addresses for parts of uploads, so that the bytes do not come
        /// through this process.
        presign: bool = false;
        /// Whether pages, too, put parts of uploads straight into the object store. Needs `presign`, and a bucket that allows
        /// `PUT` from the studio's address (CORS).
        browser_uploads: bool = false;
        /// Address of the object store as people reach it, where it is another one. Only for `presign`.
        public_endpoint: String = "";
    }
    database: DatabaseSection {
        /// PostgreSQL's URL, `postgres://user:password@host/name`. SQLite in the data directory when empty.
        /// `--database-url` wins.
        url: Secret = String::new();
        /// Most connections to PostgreSQL.
        max_connections: i64 = 16;
    }
    limits: LimitsSection {
        /// Largest single picture, in megabytes.
        image_mb: i64 = 8192;
        /// Largest single document of a text project, in megabytes. The label page is made for one.
        text_mb: i64 = 1;
        /// Largest resumable upload, in gigabytes.
        upload_gb: i64 = 64;
        /// Largest picture, in millions of pixels.
        image_megapixels: i64 = 2000;
        /// Pictures of more millions of pixels are cut into tiles by a job and never decoded whole.
        whole_megapixels: i64 = 32;
    }
    video: VideoSection {
        /// The program ffmpeg, 5.1 or newer, by name or path: it takes video files apart. Sequences of pictures work without.
        ffmpeg: PathBuf = "ffmpeg";
    }
    network: NetworkSection {
        /// Networks that datastores may reach though they are not public, as `10.1.0.0/16, 192.168.1.7`. This machine
        /// itself, private networks and clouds' metadata services are refused unless they are named.
        allow: String = "";
    }
    datastores: DatastoresSection {
        /// Folders of this machine that datastores may lie in, as `/mnt/photos, /srv/data`: mounted shares too. None when
        /// empty.
        folders: String = "";
    }
    catalogue: CatalogueSection {
        /// Whether there is a catalogue of open datasets.
        enabled: bool = true;
        /// A catalogue in the place of the shipped one, as docs/catalogue.md describes it. Read when the server starts.
        file: PathBuf = "";
        /// Where copies of the files lie: put in front of each address in the place of its `https://`, so that
        /// `https://mirror.example.org/sets` stands for `https://mirror.example.org/sets/HOST/PATH`. A mirror in a private
        /// network has to be named in `network.allow`.
        mirror: String = "";
        /// A proxy that fetches them, `http://proxy:3128`, with user name and password in it where it asks for them.
        proxy: Secret = String::new();
    }
    secrets: SecretsSection {
        /// The key that credentials are encrypted with: 64 hexadecimal digits. When empty, the one in `secret.key` of the
        /// data directory, which is made when it is first needed.
        key: Secret = String::new();
    }
    jobs: Jobs {
        /// Background jobs at once in this process; 0 leaves them to `limn worker`.
        workers: i64 = 2;
    }
    training: TrainingSection {
        /// What networks are trained and asked on: `auto` is a graphics processor where the program was built for it (docs/training.md)
        /// and one can be used, else the CPU; `gpu` is a graphics processor, without which no process that runs jobs starts;
        /// `cpu` is the CPU.
        device: String = "auto";
    }
    sessions: Sessions {
        /// Days without a visit after which somebody must sign in again.
        days: i64 = 30;
    }
    log: LogSection {
        /// What is logged: `error`, `warn`, `info`, `debug`, or by part, `limn_server=debug,info`.
        filter: String = "info";
        /// One JSON object a line instead of text.
        json: bool = false;
    }
}

impl RawConfig {
    /// Reads the file (`None`: `./limn.toml` when there is one) and this process's environment.
    pub fn load(file: Option<&Path>) -> Result<Self, String> {
        let path = file.unwrap_or(Path::new("limn.toml"));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(e) if file.is_none() && e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
        };
        Self::from_sources(text.as_deref(), std::env::vars())
    }

    /// From the file's text and environment variables; those that do not start with `LIMN__` are passed over.
    pub fn from_sources(
        file: Option<&str>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let mut table: toml::Table = file
            .unwrap_or_default()
            .parse()
            .map_err(|e: toml::de::Error| format!("limn.toml cannot be read: {e}"))?;
        for (section, value) in &table {
            let Some(keys) = value
                .as_table()
                .filter(|_| SETTINGS.iter().any(|s| s.section == section))
            else {
                return Err(format!(
                    "limn.toml: there is no section [{section}]; see docs/configuration.md."
                ));
            };
            if let Some(key) = keys.keys().find(|k| {
                !SETTINGS
                    .iter()
                    .any(|s| s.section == section && s.key == k.as_str())
            }) {
                return Err(format!(
                    "limn.toml: there is no setting {section}.{key}; see docs/configuration.md."
                ));
            }
        }
        for (name, text) in env.filter(|(name, _)| name.starts_with("LIMN__")) {
            let setting = SETTINGS.iter().find(|s| s.variable() == name).ok_or_else(|| {
                format!("the environment variable {name} is no setting; see docs/configuration.md.")
            })?;
            let value = match setting.kind {
                "number" => text
                    .trim()
                    .parse()
                    .map(toml::Value::Integer)
                    .map_err(|_| format!("{name} is `{text}`; write a whole number."))?,
                "yes/no" => text
                    .trim()
                    .parse()
                    .map(toml::Value::Boolean)
                    .map_err(|_| format!("{name} is `{text}`; write true or false."))?,
                _ => toml::Value::String(text),
            };
            table
                .entry(setting.section)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()))
                .as_table_mut()
                .ok_or_else(|| format!("limn.toml: {} is no section", setting.section))?
                .insert(setting.key.to_owned(), value);
        }
        // Each setting alone first, so that a wrong type is reported with its name.
        for setting in SETTINGS {
            if let Some(value) = table.get(setting.section).and_then(|s| s.get(setting.key)) {
                let fits = match setting.kind {
                    "number" => value.is_integer(),
                    "yes/no" => value.is_bool(),
                    _ => value.is_str(),
                };
                if !fits {
                    return Err(format!(
                        "{}.{} has the wrong type; write it as {} = {}.",
                        setting.section,
                        setting.key,
                        setting.key,
                        super::docs::example(setting)
                    ));
                }
            }
        }
        table
            .try_into()
            .map_err(|e| format!("the configuration cannot be read: {e}"))
    }
}
