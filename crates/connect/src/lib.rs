//! Connections to where data lives: folders, object stores, web folders, SFTP, databases. Read-only, but for the bucket of
//! our own.
//!
//! - [`Guard`] is the one place that decides where this server may connect. Every connector dials through it: over HTTP by
//!   [`http::Http`], otherwise by [`Guard::dial`]. Names are resolved here, and what was checked is what is dialled.
//! - [`open`] makes a [`Store`] of settings and credentials: [`Files`] to list and read, or an [`sql::Database`].
//! - [`download`] brings a file of a web address to the disk, and goes on where it broke off.
//! - [`Sealer`] encrypts credentials for the database.
//! - [`Bucket`] is where the server keeps its own files, when the configuration says so: the one thing that is written to.
//!
//! Nothing here writes to a datastore, knows our own database or checks who is asking. Errors are for people, and never hold a
//! credential.

mod azure;
mod bucket;
pub mod download;
mod error;
mod files;
mod folder;
pub mod guard;
pub mod http;
mod open;
mod s3;
mod secret;
mod sftp;
mod sigv4;
mod site;
pub mod sql;
mod webdav;
mod xml;

pub use bucket::{Bucket, BucketSettings, Content, Object};
pub use error::{ConnectError, Result};
pub use files::{Entry, Files, Listing, PAGE, Reading, Walk};
pub use guard::{Guard, Network, Reach};
pub use open::{Opened, Store, check, open};
/// An address.
pub use reqwest::Url;
pub use secret::{Sealer, Secret, key_file};
