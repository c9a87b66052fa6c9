//! job rows.
