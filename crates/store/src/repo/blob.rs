//! blob rows.
