//! category rows.
