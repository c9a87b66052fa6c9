//! token rows.
