//! limn-jobs
