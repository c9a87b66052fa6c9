//! session rows.
