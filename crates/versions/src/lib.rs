//! Versions of datasets: a Merkle search tree over sorted paths, and the small objects it names.
//!
//! The files of a version are [`Entry`]s in the order of their [`key`]s. They are cut into nodes where a digest of the
//! key says so, the nodes' digests and last keys are cut into nodes again, and so on up to one root. Where the cuts fall
//! depends on the keys alone, so the same files give the same root in whatever way they came together, and a change
//! rewrites the nodes on its way to the root and no others.
//!
//! Pure: whoever calls loads nodes ([`Nodes`]) and keeps new ones ([`NewNode`]). Nothing here knows a database, a file,
//! a clock or a runtime.

mod build;
mod diff;
mod entry;
pub mod folder;
mod glob;
mod hash;
mod node;
pub mod object;
mod read;

pub use build::{Builder, Built, update};
pub use diff::{Change, Diff};
pub use entry::{Entry, key};
pub use glob::Glob;
pub use hash::Hash;
pub use node::{BadNode, NewNode, Node, Nodes, Ref, SplitCounts};
pub use read::{From, Reader};
