//! annotation rows.
