//! activity rows.
