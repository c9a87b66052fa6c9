//! The names of the classes out of `data.yaml` or a plain list.
//!
//! Of YAML only what such files hold is understood: the key `names` with a list or a map, in flow or block style, of
//! plain and quoted scalars. Nothing is expanded, so there is nothing to expand without end.

use std::collections::BTreeMap;

/// Most classes of a file.
pub(super) const CLASSES_MAX: usize = 10_000;

/// By number. `Err`: why the names cannot be read.
pub(super) type Names = Result<BTreeMap<usize, String>, &'static str>;

/// One name a line, numbered from 0; empty lines count, but at the end.
pub(super) fn from_list(text: &str) -> Names {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    numbered(lines.into_iter().map(|l| l.trim().to_owned()).collect())
}

fn numbered(names: Vec<String>) -> Names {
    if names.len() > CLASSES_MAX {
        return Err("it has more than 10,000 names");
    }
    Ok(names
        .into_iter()
        .enumerate()
        .filter(|(_, n)| !n.is_empty())
        .collect())
}

/// The value of `names` at the top of a YAML file.
pub(super) fn from_yaml(text: &str) -> Names {
    let mut rest = text;
    loop {
        let line = rest.lines().next().unwrap_or_default();
        if let Some(value) = line
            .strip_prefix("names")
            .and_then(|l| l.trim_start().strip_prefix(':'))
        {
            let below = &rest[line.len()..];
            let value = value.trim();
            return match value.chars().next() {
                Some('[' | '{') => {
                    let at = rest.find(['[', '{']).unwrap_or_default();
                    flow(&rest[at..])
                }
                None | Some('#') => block(below),
                Some(_) => Err("`names` is neither a list nor a map"),
            };
        }
        match rest.find('\n') {
            Some(at) => rest = &rest[at + 1..],
            None => return Err("it has no `names`"),
        }
    }
}

/// What stands after a key at the top of a YAML file: on its line, and on the lines below until the next key.
pub(super) fn value<'t>(
    text: &'t str,
    key: &str,
) -> Option<(&'t str, impl Iterator<Item = &'t str> + use<'t>)> {
    let mut lines = text.lines();
    let first = lines.find_map(|l| l.strip_prefix(key)?.trim_start().strip_prefix(':'))?;
    let below = lines.take_while(|l| l.is_empty() || l.starts_with([' ', '\t', '-', '#', ']']));
    Some((first, below))
}

/// `kpt_names`: names of keypoints by class, each a block of `- name` or a list in brackets on one line. What is not
/// understood is left out: the names are no more than names.
pub(super) fn keypoints(text: &str) -> BTreeMap<usize, Vec<String>> {
    let mut out: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let Some((_, below)) = value(text, "kpt_names") else {
        return out;
    };
    let mut class = None;
    for line in below.take(CLASSES_MAX * 4) {
        let inner = line.trim();
        if let Some(name) = inner.strip_prefix("- ") {
            let list = class.and_then(|c| out.get_mut(&c));
            if let (Some(list), Ok(name)) = (list, scalar(name)) {
                list.push(name);
            }
        } else if let Some((key, rest)) = inner.split_once(':')
            && let Ok(key) = key.trim().parse()
            && out.len() < CLASSES_MAX
        {
            let rest = rest.trim();
            let listed = if rest.starts_with('[') {
                flow(rest).unwrap_or_default()
            } else {
                BTreeMap::new()
            };
            out.insert(key, listed.into_values().collect());
            class = Some(key);
        }
    }
    out
}

/// `- name` or `0: name`, a line each, until something stands at the margin again.
fn block(text: &str) -> Names {
    let (mut list, mut map) = (Vec::new(), BTreeMap::new());
    for line in text.lines().skip(1) {
        let inner = line.trim();
        if inner.is_empty() || inner.starts_with('#') {
            continue;
        }
        if list.len() + map.len() > CLASSES_MAX {
            return Err("it has more than 10,000 names");
        }
        if let Some(item) = inner.strip_prefix("- ").or((inner == "-").then_some("")) {
            list.push(scalar(item)?);
        } else if line.starts_with([' ', '\t']) {
            let (key, value) = inner
                .split_once(':')
                .ok_or("a line of `names` is neither `- name` nor `0: name`")?;
            let key = scalar(key)?
                .parse()
                .map_err(|_| "a key of `names` is no number from 0")?;
            map.insert(key, scalar(value)?);
        } else {
            break;
        }
    }
    finish(list, map)
}

fn finish(list: Vec<String>, map: BTreeMap<usize, String>) -> Names {
    match (list.is_empty(), map.is_empty()) {
        (false, false) => Err("`names` mixes a list and a map"),
        (true, _) => Ok(map.into_iter().filter(|(_, n)| !n.is_empty()).collect()),
        _ => numbered(list),
    }
}

/// `[a, 'b', "c"]` or `{0: a, 1: b}`, over as many lines as it takes.
fn flow(text: &str) -> Names {
    let is_map = text.starts_with('{');
    let end = if is_map { '}' } else { ']' };
    let (mut list, mut map) = (Vec::new(), BTreeMap::new());
    let mut piece = String::new();
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars().skip(1) {
        match (quote, c) {
            (Some('"'), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            // A quote opens where a value begins; doubled, it is part of one.
            (None, '"' | '\'') if matches!(piece.trim_end().chars().last(), None | Some(':')) => {
                quote = Some(c);
            }
            (None, '\'') if piece.ends_with('\'') => quote = Some(c),
            (None, c) if c == ',' || c == end => {
                let (key, value) = match piece.split_once(':') {
                    Some((key, value)) if is_map => (Some(key), value),
                    _ => (None, piece.as_str()),
                };
                let value = scalar(value)?;
                if list.len() + map.len() > CLASSES_MAX {
                    return Err("it has more than 10,000 names");
                }
                match key {
                    Some(key) => {
                        let key = scalar(key)?
                            .parse()
                            .map_err(|_| "a key of `names` is no number from 0")?;
                        map.insert(key, value);
                    }
                    None if piece.trim().is_empty() => {}
                    None if is_map => return Err("an entry of `names` has no number"),
                    None => list.push(value),
                }
                if c == end {
                    return finish(list, map);
                }
                piece.clear();
                continue;
            }
            (None, '#') if piece.trim().is_empty() => return Err("`names` holds a comment in the middle"),
            _ => {}
        }
        piece.push(c);
    }
    Err("`names` is not closed")
}

/// A plain, single- or double-quoted scalar, with a comment after it or not.
fn scalar(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('\'') {
        let mut out = String::new();
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '\'' {
                out.push(c);
            } else if chars.next_if_eq(&'\'').is_some() {
                out.push('\'');
            } else {
                return Ok(out);
            }
        }
        return Err("a quoted name is not closed");
    }
    if text.starts_with('"') {
        let end = text
            .char_indices()
            .skip(1)
            .scan(false, |escaped, (i, c)| {
                let closes = c == '"' && !*escaped;
                *escaped = c == '\\' && !*escaped;
                Some((i, closes))
            })
            .find(|(_, closes)| *closes)
            .map(|(i, _)| i)
            .ok_or("a quoted name is not closed")?;
        return serde_json::from_str(&text[..=end])
            .map_err(|_| "a quoted name has an escape that is not JSON's");
    }
    let plain = text.split(" #").next().unwrap_or_default().trim();
    if plain.starts_with(['&', '*', '!', '|', '>', '[', '{']) {
        return Err("a name is no plain or quoted text");
    }
    Ok(plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(usize, String)> {
        from_yaml(text).unwrap().into_iter().collect()
    }

    #[test]
    fn names_of_every_style() {
        let wanted = vec![(0, "person".to_owned()), (1, "traffic light".to_owned())];
        for text in [
            "path: x\nnames:\n  0: person\n  1: traffic light\nnc: 2\n",
            "names:\r\n  - person # the first\r\n  - 'traffic light'\r\n",
            "names:\n- person\n- \"traffic light\"\ntrain: x\n",
            "nc: 2\nnames: [person, 'traffic light']\n",
            "names: ['person',\n  \"traffic light\" ]",
            "names: {0: person, 1: traffic light}",
            "names : # list\n\n  # comment\n  0: 'person'\n  1: \"traffic light\" # x\n",
        ] {
            assert_eq!(names(text), wanted, "{text}");
        }
        assert_eq!(
            names("names: ['it''s, ok', \"a\\\"b: c\"]"),
            [(0, "it's, ok".to_owned()), (1, "a\"b: c".to_owned())]
        );
        assert_eq!(names("names: {}"), []);
        for bad in [
            "",
            "nc: 2",
            "names: 3",
            "names: [a",
            "names: ['a",
            "names:\n  x: y",
            "names: &a [x]",
            "names: {a}",
            "names:\n - *a",
        ] {
            assert!(from_yaml(bad).is_err(), "{bad}");
        }
        let many = format!("names: [{}]", "a,".repeat(20_000));
        assert!(from_yaml(&many).is_err());
        assert_eq!(
            from_list("a\n\nb\n\n").unwrap().into_iter().collect::<Vec<_>>(),
            [(0, "a".to_owned()), (2, "b".to_owned())]
        );
    }
}
