//! limn-testkit
