//! What tests stand on; never part of the product.
//!
//! - [`on_both`] runs a test's body on SQLite and, when `LIMN_TEST_PG` names a cluster, on PostgreSQL.
//! - [`build`] puts rows into a database in one line each.
//! - [`onnx`] writes small networks.
//! - `Studio` (feature `services`): all use cases over a test database with a clock that the test moves.
//! - [`sftp`] (feature `sftp`): an SFTP server over a folder.
//! - [`tds`] (feature `tds`): a SQL Server that answers what a test has written down.
//! - `bucket::TestBucket` (feature `bucket`): an object store that speaks S3.
//! - `TestApp` (feature `app`): the whole application; clients send requests into its router.

#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "bucket")]
pub mod bucket;
pub mod build;
mod db;
pub mod onnx;
#[cfg(feature = "sftp")]
pub mod sftp;
#[cfg(feature = "services")]
mod studio;
#[cfg(feature = "tds")]
pub mod tds;

#[cfg(feature = "app")]
pub use app::{Client, Reply, TestApp, app_on_both};
#[cfg(feature = "bucket")]
pub use bucket::TestBucket;
pub use db::{Backend, TestDb, on_both};
#[cfg(feature = "services")]
pub use studio::Studio;
