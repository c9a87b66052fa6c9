//! limn-storage
