//! Cursors of keyset pages: opaque to clients, and nothing a client makes up can do harm.

use crate::{Error, Result};

/// Longest cursor taken, in characters.
const MAX: usize = 2_400;

/// A cursor of the list (and sort order) `tag` that goes on after `key`.
pub(crate) fn encode(tag: &str, key: &str) -> String {
    hex::encode(format!("{tag}:{key}"))
}

/// The key in a cursor of the list `tag`; `InvalidInput` for anything else.
pub(crate) fn decode(tag: &str, cursor: &str) -> Result<String> {
    if cursor.len() > MAX {
        return Err(invalid());
    }
    let text = hex::decode(cursor)
        .ok()
        .and_then(|b| String::from_utf8(b).ok())
        .ok_or_else(invalid)?;
    let key = text
        .strip_prefix(tag)
        .and_then(|t| t.strip_prefix(':'))
        .ok_or_else(invalid)?;
    // PostgreSQL has no such character in texts.
    if key.contains('\0') {
        Err(invalid())
    } else {
        Ok(key.to_owned())
    }
}

/// Two numbers with a dot between.
pub(crate) fn pair(key: &str) -> Result<(i64, i64)> {
    let (a, b) = key.split_once('.').ok_or_else(invalid)?;
    Ok((number(a)?, number(b)?))
}

pub(crate) fn number(key: &str) -> Result<i64> {
    key.parse().map_err(|_| invalid())
}

pub(crate) fn invalid() -> Error {
    Error::field(
        "cursor",
        "This is no cursor of this list; leave it out to begin with the first page.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_nothing_else_passes() {
        assert_eq!(decode("a", &encode("a", "12")).ok().as_deref(), Some("12"));
        for bad in [
            "",
            "zz",
            "61",
            "613a0",
            &encode("b", "12"),
            &encode("a", "x\0"),
            &"61".repeat(5_000),
            "ö",
        ] {
            assert!(decode("a", bad).is_err(), "{bad}");
        }
        for bad in ["", "1", "1.", ".1", "1.2.3", "99999999999999999999.1"] {
            assert!(pair(bad).is_err(), "{bad}");
        }
    }
}
