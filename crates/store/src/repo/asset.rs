//! asset rows.
