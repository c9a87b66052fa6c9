//! Patterns for `LIKE ... ESCAPE '!'` from what people type.

use limn_domain::validate;

/// Text to look for, its wildcards taken literally; in the form of `name_key` columns.
pub(super) struct Pattern {
    /// The text itself.
    pub key: String,
    /// Names that begin with it.
    pub start: String,
    /// Names that contain it.
    pub anywhere: String,
}

impl Pattern {
    pub fn new(text: &str) -> Self {
        let key = validate::name_key(text.trim());
        let mut escaped = String::with_capacity(key.len() + 8);
        for c in key.chars() {
            if matches!(c, '!' | '%' | '_') {
                escaped.push('!');
            }
            escaped.push(c);
        }
        Self {
            start: format!("{escaped}%"),
            anywhere: format!("%{escaped}%"),
            key,
        }
    }
}
