//! Checks of what people type, shared by the pages (before sending) and the services (always).

use crate::category::PALETTE;
use crate::error::{ApiError, Code, FieldError};

pub const NAME_MAX: usize = 120;
pub const DESCRIPTION_MAX: usize = 2_000;
pub const INSTRUCTIONS_MAX: usize = 200_000;
pub const REASON_MAX: usize = 500;
pub const PASSWORD_MIN: usize = 10;
pub const PASSWORD_MAX: usize = 200;
pub const ITEM_NAME_MAX: usize = 500;

/// Collects the findings of several fields into one error.
#[derive(Debug, Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    /// Notes a finding, if there is one, and hands the good value on.
    pub fn take<T>(&mut self, field: &str, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(v) => Some(v),
            Err(message) => {
                self.0.push(FieldError {
                    field: field.to_owned(),
                    message,
                });
                None
            }
        }
    }

    /// `Err` with every finding, if there was any.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.0.first() {
            None => Ok(()),
            Some(first) => Err(ApiError {
                code: Code::InvalidInput,
                message: first.message.clone(),
                fields: self.0,
            }),
        }
    }
}

/// A name people read: trimmed, one line, 1..=120 characters, no control characters.
pub fn name(what: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    let n = text.chars().count();
    if n == 0 {
        Err(format!("Give the {what} a name."))
    } else if n > NAME_MAX {
        Err(format!(
            "The {what}'s name has {n} characters; {NAME_MAX} are the most."
        ))
    } else if text.chars().any(is_unsafe) {
        Err(format!(
            "The {what}'s name holds a control character; use one line of plain text."
        ))
    } else {
        Ok(text.to_owned())
    }
}

/// Control characters and the bidirectional overrides that make a name read as another.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Free text of at most `max` characters, without NUL (which PostgreSQL does not store).
pub fn text(what: &str, text: &str, max: usize) -> Result<String, String> {
    let n = text.chars().count();
    if n > max {
        Err(format!("The {what} has {n} characters; {max} are the most."))
    } else if text.contains('\0') {
        Err(format!("The {what} holds a NUL character; remove it."))
    } else {
        Ok(text.to_owned())
    }
}

/// An e-mail address, lower-cased. Checks the shape only.
pub fn email(text: &str) -> Result<String, String> {
    let text = text.trim().to_lowercase();
    let ok = text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || is_unsafe(c))
        && text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !host.is_empty()
        });
    if ok {
        Ok(text)
    } else {
        Err("Write an e-mail address like ana@example.org.".to_owned())
    }
}

/// A new password: 10..=200 characters.
pub fn password(text: &str) -> Result<(), String> {
    let n = text.chars().count();
    if n < PASSWORD_MIN {
        Err(format!(
            "Use at least {PASSWORD_MIN} characters; a few words make a good password."
        ))
    } else if n > PASSWORD_MAX {
        Err(format!("Use at most {PASSWORD_MAX} characters."))
    } else {
        Ok(())
    }
}

/// A colour `#rrggbb`, lower-cased.
pub fn color(text: &str) -> Result<String, String> {
    let t = text.trim().to_ascii_lowercase();
    if t.len() == 7 && t.starts_with('#') && t[1..].bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(t)
    } else {
        Err(format!(
            "`{}` is not a colour; write it as {}.",
            t.chars().take(20).collect::<String>(),
            PALETTE[0]
        ))
    }
}

/// A key 1-9.
pub fn hotkey(key: i64) -> Result<i64, String> {
    if (1..=9).contains(&key) {
        Ok(key)
    } else {
        Err(format!("{key} is not a key; use 1 to 9."))
    }
}

/// An item's name: a relative path with forward slashes and no `.` or `..` parts. Backslashes become slashes.
pub fn item_name(text: &str) -> Result<String, String> {
    let text = text.replace('\\', "/");
    let short: String = text.chars().take(80).collect();
    if text.is_empty() || text.ends_with('/') {
        return Err("The file has no name.".to_owned());
    }
    if text.len() > ITEM_NAME_MAX {
        return Err(format!(
            "`{short}...` is longer than {ITEM_NAME_MAX} bytes; shorten the path."
        ));
    }
    if text.chars().any(is_unsafe) {
        return Err(format!(
            "`{}` holds a control character; rename the file.",
            short.escape_debug()
        ));
    }
    let absolute = text.starts_with('/') || text.as_bytes().get(1) == Some(&b':');
    if absolute || text.split('/').any(|p| matches!(p, "" | "." | "..")) {
        return Err(format!(
            "`{short}` is not a plain relative path; remove `..`, drive letters and leading slashes."
        ));
    }
    Ok(text)
}

/// The form under which names are compared: lower case.
pub fn name_key(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_limits() {
        assert!(name("project", "  ").is_err());
        assert_eq!(name("project", " a ").as_deref(), Ok("a"));
        assert!(
            name("project", &"x".repeat(10_000))
                .unwrap_err()
                .contains("10000")
        );
        assert!(name("project", "a\nb").is_err());
    }

    #[test]
    fn item_names_cannot_leave_the_project() {
        for bad in [
            "../a.png",
            "a/../b.png",
            "/etc/passwd",
            "C:\\x.png",
            "..\\x.png",
            "",
            "a/",
            "a//b",
            "a\0b",
        ] {
            assert!(item_name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(item_name("a\\b c.png").as_deref(), Ok("a/b c.png"));
    }

    #[test]
    fn addresses() {
        assert_eq!(email(" Ana@Example.org ").as_deref(), Ok("ana@example.org"));
        for bad in ["", "a", "@b", "a@", "a b@c.d", "a@b@c"] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn colours() {
        assert_eq!(color("#AABBCC").as_deref(), Ok("#aabbcc"));
        assert!(color("red").is_err());
        assert!(color("#ééa").is_err());
    }
}
