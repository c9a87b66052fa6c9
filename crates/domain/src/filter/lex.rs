//! The words of a filter.

use super::Op;

/// A name, with what stands before its first dot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub entity: Option<String>,
    pub key: String,
}

impl Word {
    /// Whether it is this keyword.
    pub fn is(&self, keyword: &str) -> bool {
        self.entity.is_none() && self.key.eq_ignore_ascii_case(keyword)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(Word),
    Op(Op),
    Whole(i64),
    Number(f64),
    Text(String),
    Open,
    Close,
    Comma,
}

/// Takes a filter apart. Errors: a sentence for people.
pub(super) fn lex(filter: &str) -> Result<Vec<(usize, Token)>, String> {
    let bytes = filter.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = filter[at..].chars().next() {
        let start = at;
        let token = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '(' => one(&mut at, Token::Open),
            ')' => one(&mut at, Token::Close),
            ',' => one(&mut at, Token::Comma),
            '=' | '<' | '>' | '!' => operator(bytes, &mut at, filter)?,
            '\'' => Token::Text(quoted(filter, &mut at)?),
            // After a comparison or within a list it is a value, elsewhere the name of an attribute.
            '"' if is_value_next(&tokens) => Token::Text(quoted(filter, &mut at)?),
            '0'..='9' | '-' | '+' | '.' => number(filter, &mut at)?,
            _ => Token::Name(name(filter, &mut at)?),
        };
        tokens.push((start, token));
    }
    Ok(tokens)
}

fn one(at: &mut usize, token: Token) -> Token {
    *at += 1;
    token
}

fn is_value_next(tokens: &[(usize, Token)]) -> bool {
    match tokens.last() {
        Some((_, Token::Op(_) | Token::Open | Token::Comma)) => true,
        Some((_, Token::Name(w))) => w.is("LIKE") || w.is("ILIKE"),
        _ => false,
    }
}

fn operator(bytes: &[u8], at: &mut usize, filter: &str) -> Result<Token, String> {
    let second = bytes.get(*at + 1).copied();
    let (op, len) = match (bytes[*at], second) {
        (b'=', Some(b'=')) => (Op::Eq, 2),
        (b'=', _) => (Op::Eq, 1),
        (b'!', Some(b'=')) => (Op::Ne, 2),
        (b'<', Some(b'>')) => (Op::Ne, 2),
        (b'<', Some(b'=')) => (Op::Le, 2),
        (b'<', _) => (Op::Lt, 1),
        (b'>', Some(b'=')) => (Op::Ge, 2),
        (b'>', _) => (Op::Gt, 1),
        _ => {
            let found: String = filter[*at..].chars().take(12).collect();
            return Err(format!(
                "`{found}` is no comparison; there are =, !=, <, <=, > and >=."
            ));
        }
    };
    *at += len;
    Ok(Token::Op(op))
}

/// What stands between this quote and the next of its kind; two of them in a row are one that is meant.
fn quoted(filter: &str, at: &mut usize) -> Result<String, String> {
    let quote = filter[*at..].chars().next().unwrap_or('\'');
    let start = *at;
    let mut text = String::new();
    let mut rest = filter[start + 1..].char_indices().peekable();
    while let Some((i, c)) = rest.next() {
        if c != quote {
            text.push(c);
        } else if rest.peek().is_some_and(|(_, next)| *next == quote) {
            text.push(quote);
            rest.next();
        } else {
            *at = start + 1 + i + 1;
            return Ok(text);
        }
    }
    let shown: String = filter[start..].chars().take(24).collect();
    Err(format!("The quote that begins at `{shown}` is not closed."))
}

fn number(filter: &str, at: &mut usize) -> Result<Token, String> {
    let rest = &filter[*at..];
    let mut end = 0;
    let mut before = ' ';
    for (i, c) in rest.char_indices() {
        let sign = matches!(c, '-' | '+') && (i == 0 || matches!(before, 'e' | 'E'));
        if !(c.is_ascii_alphanumeric() || c == '.' || sign) {
            break;
        }
        before = c;
        end = i + c.len_utf8();
    }
    let text = &rest[..end.max(1)];
    let token = match text.parse::<i64>() {
        Ok(n) => Token::Whole(n),
        Err(_) => match text.parse::<f64>() {
            Ok(n) if n.is_finite() => Token::Number(n),
            _ => {
                return Err(format!(
                    "`{}` is not a number.",
                    text.chars().take(40).collect::<String>()
                ));
            }
        },
    };
    *at += text.len();
    Ok(token)
}

/// A name: `plain`, `entity.key`, `` entity.`any key` ``, `entity."any key"`, `` `any key` ``.
fn name(filter: &str, at: &mut usize) -> Result<Word, String> {
    let first = part(filter, at, true)?;
    if filter[*at..].starts_with('.') {
        *at += 1;
        let key = part(filter, at, false)?;
        return Ok(Word {
            entity: Some(first),
            key,
        });
    }
    Ok(Word {
        entity: None,
        key: first,
    })
}

fn part(filter: &str, at: &mut usize, before_dot: bool) -> Result<String, String> {
    let rest = &filter[*at..];
    if rest.starts_with(['`', '"']) {
        return quoted(filter, at);
    }
    // A key goes on over dots and slashes; what stands before the first dot does not.
    let takes = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | ':' | '@' | '%') || c == '.' && !before_dot
    };
    let end = rest.find(|c| !takes(c)).unwrap_or(rest.len());
    if end == 0 {
        let found: String = rest.chars().take(12).collect();
        return Err(if found.is_empty() {
            "The filter ends where a name should follow.".to_owned()
        } else {
            format!(
                "`{found}` cannot stand where a name should; put names with other characters in back quotes."
            )
        });
    }
    *at += end;
    Ok(rest[..end].to_owned())
}
