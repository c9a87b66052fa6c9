//! throttle rows.
