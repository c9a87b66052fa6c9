//! item rows.
