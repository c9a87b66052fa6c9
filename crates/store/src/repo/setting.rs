//! setting rows.
