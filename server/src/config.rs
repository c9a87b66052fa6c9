//! Configuration: read from `limn.toml`, the environment (`LIMN__SECTION__KEY`) and flags, in this order, later ones
//! winning; then checked once and handed on as [`Config`]. Nothing needs to be configured.

mod catalogue;
mod docs;
mod raw;
mod storage;

pub use docs::reference;
pub use raw::{RawConfig, SETTINGS, Setting};
pub use storage::Bucket;

use limn_ml::Processor;
use limn_services::Limits;
use limn_services::reach::{Network, Reach, Secret as Key};
use limn_store::DbConfig;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

/// A text that must not be printed.
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(unset)" } else { "(secret)" })
    }
}

/// Checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    pub data_dir: PathBuf,
    /// The object store for files; the data directory when absent.
    pub bucket: Option<Bucket>,
    pub addr: SocketAddr,
    /// Scheme, host and port under which browsers reach the server, without a trailing slash; from the requests when
    /// absent.
    pub public_url: Option<String>,
    /// Whether `X-Forwarded-For/-Host/-Proto` come from a proxy of ours.
    pub trust_proxy: bool,
    /// Folder with the built front end, for a binary that does not embed it.
    pub site_dir: Option<PathBuf>,
    pub database: Database,
    pub limits: Limits,
    /// Jobs at once; 0 leaves them to `limn worker`.
    pub job_workers: usize,
    /// What networks are computed on.
    pub processor: Processor,
    /// Days after which an unused session ends.
    pub session_days: i64,
    pub log: Log,
}

/// Which database.
#[derive(Debug, Clone)]
pub struct Database {
    /// PostgreSQL's URL; SQLite in the data directory when empty.
    pub url: Secret,
    pub max_connections: u32,
}

/// What is logged, and how.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// A filter as of `tracing`: `info`, `limn=debug,info`.
    pub filter: String,
    pub json: bool,
}

impl Config {
    /// Whether session cookies are for HTTPS only.
    pub fn secure_cookies(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(|u| u.starts_with("https://"))
    }

    /// How to open the database.
    pub fn db(&self) -> DbConfig {
        if self.database.url.reveal().is_empty() {
            DbConfig::Sqlite(self.data_dir.join("limn.db"))
        } else {
            DbConfig::Postgres {
                url: self.database.url.reveal().to_owned(),
                max_connections: self.database.max_connections,
            }
        }
    }
}

impl TryFrom<RawConfig> for Config {
    type Error = String;

    fn try_from(raw: RawConfig) -> Result<Self, String> {
        let url = raw.database.url.reveal();
        if !(url.is_empty() || url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(
                "database.url must start with postgres://; leave it out to use SQLite in the data directory."
                    .to_owned(),
            );
        }
        if raw.storage.data_dir.as_os_str().is_empty() {
            return Err("storage.data_dir is empty; name a folder, such as ./data.".to_owned());
        }
        let max_connections = within("database.max_connections", raw.database.max_connections, 2, 1000)?;
        let image_mb = within("limits.image_mb", raw.limits.image_mb, 1, 1 << 20)?;
        let text_mb = within("limits.text_mb", raw.limits.text_mb, 1, 64)?;
        let upload_gb = within("limits.upload_gb", raw.limits.upload_gb, 1, 1 << 20)?;
        let megapixels = within("limits.image_megapixels", raw.limits.image_megapixels, 1, 20_000)?;
        let whole = within("limits.whole_megapixels", raw.limits.whole_megapixels, 4, 200)?;
        let workers = within("jobs.workers", raw.jobs.workers, 0, 256)?;
        let session_days = within("sessions.days", raw.sessions.days, 1, 3650)?;
        if raw.log.filter.parse::<tracing_subscriber::EnvFilter>().is_err() {
            return Err(format!(
                "log.filter `{}` cannot be read; write it as info, or limn_server=debug,info.",
                raw.log.filter
            ));
        }
        let reach = reach(&raw)?;
        let bucket = storage::bucket(&raw.storage)?;
        Ok(Self {
            bucket,
            data_dir: raw.storage.data_dir,
            addr: address(&raw.server.addr)?,
            public_url: public_url(&raw.server.public_url)?,
            trust_proxy: raw.server.trust_proxy,
            site_dir: Some(raw.server.site_dir).filter(|d| !d.as_os_str().is_empty()),
            database: Database {
                url: raw.database.url,
                max_connections: max_connections as u32,
            },
            limits: Limits {
                image_bytes: (image_mb as u64) << 20,
                text_bytes: (text_mb as u64) << 20,
                upload_bytes: (upload_gb as u64) << 30,
                image_pixels: megapixels as u64 * 1_000_000,
                whole_pixels: whole as u64 * 1_000_000,
                ffmpeg: raw.video.ffmpeg,
                reach,
                catalogue: catalogue::settings(&raw.catalogue)?,
            },
            job_workers: workers as usize,
            processor: raw
                .training
                .device
                .parse::<Processor>()
                .map_err(|e| format!("training.device {e}."))?,
            session_days,
            log: Log {
                filter: raw.log.filter,
                json: raw.log.json,
            },
        })
    }
}

/// What datastores may reach.
fn reach(raw: &RawConfig) -> Result<Reach, String> {
    let parts = |text: &str| -> Vec<String> {
        let parts = text.split(',').map(|p| p.trim().to_owned());
        parts.filter(|p| !p.is_empty()).collect()
    };
    let networks = parts(&raw.network.allow)
        .iter()
        .map(|n| n.parse::<Network>().map_err(|e| format!("network.allow: {e}.")))
        .collect::<Result<_, _>>()?;
    let folders: Vec<PathBuf> = parts(&raw.datastores.folders)
        .into_iter()
        .map(PathBuf::from)
        .collect();
    if let Some(folder) = folders.iter().find(|f| !f.is_absolute()) {
        return Err(format!(
            "datastores.folders: `{}` is not absolute; write the whole path.",
            folder.display()
        ));
    }
    let key = raw.secrets.key.reveal().trim();
    if !(key.is_empty() || key.len() == 64 && key.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(
            "secrets.key is not 64 hexadecimal digits; make one with `openssl rand -hex 32`.".to_owned(),
        );
    }
    Ok(Reach {
        networks,
        folders,
        key: Key::new(key),
    })
}

fn within(name: &str, value: i64, least: i64, most: i64) -> Result<i64, String> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{name} is {value}; use {least} to {most}."))
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .ok_or_else(|| {
            format!("server.addr `{text}` is not an address; write it as 127.0.0.1:8080 or 0.0.0.0:80.")
        })
}

fn public_url(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || {
        format!("server.public_url `{text}` is not one; write scheme and host, as https://limn.example.org.")
    };
    let url: http::Uri = text.trim_end_matches('/').parse().map_err(|_| wrong())?;
    match (url.scheme_str(), url.authority(), url.path()) {
        (Some(scheme @ ("http" | "https")), Some(host), "" | "/") => {
            Ok(Some(format!("{scheme}://{}", host.as_str().to_ascii_lowercase())))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        RawConfig::from_sources(Some(toml), env)?.try_into()
    }

    #[test]
    fn nothing_needs_configuring() {
        let c = config("", &[]).unwrap();
        assert_eq!(c.addr.to_string(), "127.0.0.1:8080");
        assert!(matches!(c.db(), DbConfig::Sqlite(_)));
        assert!(!c.secure_cookies());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let c = config(
            "[server]\naddr = \"127.0.0.1:1\"\n[jobs]\nworkers = 3",
            &[
                ("LIMN__SERVER__ADDR", "127.0.0.1:2"),
                ("LIMN__SERVER__TRUST_PROXY", "true"),
                ("LIMN__DATABASE__URL", "postgres://u:p@h/d"),
                ("LIMN_TOKEN", "unrelated"),
            ],
        )
        .unwrap();
        assert_eq!(c.addr.port(), 2);
        assert_eq!(c.job_workers, 3);
        assert!(c.trust_proxy);
        assert!(!format!("{c:?}").contains("u:p"), "secrets are not printed");
    }

    #[test]
    fn mistakes_are_named() {
        for (toml, env, sign) in [
            ("[server]\nport = 1", None, "server.port"),
            ("[sever]\nport = 1", None, "sever"),
            ("[server]\naddr = 8080", None, "server.addr"),
            ("[jobs]\nworkers = 100000", None, "jobs.workers"),
            ("[server]\npublic_url = \"limn.example.org\"", None, "public_url"),
            (
                "[server]\npublic_url = \"https://limn.example.org/x\"",
                None,
                "public_url",
            ),
            ("[database]\nurl = \"mysql://x\"", None, "database.url"),
            ("", Some(("LIMN__JOBS__WORKERS", "many")), "LIMN__JOBS__WORKERS"),
            ("", Some(("LIMN__JOBS__WORKER", "1")), "LIMN__JOBS__WORKER"),
            ("[training]\ndevice = \"tpu\"", None, "training.device is `tpu`"),
            ("[network]\nallow = \"10.0.0.0/40\"", None, "network.allow"),
            ("[datastores]\nfolders = \"photos\"", None, "datastores.folders"),
            ("[secrets]\nkey = \"abc\"", None, "secrets.key"),
            ("[catalogue]\nfile = \"/no/such/file\"", None, "catalogue.file"),
            ("[catalogue]\nmirror = \"ftp://mirror\"", None, "catalogue.mirror"),
            (
                "[catalogue]\nproxy = \"https://user:pw@proxy\"",
                None,
                "catalogue.proxy",
            ),
            ("[storage]\nkind = \"ftp\"", None, "storage.kind"),
            ("[storage]\nkind = \"s3\"", None, "storage.bucket"),
            ("[storage]\nbucket = \"b\"", None, "storage.bucket"),
            (
                "[storage]\nkind = \"s3\"\nbucket = \"b\"\nbrowser_uploads = true",
                None,
                "storage.presign",
            ),
            (
                "[storage]\nkind = \"s3\"\nbucket = \"b\"",
                None,
                "storage.access_key_id",
            ),
            ("[server", None, "limn.toml"),
        ] {
            let error = config(toml, env.as_slice()).unwrap_err();
            assert!(error.contains(sign), "{toml} {env:?}: {error}");
        }
    }

    #[test]
    fn networks_are_computed_where_it_is_said() {
        let on = |text: &str| config(&format!("[training]\ndevice = \"{text}\""), &[]).map(|c| c.processor);
        assert_eq!(config("", &[]).unwrap().processor, Processor::Auto);
        assert_eq!(on("cpu"), Ok(Processor::Cpu));
        match on("gpu") {
            // Built with it.
            Ok(processor) => assert_eq!(processor, Processor::Gpu),
            Err(e) => assert!(
                e.contains("training.device is `gpu`") && e.contains("built without"),
                "{e}"
            ),
        }
    }

    #[test]
    fn an_object_store_has_a_bucket_and_a_key_that_is_not_printed() {
        let s3 = "[storage]\nkind = \"s3\"\nbucket = \"limn\"\nprefix = \"/a/b/\"\ncache_gb = 3";
        let key = [
            ("LIMN__STORAGE__ACCESS_KEY_ID", "AKID"),
            ("LIMN__STORAGE__SECRET_ACCESS_KEY", "hunter2"),
        ];
        let c = config(s3, &key).unwrap();
        let printed = format!("{c:?}");
        assert!(
            !printed.contains("hunter2") && !printed.contains("AKID"),
            "{printed}"
        );
        let bucket = c.bucket.unwrap();
        assert_eq!(
            (bucket.cache_bytes, bucket.settings.link_seconds),
            (3 << 30, None)
        );
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, "AKID\nhunter2\n").unwrap();
        let with_file = format!("{s3}\npresign = true\naccess_key_file = \"{}\"", file.display());
        let bucket = config(&with_file, &[]).unwrap().bucket.unwrap();
        assert_eq!(bucket.settings.secret_access_key.reveal(), "hunter2");
        assert!(bucket.settings.link_seconds.is_some());
        std::fs::write(&file, "AKID").unwrap();
        let error = config(&with_file, &[]).unwrap_err();
        assert!(
            error.contains("access_key_file") && !error.contains("AKID"),
            "{error}"
        );
    }

    #[test]
    fn the_public_url_is_an_origin() {
        let c = config("[server]\npublic_url = \"https://Limn.example.org/\"", &[]).unwrap();
        assert_eq!(c.public_url.as_deref(), Some("https://limn.example.org"));
        assert!(c.secure_cookies());
    }
}
