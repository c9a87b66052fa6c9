//! Files of runs, logged models and versions of registered models: bytes in the content-addressed store, paths in the
//! database. What a client writes as an address is taken apart here; none of it ever becomes a path on the disk.

mod parts;

pub use parts::{Part, Parts};

use crate::authz::require;
use crate::ingest::refusal;
use crate::media::{MediaBody, MediaFile};
use crate::versions::{AHEAD, Out};
use crate::{Actor, Context, Error, Result};
use bytes::Bytes;
use futures::Stream;
use limn_domain::run::{ArtifactEntry, ExperimentId, check_path};
use limn_domain::{Action, Code, LoggedModelId, ModelVersionId, RunId, Timestamp};
use limn_storage::Staged;
use limn_store::repo::artifact::ArtifactFile;
use limn_store::{Tx, repo};
use std::io::Write as _;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Bytes of a text file that are shown.
const PREVIEW: u64 = 256 << 10;

#[derive(Clone)]
pub struct Artifacts(pub(crate) Context);

/// Whose files they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    Run(RunId),
    Model(LoggedModelId),
    /// A version of a registered model; its files never change.
    Version(ModelVersionId),
}

impl Owner {
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Run(id) => id.0,
            Self::Model(id) => id.0,
            Self::Version(id) => id.0,
        }
    }
}

/// A file or folder as the protocol's clients address it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub owner: Owner,
    /// Empty for everything of the owner.
    pub path: String,
}

impl Place {
    /// Reads `{experiment}/{run}/artifacts/...`, `{experiment}/models/{model}/artifacts/...` and `versions/{id}/...`.
    pub fn parse(address: &str) -> Result<Self> {
        let clean = check_path(address).map_err(|e| Error::field("path", e))?;
        let mut parts = clean.splitn(5, '/');
        let mut next = || parts.next().unwrap_or_default();
        let found = match (next(), next(), next()) {
            ("versions", id, first) => {
                let rest = [first, next(), next()];
                id.parse()
                    .ok()
                    .map(|id| (Owner::Version(ModelVersionId(id)), join(&rest)))
            }
            (experiment, "models", model) if experiment.parse::<i64>().is_ok() && next() == "artifacts" => {
                LoggedModelId::parse_tag(model)
                    .ok()
                    .map(|id| (Owner::Model(id), next().to_owned()))
            }
            (experiment, run, "artifacts") if experiment.parse::<i64>().is_ok() => {
                let rest = [next(), next()];
                run.parse().ok().map(|id| (Owner::Run(id), join(&rest)))
            }
            _ => None,
        };
        let (owner, path) = found.ok_or_else(|| {
            let shown: String = address.chars().filter(|c| !c.is_control()).take(200).collect();
            Error::field(
                "path",
                format!(
                    "`{shown}` is no place for artifacts; they lie in {{experiment}}/{{run}}/artifacts and \
                     {{experiment}}/models/{{model}}/artifacts."
                ),
            )
        })?;
        Ok(Self { owner, path })
    }

    /// Where clients find the files of a run or logged model.
    pub fn uri(experiment: ExperimentId, owner: Owner) -> String {
        match owner {
            Owner::Run(id) => format!("mlflow-artifacts:/{experiment}/{}/artifacts", id.hex()),
            Owner::Model(id) => format!("mlflow-artifacts:/{experiment}/models/{}/artifacts", id.tag()),
            Owner::Version(id) => format!("mlflow-artifacts:/versions/{}", id.0.simple()),
        }
    }
}

fn join(parts: &[&str]) -> String {
    let there: Vec<&str> = parts.iter().copied().filter(|p| !p.is_empty()).collect();
    there.join("/")
}

/// What can be shown of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    Text {
        text: String,
        is_cut: bool,
    },
    /// A picture that browsers show.
    Picture,
    /// Bytes without a preview.
    None,
}

impl Artifacts {
    /// Puts a file of a run or logged model in its place; one that is there is replaced. Errors: `TooLarge`,
    /// `InvalidInput` for a path such as `../x`, `NotFound`, `WrongState` for versions and runs in the bin.
    pub async fn put_bytes(&self, actor: &Actor, owner: Owner, path: &str, bytes: Bytes) -> Result<()> {
        let path = self.may_put(actor, owner, path).await?;
        let staged = self.0.blobs.stage_bytes(bytes).map_err(|e| refusal(&path, e))?;
        self.keep(owner, path, staged).await
    }

    /// The same for a stream (a request's body), which is never held in memory whole.
    pub async fn put_stream<S, E>(&self, actor: &Actor, owner: Owner, path: &str, stream: S) -> Result<()>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
        E: std::fmt::Display,
    {
        let path = self.may_put(actor, owner, path).await?;
        let limit = self.0.limits.upload_bytes;
        let staged = self
            .0
            .blobs
            .stage_stream(stream, limit)
            .await
            .map_err(|e| refusal(&path, e))?;
        self.keep(owner, path, staged).await
    }

    /// Checks everything that can be checked before the bytes come.
    async fn may_put(&self, actor: &Actor, owner: Owner, path: &str) -> Result<String> {
        require(actor, Action::LogRuns)?;
        let path = file_path(path)?;
        if matches!(owner, Owner::Version(_)) {
            return Err(fixed());
        }
        exists(&mut self.0.db.read().await?, owner).await?;
        Ok(path)
    }

    async fn keep(&self, owner: Owner, path: String, staged: Staged) -> Result<()> {
        let stored = self.0.blobs.commit(staged).await.map_err(|e| refusal(&path, e))?;
        let size = i64::try_from(stored.len).map_err(anyhow::Error::from)?;
        let now = self.0.now();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    open(tx, owner, now).await?;
                    no_folder(tx, owner, &path).await?;
                    let media_type = limn_domain::run::media::of(&path);
                    repo::blob::put(tx, &stored.digest, size, media_type, now).await?;
                    Ok(repo::artifact::put(tx, owner.uuid(), &path, &stored.digest, size, now).await?)
                })
            })
            .await
    }

    /// What lies in a folder: folders first, by name. Of a file, or of a folder that is not there, nothing.
    pub async fn list(&self, actor: &Actor, owner: Owner, folder: &str) -> Result<Vec<ArtifactEntry>> {
        require(actor, Action::ViewRuns)?;
        let folder = check_path(folder).map_err(|e| Error::field("path", e))?;
        let mut tx = self.0.db.read().await?;
        exists(&mut tx, owner).await?;
        Ok(repo::artifact::folder(&mut tx, owner.uuid(), &folder).await?)
    }

    /// All files below a folder, by path.
    pub async fn files(&self, actor: &Actor, owner: Owner, folder: &str) -> Result<Vec<ArtifactFile>> {
        require(actor, Action::ViewRuns)?;
        let folder = check_path(folder).map_err(|e| Error::field("path", e))?;
        let mut tx = self.0.db.read().await?;
        exists(&mut tx, owner).await?;
        Ok(repo::artifact::all(&mut tx, owner.uuid(), &folder).await?)
    }

    /// A file to send.
    pub async fn open(&self, actor: &Actor, owner: Owner, path: &str) -> Result<MediaFile> {
        let file = self.find(actor, owner, path).await?;
        Ok(MediaFile {
            media_type: limn_domain::run::media::of(&file.path).to_owned(),
            etag: file.digest.to_string(),
            name: file.path,
            body: MediaBody::stored(&self.0, &file.digest, file.byte_size.unsigned_abs()),
            stands_in: false,
        })
    }

    async fn find(&self, actor: &Actor, owner: Owner, path: &str) -> Result<ArtifactFile> {
        require(actor, Action::ViewRuns)?;
        let path = file_path(path)?;
        let mut tx = self.0.db.read().await?;
        exists(&mut tx, owner).await?;
        repo::artifact::get(&mut tx, owner.uuid(), &path)
            .await?
            .ok_or_else(|| Error::new(Code::NotFound, format!("There is no file `{path}` there.")))
    }

    /// The beginning of a text file, or that it is a picture. Files that would have to be run to be read are not.
    pub async fn preview(&self, actor: &Actor, owner: Owner, path: &str) -> Result<Preview> {
        let file = self.find(actor, owner, path).await?;
        if limn_domain::run::media::is_picture(&file.path) {
            return Ok(Preview::Picture);
        }
        if limn_domain::run::is_pickle(&file.path) {
            return Ok(Preview::None);
        }
        let bytes = self
            .0
            .blobs
            .read_range(&file.digest, 0, PREVIEW)
            .await
            .map_err(|e| refusal(&file.path, e))?;
        let is_cut = file.byte_size > bytes.len() as i64;
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            // A character may have been cut in two.
            Err(e) if is_cut && bytes.len() - e.valid_up_to() < 4 => {
                std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return Ok(Preview::None),
        };
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}'))
        {
            return Ok(Preview::None);
        }
        Ok(Preview::Text {
            text: text.to_owned(),
            is_cut,
        })
    }

    /// Removes a file or a folder of a run or logged model. Errors: `NotFound` when there is neither.
    pub async fn delete(&self, actor: &Actor, owner: Owner, path: &str) -> Result<()> {
        require(actor, Action::LogRuns)?;
        let path = check_path(path).map_err(|e| Error::field("path", e))?;
        if matches!(owner, Owner::Version(_)) {
            return Err(fixed());
        }
        let now = self.0.now();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    open(tx, owner, now).await?;
                    if repo::artifact::delete(tx, owner.uuid(), &path).await? == 0 && !path.is_empty() {
                        return Err(Error::new(
                            Code::NotFound,
                            format!("There is no file `{path}` there."),
                        ));
                    }
                    Ok(())
                })
            })
            .await
    }

    /// All files of an owner below a folder as a zip that is made while it is read.
    pub async fn zip(
        &self,
        actor: &Actor,
        owner: Owner,
        folder: &str,
    ) -> Result<mpsc::Receiver<std::io::Result<Bytes>>> {
        let files = self.files(actor, owner, folder).await?;
        if files.is_empty() {
            return Err(Error::new(Code::NotFound, "There are no files there."));
        }
        let skip = check_path(folder).map_or(0, |f| if f.is_empty() { 0 } else { f.len() + 1 });
        let (send, receive) = mpsc::channel(AHEAD);
        let blobs = self.0.blobs.clone();
        tokio::task::spawn_blocking(move || {
            let out = Out::whole(send.clone());
            let mut zip = zip::ZipWriter::new_stream(out);
            let written = (|| -> std::io::Result<()> {
                for file in files {
                    let options = zip::write::SimpleFileOptions::default()
                        .last_modified_time(zip::DateTime::DEFAULT)
                        .unix_permissions(0o644)
                        .large_file(file.byte_size >= i64::from(u32::MAX))
                        .compression_method(zip::CompressionMethod::Stored);
                    zip.start_file(&file.path[skip..], options)?;
                    std::io::copy(&mut blobs.open_file(&file.digest)?, &mut zip)?;
                }
                zip.finish()?.into_inner().flush()
            })();
            if let Err(e) = written {
                tracing::warn!(error = %e, "a zip of artifacts broke off");
                drop(send.blocking_send(Err(e)));
            }
        });
        Ok(receive)
    }
}

/// A path that names a file.
fn file_path(path: &str) -> Result<String> {
    match check_path(path) {
        Ok(p) if p.is_empty() => Err(Error::field(
            "path",
            "Name a file; this is the folder of all of them.",
        )),
        other => other.map_err(|e| Error::field("path", e)),
    }
}

/// Refuses a file where a folder is, and one in what is a file.
async fn no_folder(tx: &mut Tx, owner: Owner, path: &str) -> Result<()> {
    let mut above = path;
    while let Some((folder, _)) = above.rsplit_once('/') {
        if repo::artifact::get(tx, owner.uuid(), folder).await?.is_some() {
            return Err(Error::field(
                "path",
                format!("`{folder}` is a file; nothing can lie in it."),
            ));
        }
        above = folder;
    }
    if repo::artifact::has_below(tx, owner.uuid(), path).await? {
        return Err(Error::field(
            "path",
            format!("`{path}` is a folder; give the file another name."),
        ));
    }
    Ok(())
}

fn fixed() -> Error {
    Error::new(
        Code::WrongState,
        "The files of a registered version stay as they are; register another version.",
    )
}

/// Whether there is such an owner.
async fn exists(tx: &mut Tx, owner: Owner) -> Result<()> {
    match owner {
        Owner::Run(id) => {
            crate::runs::info(tx, id).await?;
        }
        Owner::Model(id) => {
            crate::logged_models::find(tx, id).await?;
        }
        Owner::Version(id) => {
            if !repo::model::version::exists(tx, id).await? {
                return Err(Error::new(Code::NotFound, "There is no such version of a model."));
            }
        }
    }
    Ok(())
}

/// Locks an owner whose files may change.
async fn open(tx: &mut Tx, owner: Owner, now: Timestamp) -> Result<()> {
    match owner {
        Owner::Run(id) => {
            crate::runs::lock(tx, id, now).await?;
        }
        Owner::Model(id) => {
            crate::logged_models::lock(tx, id, now).await?;
        }
        Owner::Version(_) => return Err(fixed()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let run: RunId = "5e0d7753988c4028affd652b43fa6fd9".parse().unwrap();
        let model = LoggedModelId::parse_tag("m-771c7767256b48c8afb15de595733acf").unwrap();
        let place = |a: &str| Place::parse(a).map(|p| (p.owner, p.path)).ok();
        assert_eq!(
            place("1/5e0d7753988c4028affd652b43fa6fd9/artifacts/notes/a/b c/x.txt"),
            Some((Owner::Run(run), "notes/a/b c/x.txt".into()))
        );
        assert_eq!(
            place("/1/5e0d7753988c4028affd652b43fa6fd9/artifacts/"),
            Some((Owner::Run(run), String::new()))
        );
        assert_eq!(
            place("1/models/m-771c7767256b48c8afb15de595733acf/artifacts/MLmodel"),
            Some((Owner::Model(model), "MLmodel".into()))
        );
        assert_eq!(
            place("1/models/m-771c7767256b48c8afb15de595733acf/artifacts/a/b/c/d"),
            Some((Owner::Model(model), "a/b/c/d".into()))
        );
        let version = ModelVersionId(run.0);
        assert_eq!(
            place("versions/5e0d7753988c4028affd652b43fa6fd9/data/a/b/c/x"),
            Some((Owner::Version(version), "data/a/b/c/x".into()))
        );
        assert_eq!(
            place(
                Place::uri(ExperimentId(7), Owner::Version(version))
                    .split_once(":/")
                    .unwrap()
                    .1
            )
            .map(|p| p.0),
            Some(Owner::Version(version))
        );
        for bad in [
            "",
            "1",
            "1/x/artifacts/a",
            "x/5e0d7753988c4028affd652b43fa6fd9/artifacts/a",
            "etc/passwd",
            "1/5e0d7753988c4028affd652b43fa6fd9/other/a",
            "1/5e0d7753988c4028affd652b43fa6fd9/artifacts/../../x",
            "1/models/x/artifacts/a",
            "versions/x/a",
        ] {
            assert!(place(bad).is_none(), "{bad}");
        }
    }
}
