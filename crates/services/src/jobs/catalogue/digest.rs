//! The digests of fetched files.

use limn_domain::catalogue::{Algorithm, FileDigest};
use limn_jobs::{Cancelled, Progress};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// What a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    pub bytes: u64,
    pub sha256: String,
    pub md5: String,
    pub blake3: String,
}

impl Sums {
    /// Reads the file. Blocking.
    pub fn of(path: &Path, progress: &Progress) -> anyhow::Result<Self> {
        let mut file = File::open(path)?;
        let (mut sha, mut md5, mut blake) = (Sha256::new(), Md5::new(), blake3::Hasher::new());
        let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
        loop {
            if progress.token().is_cancelled() {
                return Err(Cancelled.into());
            }
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    bytes += n as u64;
                    sha.update(&buffer[..n]);
                    md5.update(&buffer[..n]);
                    blake.update(&buffer[..n]);
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(Self {
            bytes,
            sha256: hex::encode(sha.finalize()),
            md5: hex::encode(md5.finalize()),
            blake3: blake.finalize().to_hex().to_string(),
        })
    }

    /// The digest of this algorithm, as catalogues write it.
    pub fn as_published(&self, like: &FileDigest) -> FileDigest {
        let hex = match like.algorithm {
            Algorithm::Sha256 => &self.sha256,
            Algorithm::Md5 => &self.md5,
        };
        FileDigest {
            algorithm: like.algorithm,
            hex: hex.clone(),
        }
    }
}
