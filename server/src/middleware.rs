//! What every request passes on its way in and out, outermost first: request id and log, panics, security headers,
//! the client's address, session, origin check, actor.

pub mod actor;
pub mod client;
pub mod csrf;
pub mod headers;
pub mod limit;
pub mod trace;

pub use client::Client;
pub use headers::Nonce;
