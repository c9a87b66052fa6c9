//! What a query may be here. SQL Server has no transaction that only reads, and takes several statements without anything
//! between them; so words that begin a statement are kept out, and what the login may do decides the rest.

use crate::{ConnectError, Result};

/// Words that begin something other than a query. They are reserved: as names they stand in brackets or quotes.
const STATEMENTS: &[&str] = &[
    // Of signatures.
    "add",
    "alter",
    "backup",
    "begin",
    "bulk",
    "checkpoint",
    "close",
    "commit",
    "create",
    "dbcc",
    "deallocate",
    "declare",
    "delete",
    "deny",
    "disk",
    "drop",
    "dump",
    "exec",
    "execute",
    "goto",
    "grant",
    "if",
    "insert",
    "into",
    "kill",
    "load",
    "merge",
    "open",
    "print",
    "raiserror",
    "reconfigure",
    "restore",
    "return",
    "revert",
    "revoke",
    "rollback",
    "save",
    "set",
    "setuser",
    "shutdown",
    // Which is enabled or disabled.
    "trigger",
    "truncate",
    "update",
    "updatetext",
    "use",
    "waitfor",
    "while",
    "writetext",
];
/// They have the database ask other servers, or read files. Those of the second kind are no reserved words, so they count in brackets too.
const ELSEWHERE: &[&str] = &["opendatasource", "openquery", "openrowset"];
const FILES: &[&str] = &[
    "dm_os_enumerate_filesystem",
    "dm_os_file_exists",
    "fn_dump_dblog",
    "fn_get_audit_file",
    "fn_get_audit_file_v2",
    "fn_trace_gettable",
    "fn_xe_file_target_read_file",
];

/// Whether a text is one query that only reads.
pub fn check(sql: &str) -> Result<()> {
    look(sql).map_err(ConnectError::Wrong)
}

fn look(sql: &str) -> Result<(), String> {
    let lines = sql.replace("\r\n", "\n");
    let odd = |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}');
    if lines.contains(odd) {
        return Err("A query holds no control characters but line feeds and tabs.".to_owned());
    }
    let Words { bare: words, named } = words(&lines)?;
    if !matches!(words.first().map(String::as_str), Some("select" | "with")) {
        return Err("A query begins with SELECT or WITH; nothing else is run.".to_owned());
    }
    for (n, word) in words.iter().enumerate() {
        let upper = word.to_uppercase();
        if STATEMENTS.contains(&word.as_str()) {
            return Err(format!(
                "A query only reads: {upper} is not run. As a name it stands in brackets: [{word}]."
            ));
        }
        if ELSEWHERE.contains(&word.as_str()) || FILES.contains(&word.as_str()) {
            return Err(format!(
                "A query reads from this database alone: {upper} is not run."
            ));
        }
        let before = |next: &str| words.get(n + 1).is_some_and(|w| w == next);
        if word == "next" && before("value") {
            return Err("A query only reads: NEXT VALUE FOR would count a sequence on.".to_owned());
        }
        if word == "end" && before("conversation") {
            return Err("A query only reads: END CONVERSATION is not run.".to_owned());
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) && !is_number(word) {
            return Err(format!("Write a space after the number in `{word}`."));
        }
    }
    match named.iter().find(|name| FILES.contains(&name.as_str())) {
        Some(name) => Err(format!(
            "A query reads from this database alone: {} is not run.",
            name.to_uppercase()
        )),
        None => Ok(()),
    }
}

/// Digits, with an exponent, or a hexadecimal number. What follows one without a space is a word of its own there.
fn is_number(word: &str) -> bool {
    if let Some(digits) = word.strip_prefix("0x") {
        return digits.chars().all(|c| c.is_ascii_hexdigit());
    }
    word.split_once('e')
        .map_or([word, ""], |(whole, exponent)| [whole, exponent])
        .iter()
        .all(|part| part.chars().all(|c| c.is_ascii_digit()))
}

/// A query in its words, in lower case; comments and texts are none.
#[derive(Default)]
struct Words {
    bare: Vec<String>,
    /// What stands in brackets or double quotes.
    named: Vec<String>,
}

fn words(sql: &str) -> Result<Words, String> {
    let (mut out, mut word) = (Words::default(), String::new());
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c.is_alphanumeric() || c == '_' {
            word.extend(c.to_lowercase());
            rest = after;
            continue;
        }
        if !word.is_empty() {
            out.bare.push(std::mem::take(&mut word));
        }
        rest = match c {
            ';' => return Err("Only one statement at a time.".to_owned()),
            '\'' => quoted(after, c)?,
            '"' | '[' => {
                let behind = quoted(after, if c == '[' { ']' } else { c })?;
                let inside = &after[..after.len() - behind.len() - 1];
                out.named.push(inside.trim().to_lowercase());
                behind
            }
            '-' if after.starts_with('-') => after.find('\n').map_or("", |n| &after[n..]),
            '/' if after.starts_with('*') => comment(&after[1..])?,
            _ => after,
        };
    }
    if !word.is_empty() {
        out.bare.push(word);
    }
    Ok(out)
}

/// What follows a text that ends with `end`, which twice is one of the text.
fn quoted(text: &str, end: char) -> Result<&str, String> {
    let mut rest = text;
    loop {
        let n = rest
            .find(end)
            .ok_or_else(|| format!("A quote or bracket is not closed: {end} is missing."))?;
        rest = &rest[n + end.len_utf8()..];
        match rest.strip_prefix(end) {
            Some(after) => rest = after,
            None => return Ok(rest),
        }
    }
}

/// What follows a comment.
fn comment(text: &str) -> Result<&str, String> {
    let end = text.find("*/").ok_or("A comment does not end.")?;
    if text[..end].contains("/*") {
        return Err("Comments inside comments are not taken.".to_owned());
    }
    Ok(&text[end + 2..])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::check;

    #[test]
    fn one_query_and_nothing_behind_it() {
        for good in [
            "select 1",
            "SELECT TOP (10) * FROM [dbo].[Orders] WHERE [Delete] = 1 ORDER BY id",
            "with x as (select 1 as a) select a from x",
            "select 'delete from t', N'it''s', \"update\", [a]]b] from t",
            "select case when a = 1 then 2 else 3 end from t",
            "select a from t order by a offset 10 rows fetch next 5 rows only",
            "select 1e5, 0xff, 1.5, $1 from t -- drop table t\nwhere a = 1",
            "select /* insert */ a\r\nfrom t",
            "select last_update, is_set, t.used from t",
            "select a from t for xml path('x')",
            "select cast(a as decimal(19, 4)), iif(a > 1, 2, 3) from t",
            "select [trigger], [add], 'fn_trace_gettable' from [end] as conversation",
        ] {
            assert!(check(good).is_ok(), "{good}: {:?}", check(good));
        }
        for bad in [
            "",
            "delete from t",
            // Two statements need nothing between them.
            "select 1 delete from t",
            "select 1\nupdate t set a = 1",
            "select 1exec sp_who",
            "select 1.delete from t",
            "select 0x1zdelete from t",
            "select 1edelete from t",
            "select $1drop table t",
            "select 'a'drop table t",
            "select [a'b] drop table t --'",
            "select [a\"b] drop table t --\"",
            "select \"a]\" drop table t",
            "with x as (select 1 as a) delete from x",
            "select * into u from t",
            "select 1 waitfor delay '10:00'",
            "select * from openrowset('SQLNCLI', 'Server=x;', 'select 1')",
            "select * from openrowset(bulk 'c:\\x', single_blob) as t",
            "select next value for s",
            "select next/**/value for s",
            "select 1 as a disable trigger t on database",
            "select 1 as a add signature to p by certificate c",
            "select 1 end conversation 'x'",
            "select * from sys.fn_trace_gettable('\\\\far\\share\\x.trc', default)",
            "select * from sys.[FN_XE_file_target_read_file]('x', null, null, null)",
            "select * from sys.\"dm_os_file_exists\"('c:\\x')",
            "select 1; select 2",
            "select 1 -- a\rdelete from t",
            "select 1 -- a\u{2028}delete from t",
            "select /* /* */ delete from t */ 1",
            "select 'a",
            "select [a",
            "select 1 /* a",
            "select 1 commit delete from t",
            "execute p",
            "select 1 DeLeTe from t",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
