//! Class tables: `index,name,color` as we write them, `name:r,g,b::` as CVAT does, a name a line, or `r g b name` as CamVid.

/// One class of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    pub index: u32,
    pub name: String,
    /// Red + 256 green + 65536 blue.
    pub color: Option<u32>,
}

pub(super) const CLASSES_MAX: usize = 10_000;

/// The classes of a table, in its order; the lines that say nothing, by number from 1.
pub(super) fn read(text: &str) -> (Vec<Class>, Vec<u64>) {
    let (mut out, mut bad) = (Vec::new(), Vec::new());
    for (line, n) in text.lines().zip(1_u64..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("index,") || out.len() >= CLASSES_MAX
        {
            continue;
        }
        match class(line, out.len() as u32) {
            Some(class) => out.push(class),
            None => bad.push(n),
        }
    }
    (out, bad)
}

fn class(line: &str, next: u32) -> Option<Class> {
    // index,name,color
    if let Some((index, rest)) = line.split_once(',')
        && let Ok(index) = index.trim().parse()
    {
        let (name, rest) = field(rest)?;
        return named(index, &name, hex(rest.trim_start_matches(',')));
    }
    // name:r,g,b:parts:actions
    if let Some((name, rest)) = line.split_once(':') {
        return named(next, name, rgb(rest.split(':').next()?, ','));
    }
    // r g b name
    let mut words = line.splitn(4, char::is_whitespace);
    if let (Some(r), Some(g), Some(b), Some(name)) = (words.next(), words.next(), words.next(), words.next())
        && let Some(color) = rgb(&format!("{r} {g} {b}"), ' ')
    {
        return named(next, name, Some(color));
    }
    named(next, line, None)
}

fn named(index: u32, name: &str, color: Option<u32>) -> Option<Class> {
    let name = name.trim();
    (!name.is_empty()).then(|| Class {
        index,
        name: name.to_owned(),
        color,
    })
}

/// A field of CSV, quoted or not, and what follows.
fn field(text: &str) -> Option<(String, &str)> {
    let Some(rest) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut at = 0;
    loop {
        at += rest[at..].find('"')?;
        if rest[at + 1..].starts_with('"') {
            at += 2;
        } else {
            return Some((rest[..at].replace("\"\"", "\""), &rest[at + 1..]));
        }
    }
}

fn hex(text: &str) -> Option<u32> {
    let digits = text
        .trim()
        .strip_prefix('#')
        .filter(|d| d.len() == 6 && d.is_ascii())?;
    let v = u32::from_str_radix(digits, 16).ok()?;
    Some((v >> 16) | (v & 0xff00) | ((v & 0xff) << 16))
}

fn rgb(text: &str, between: char) -> Option<u32> {
    let mut parts = text.split(between).map(|p| p.trim().parse::<u8>().ok());
    let (r, g, b) = (parts.next()??, parts.next()??, parts.next()??);
    parts
        .next()
        .is_none()
        .then(|| u32::from(r) | u32::from(g) << 8 | u32::from(b) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_every_kind() {
        let class = |index, name: &str, color| Class {
            index,
            name: name.into(),
            color,
        };
        assert_eq!(
            read("index,name,color\n0,background,#000000\n3,\"a \"\"b\"\", c\",#010203\n7,dog\n").0,
            [
                class(0, "background", Some(0)),
                class(3, "a \"b\", c", Some(0x0003_0201)),
                class(7, "dog", None)
            ]
        );
        assert_eq!(
            read("# label:color_rgb\nbackground:0,0,0::\ncat:1,2,3::\n").0,
            [
                class(0, "background", Some(0)),
                class(1, "cat", Some(0x0003_0201))
            ]
        );
        assert_eq!(read("64 128 64\tAnimal\n").0[0].name, "Animal");
        assert_eq!(read("Sky\nBuilding\n").0[1], class(1, "Building", None));
        assert_eq!(read("3,\"open\n").1, [1]);
    }
}
