//! upload rows.
