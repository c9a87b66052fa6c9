//! From settings and credentials to a store.

use crate::azure::{self, Account, Service};
use crate::files::Files;
use crate::folder::{self, Folder};
use crate::http::{Http, address};
use crate::s3::S3;
use crate::sftp::{self, Sftp};
use crate::sigv4::Signer;
use crate::site::Site;
use crate::sql::{Database, Tls};
use crate::webdav::Webdav;
use crate::{ConnectError, Guard, Reach, Result, Secret};
use base64::Engine as _;
use limn_domain::datastore::{DatastoreKind, TestOutcome, VALUE_MAX, fields};
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// An open store.
pub enum Store {
    Files(Box<dyn Files>),
    Sql(Box<Database>),
}

/// A store that was opened.
pub struct Opened {
    pub store: Store,
}

type Settings = BTreeMap<String, String>;
type Secrets = BTreeMap<String, Secret>;
/// Fields and what is wrong with them.
pub type WrongFields = Vec<(String, String)>;

/// Whether these are settings and credentials of the kind: no unknown ones, the needed ones there. Answers them trimmed;
/// errors are a field and a text each.
pub fn check(
    kind: DatastoreKind,
    settings: &Settings,
    secrets: &BTreeMap<String, String>,
) -> std::result::Result<(Settings, BTreeMap<String, String>), WrongFields> {
    let specs = fields(kind);
    let mut wrong = Vec::new();
    let mut tidy = |given: &Settings, secret: bool, group: &str| {
        let mut out = Settings::new();
        for (key, value) in given {
            let Some(spec) = specs.iter().find(|s| s.key == key && s.secret == secret) else {
                let known: Vec<&str> = specs
                    .iter()
                    .filter(|s| s.secret == secret)
                    .map(|s| s.key)
                    .collect();
                wrong.push((
                    format!("{group}.{key}"),
                    format!("A {} knows no `{key}`, only {}.", kind.label(), known.join(", ")),
                ));
                continue;
            };
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let fine = if spec.long {
                value.chars().all(|c| !c.is_control() || c.is_whitespace())
            } else {
                !value.chars().any(char::is_control)
            };
            if value.len() > VALUE_MAX || !fine {
                let form = if spec.long { "a text" } else { "one line" };
                wrong.push((
                    format!("{group}.{key}"),
                    format!("{} is {form} of at most {VALUE_MAX} bytes.", spec.label),
                ));
                continue;
            }
            out.insert(key.clone(), value.to_owned());
        }
        for spec in specs.iter().filter(|s| s.secret == secret && s.required) {
            if !out.contains_key(spec.key) && !wrong.iter().any(|(f, _)| f.ends_with(spec.key)) {
                wrong.push((
                    format!("{group}.{}", spec.key),
                    format!("{} is needed.", spec.label),
                ));
            }
        }
        out
    };
    let settings = tidy(settings, false, "settings");
    let secrets = tidy(secrets, true, "secrets");
    if wrong.is_empty() {
        Ok((settings, secrets))
    } else {
        Err(wrong)
    }
}

/// Opens a store. Nothing is sent yet, but names may be looked up and folders looked at.
pub async fn open(
    kind: DatastoreKind,
    settings: &Settings,
    secrets: &Secrets,
    reach: &Reach,
) -> Result<Opened> {
    let guard = Guard::new(reach.networks.clone());
    let get = |key: &str| settings.get(key).cloned().unwrap_or_default();
    let hidden = |key: &str| secrets.get(key).cloned().unwrap_or_default();
    let prefix = get("prefix").trim_matches('/').to_owned();
    let files = |f: Box<dyn Files>| Opened {
        store: Store::Files(f),
    };
    let port = |usual: u16| match get("port").as_str() {
        "" => Ok(usual),
        p => p
            .parse()
            .map_err(|_| ConnectError::Setting("port", format!("`{p}` is no port; use 1 to 65535."))),
    };
    Ok(match kind {
        DatastoreKind::Folder => files(Box::new(Folder::new(folder::allowed(&get("path"), reach).await?))),
        DatastoreKind::S3 | DatastoreKind::Gcs => {
            let google = kind == DatastoreKind::Gcs;
            let region = Some(get("region"))
                .filter(|r| !r.is_empty())
                .unwrap_or_else(|| if google { "auto" } else { "us-east-1" }.to_owned());
            let given = get("endpoint");
            let endpoint = match (given.as_str(), google) {
                ("", true) => "https://storage.googleapis.com".to_owned(),
                ("", false) => format!("https://s3.{region}.amazonaws.com"),
                (given, _) => given.to_owned(),
            };
            let by_host = match get("addressing").as_str() {
                "" => given.is_empty() && !google && !get("bucket").contains('.'),
                "host" => true,
                "path" => false,
                _ => {
                    return Err(ConnectError::Setting(
                        "addressing",
                        "Addressing is `path` or `host`.".to_owned(),
                    ));
                }
            };
            let key_id = get("access_key_id");
            let secret = hidden("secret_access_key");
            if key_id.is_empty() != secret.is_empty() {
                let missing = if key_id.is_empty() {
                    "access_key_id"
                } else {
                    "secret_access_key"
                };
                return Err(ConnectError::Setting(
                    missing,
                    "Give both halves of the key, or neither.".to_owned(),
                ));
            }
            let signer = (!key_id.is_empty()).then(|| Signer {
                key_id,
                secret,
                session_token: hidden("session_token"),
                region,
            });
            files(Box::new(S3 {
                http: Http::new(guard)?,
                endpoint: url("endpoint", &endpoint)?,
                bucket: get("bucket"),
                prefix,
                by_host,
                signer,
                name: if google { "Google Cloud Storage" } else { "S3" },
            }))
        }
        DatastoreKind::Azure | DatastoreKind::AzureLake | DatastoreKind::AzureFiles => {
            let (service, root) = match kind {
                DatastoreKind::AzureLake => (Service::Lake, get("filesystem")),
                DatastoreKind::AzureFiles => (Service::Share, get("share")),
                _ => (Service::Blob, get("container")),
            };
            let account = get("account");
            let endpoint = match get("endpoint") {
                e if e.is_empty() => format!("https://{account}.{}.core.windows.net", service.host()),
                e => e,
            };
            let (key, sas) = (hidden("account_key"), hidden("sas_token"));
            let auth = match (key.is_empty(), sas.is_empty()) {
                (false, _) => azure::key(&key)?,
                (true, false) => azure::Auth::Sas(sas),
                (true, true) if service == Service::Blob => azure::Auth::Nobody,
                (true, true) => {
                    return Err(ConnectError::Setting(
                        "sas_token",
                        format!(
                            "A {} is never public: give a SAS token or an account key.",
                            service.noun()
                        ),
                    ));
                }
            };
            files(azure::store(Account {
                http: Http::new(guard)?,
                endpoint: url("endpoint", &endpoint)?,
                account,
                service,
                root,
                prefix,
                auth,
            }))
        }
        DatastoreKind::Http | DatastoreKind::Webdav => {
            let mut base = url("url", &get("url"))?;
            base.set_query(None);
            base.set_fragment(None);
            if !base.path().ends_with('/') {
                base.set_path(&format!("{}/", base.path()));
            }
            let (user, password, token) = (get("username"), hidden("password"), hidden("token"));
            let value = if !token.is_empty() {
                Some(format!("Bearer {}", token.reveal()))
            } else if !user.is_empty() {
                let pair = format!("{user}:{}", password.reveal());
                Some(format!(
                    "Basic {}",
                    base64::engine::general_purpose::STANDARD.encode(pair)
                ))
            } else {
                None
            };
            let authorization = match value {
                None => None,
                Some(v) => {
                    let mut v = HeaderValue::from_str(&v).map_err(|_| {
                        ConnectError::Setting("token", "The token cannot be sent.".to_owned())
                    })?;
                    v.set_sensitive(true);
                    Some(v)
                }
            };
            let site = Site {
                http: Http::new(guard)?,
                base,
                authorization,
            };
            if kind == DatastoreKind::Http {
                files(Box::new(site))
            } else {
                files(Box::new(Webdav(site)))
            }
        }
        DatastoreKind::Sftp => {
            let place = sftp::Place {
                guard,
                host: sftp::host(&get("host"))?,
                port: port(22)?,
                username: get("username"),
                password: hidden("password"),
                key: sftp::private_key(hidden("private_key"), hidden("passphrase"))
                    .await?
                    .map(Arc::new),
                path: get("path"),
            };
            files(Box::new(Sftp::new(place, &get("host_key"))?))
        }
        DatastoreKind::Postgres | DatastoreKind::Mysql | DatastoreKind::SqlServer => {
            let tls = match get("tls").as_str() {
                "" | "prefer" => Tls::Prefer,
                "require" if cfg!(feature = "tls") => Tls::Require,
                "verify-full" if cfg!(feature = "tls") => Tls::VerifyFull,
                "require" | "verify-full" => {
                    return Err(ConnectError::Setting(
                        "tls",
                        "This `limn` was built without TLS: use a release build.".to_owned(),
                    ));
                }
                "off" => Tls::Off,
                _ => {
                    return Err(ConnectError::Setting(
                        "tls",
                        "TLS is `prefer`, `require`, `verify-full` or `off`.".to_owned(),
                    ));
                }
            };
            let ca = get("tls_ca");
            if !ca.is_empty() && tls != Tls::VerifyFull {
                return Err(ConnectError::Setting(
                    "tls_ca",
                    "Without TLS `verify-full` nobody looks at the certificate authority: set that too, or leave this \
                     empty."
                        .to_owned(),
                ));
            }
            #[cfg(feature = "tls")]
            if !ca.is_empty() {
                crate::sql::trust::check(&ca)?;
            }
            let host = get("host");
            if kind == DatastoreKind::SqlServer && host.contains('\\') {
                return Err(ConnectError::Setting(
                    "host",
                    "An instance is reached by its port: give the host alone, and the port of the instance."
                        .to_owned(),
                ));
            }
            sql(Database {
                guard,
                kind,
                host,
                port: port(match kind {
                    DatastoreKind::Mysql => 3306,
                    DatastoreKind::SqlServer => 1433,
                    _ => 5432,
                })?,
                database: get("database"),
                username: get("username"),
                password: hidden("password"),
                tls,
                ca,
                file: PathBuf::new(),
            })
        }
        DatastoreKind::Sqlite => {
            let file = folder::allowed(&get("path"), reach).await?;
            sql(Database {
                guard,
                kind,
                host: String::new(),
                port: 0,
                database: String::new(),
                username: String::new(),
                password: Secret::default(),
                tls: Tls::Off,
                ca: String::new(),
                file,
            })
        }
    })
}

fn sql(database: Database) -> Opened {
    Opened {
        store: Store::Sql(Box::new(database)),
    }
}

pub(crate) fn url(key: &'static str, text: &str) -> Result<Url> {
    let url: Url = text.parse().map_err(|_| {
        ConnectError::Setting(
            key,
            format!("`{text}` is no address; write it as https://example.org."),
        )
    })?;
    address(&url).map_err(|e| match e {
        // A refusal stays one; the rest is a mistake in the field.
        ConnectError::Wrong(text) => ConnectError::Setting(key, text),
        e => e,
    })?;
    Ok(url)
}

impl Opened {
    /// Looks at the store.
    pub async fn test(&self) -> Result<TestOutcome> {
        let (message, warnings, learned) = match &self.store {
            Store::Files(files) => (files.test().await?, Vec::new(), files.learned()),
            Store::Sql(database) => {
                let (message, warnings) = database.test().await?;
                (message, warnings, BTreeMap::new())
            }
        };
        Ok(TestOutcome {
            ok: true,
            message,
            warnings,
            learned,
        })
    }

    /// The files; an error for a database.
    pub fn files(&self) -> Result<&dyn Files> {
        match &self.store {
            Store::Files(files) => Ok(files.as_ref()),
            Store::Sql(_) => Err(ConnectError::Wrong(
                "A database has tables and no files; ask it by a query.".to_owned(),
            )),
        }
    }

    /// The database; an error for files.
    pub fn database(&self) -> Result<&Database> {
        match &self.store {
            Store::Sql(database) => Ok(database),
            Store::Files(_) => Err(ConnectError::Wrong(
                "This datastore holds files and cannot be queried.".to_owned(),
            )),
        }
    }
}
