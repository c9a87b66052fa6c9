//! Zip archives from outside.
