//! invitation rows.
