//! What a query may be: one `SELECT`.

use crate::{ConnectError, Result};

/// Longest query.
const MAX: usize = 100_000;

/// Checks that a text is a single `SELECT` (or `WITH ... SELECT`) and answers it without a semicolon at its end. What it may
/// do is decided by the database, in a transaction that only reads; this keeps out what such a transaction lets through.
pub fn check(sql: &str) -> Result<String> {
    let wrong = |why: &str| ConnectError::Wrong(why.to_owned());
    let sql = sql.trim().trim_end_matches(';').trim_end();
    if sql.len() > MAX {
        return Err(wrong("A query has at most 100,000 bytes."));
    }
    if sql.contains('\0') {
        return Err(wrong("A query holds no NUL."));
    }
    let words = words(sql).map_err(wrong)?;
    match words.first().map(String::as_str) {
        Some("select" | "with") => {}
        None => return Err(wrong("Write a query, such as `SELECT * FROM measurements`.")),
        Some(_) => return Err(wrong("A query begins with SELECT or WITH; nothing else is run.")),
    }
    if words.iter().any(|w| w == "into") {
        return Err(wrong("A query only reads; INTO would write."));
    }
    Ok(sql.to_owned())
}

/// The words outside quotes and comments, in lower case. Errors say what cannot be.
fn words(sql: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c.is_alphanumeric() || c == '_' {
            word.extend(c.to_lowercase());
            rest = after;
            continue;
        }
        // A dollar quote of PostgreSQL begins where no word goes on.
        let tag = (c == '$' && word.is_empty()).then(|| dollar(rest)).flatten();
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        rest = match c {
            ';' => return Err("Only one statement at a time."),
            '\'' | '"' | '`' => quoted(after, c)?,
            '-' if after.starts_with('-') => after.find('\n').map_or("", |n| &after[n..]),
            '/' if after.starts_with('*') => {
                if after.starts_with("*!") || after.starts_with("*M!") {
                    // MySQL runs what stands in these.
                    return Err("Comments that begin with /*! are not taken.");
                }
                let end = after[1..].find("*/").ok_or("A comment does not end.")?;
                if after[1..=end].contains("/*") {
                    return Err("Comments inside comments are not taken.");
                }
                &after[1 + end + 2..]
            }
            _ => match tag {
                Some(tag) => {
                    let inside = &rest[tag.len()..];
                    let end = inside.find(tag).ok_or("A text in dollar quotes does not end.")?;
                    &inside[end + tag.len()..]
                }
                None => after,
            },
        };
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// `$$` or `$tag$` at the beginning.
fn dollar(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 1;
    let tag = &text[1..end];
    let fine = tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    fine.then(|| &text[..=end])
}

/// What follows a text in quotes. A backslash before a quote is read in two ways by two databases, so it is taken by none.
fn quoted(text: &str, quote: char) -> Result<&str, &'static str> {
    let mut rest = text;
    loop {
        let end = rest.find(quote).ok_or("A quote is not closed.")?;
        if rest[..end].ends_with('\\') {
            return Err("A backslash before a quote is not taken; write the quote twice.");
        }
        rest = &rest[end + quote.len_utf8()..];
        match rest.strip_prefix(quote) {
            // Twice is one of the text.
            Some(after) => rest = after,
            None => return Ok(rest),
        }
    }
}

/// Whether a name needs no quotes anywhere.
pub fn is_identifier(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::check;

    #[test]
    fn one_select_and_nothing_else() {
        for good in [
            "select 1",
            "SELECT * FROM t WHERE a = ';'",
            " with x as (select 1) select * from x ; ",
            "select \"a;b\", 'it''s' from t -- a; comment",
            "select /* ; */ 1",
            "select $$;$$, $a$ into $a$",
            "select a$b from t",
            "select 'into' from t",
            "select a.into_x from a",
        ] {
            assert!(check(good).is_ok(), "{good}: {:?}", check(good));
        }
        for bad in [
            "",
            ";",
            "delete from t",
            "select 1; delete from t",
            "drop table t",
            "select * into x from t",
            "select 1 into outfile '/tmp/x'",
            "/* a */ attach 'x' as y",
            "select 'a",
            "select /* 1",
            "select /*! 1 */",
            "select '\\'; drop table t; --'",
            "set x = 1",
            "select 1\0",
            "explain analyze delete from t",
            "call p()",
            "select $$;",
            "select /* /* */ ; */ 1",
            "select 1 \"; \" ; select 2",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(check("select 1 ;; ").unwrap(), "select 1");
    }
}
