//! queue rows.
