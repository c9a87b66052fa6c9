//! The annotation workspace: one item at a time, full screen.
//!
//! The server renders the empty frame; everything else runs in the browser over `limn_editor`. Every edit is kept in
//! the browser's own database before it is sent, see [`autosave`].

#![allow(
    clippy::large_types_passed_by_value,
    reason = "bundles of signal handles are made to be copied"
)]

pub mod api;
mod page;

#[cfg(feature = "hydrate")]
mod autosave;
#[cfg(any(feature = "hydrate", test))]
mod branch;
#[cfg(feature = "hydrate")]
mod canvas;
#[cfg(feature = "hydrate")]
mod desk;
#[cfg(feature = "hydrate")]
mod dialogs;
#[cfg(any(feature = "hydrate", test))]
mod find;
#[cfg(feature = "hydrate")]
mod grid;
#[cfg(feature = "hydrate")]
mod keys;
#[cfg(any(feature = "hydrate", test))]
mod look;
#[cfg(feature = "hydrate")]
mod outbox;
#[cfg(any(feature = "hydrate", test))]
mod pace;
#[cfg(feature = "hydrate")]
mod panels;
#[cfg(feature = "hydrate")]
mod segmenting;
#[cfg(feature = "hydrate")]
mod text;
#[cfg(feature = "hydrate")]
mod vision;
#[cfg(feature = "hydrate")]
mod workspace;

pub use page::LabelPage;
