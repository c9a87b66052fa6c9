//! Reading sloppy JSON: a scanner that cuts a huge document into records, and value types that accept anything.

pub(crate) mod loose;
pub(crate) mod scan;
pub(crate) mod segmentation;
