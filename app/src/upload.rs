//! Sending files to the server, for whichever page takes some.

pub mod http;
pub mod resumable;
