//! limn-editor
