//! The durable job queue: enqueue inside the caller's transaction, run with lease, heartbeat, retry, progress and cancel.
//!
//! - [`enqueue`] adds a [`NewJob`] in the caller's transaction; [`Wake`] starts it at once after the commit.
//! - A [`Handler`] registered by kind in a [`Registry`] does the work and talks to people through [`Progress`].
//! - A [`Runner`] claims due jobs, keeps their leases alive, and ends each attempt in the database. A worker that dies
//!   leaves a lease that runs out; the job then goes back to the queue.
//!
//! Knows nothing of what the jobs do. Must not check roles or know HTTP.

mod attempt;
mod handler;
mod progress;
mod queue;
mod runner;

pub use handler::{Cancelled, Handler, Permanent, Registry};
pub use progress::Progress;
pub use queue::{NewJob, Wake, enqueue};
pub use runner::{Runner, Timing};
