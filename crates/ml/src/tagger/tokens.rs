//! Documents as tokens, and what there is to say of each: the word, its form, how it begins and ends, and its neighbours.

use limn_services::assist::port::TEXT_READ;

/// Places that what is said of tokens is hashed into.
pub const PLACES: usize = 1 << BITS;
const BITS: u32 = 18;
/// Stands for what lies before and behind the text.
const EDGE: u64 = 0x5eed;
/// Letters of one sort in a row that a form tells apart.
const RUN: usize = 3;

/// A word, or a mark alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// In Unicode scalar values of the text, `end` not among them.
    pub start: u32,
    pub end: u32,
    /// The word without capitals, every digit a zero.
    word: u64,
    /// Such as `Xxx` or `dd`.
    form: u64,
    /// Its first two, three, four characters, and its last; 0 where it has no more than those.
    pieces: [u64; 6],
    begins_line: bool,
    ends_line: bool,
    begins_sentence: bool,
}

/// The tokens of what is read of a text: runs of letters and digits, any other character that is no space by itself. In scripts that do not
/// part their words every character is one. Marks that join to a character belong to it.
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().take(TEXT_READ).collect();
    let mut out: Vec<Token> = Vec::new();
    let (mut line, mut sentence) = (true, true);
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c.is_whitespace() {
            line |= matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
            at += 1;
            continue;
        }
        if line && let Some(last) = out.last_mut() {
            last.ends_line = true;
        }
        let end = end_of(&chars, at);
        out.push(Token {
            start: at as u32,
            end: end as u32,
            begins_line: line,
            begins_sentence: line || sentence,
            ..Token::of(&chars[at..end])
        });
        if !matches!(c, '"' | '\'' | ')' | ']' | '\u{2019}' | '\u{201d}' | '\u{bb}') {
            sentence = matches!(c, '.' | '!' | '?' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}');
        }
        line = false;
        at = end;
    }
    if let Some(last) = out.last_mut() {
        last.ends_line = true;
    }
    out
}

/// Where the token that begins at `at` ends.
fn end_of(chars: &[char], at: usize) -> usize {
    let word = in_words(chars[at]);
    let mut end = at + 1;
    while let Some(c) = chars.get(end) {
        let joined = joins(*c) || chars[end - 1] == '\u{200d}' && !c.is_whitespace();
        if !(joined || word && in_words(*c)) {
            break;
        }
        end += 1;
    }
    end
}

/// Whether a word may go on with it.
fn in_words(c: char) -> bool {
    let alone = matches!(c,
        // Thai, Lao, Burmese, Khmer, kana, Han.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}');
    c.is_alphanumeric() && !alone
}

/// Whether it is a part of the character before it: combining marks, joiners, variants, tones of skin.
const fn joins(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}'
        // Signs of Indic scripts that are no letters.
        | '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{a3c}' | '\u{a4d}' | '\u{abc}' | '\u{acd}'
        | '\u{b3c}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}')
}

impl Token {
    fn of(chars: &[char]) -> Self {
        let plain = chars.iter().flat_map(|c| c.to_lowercase());
        let lower: Vec<char> = plain.map(|c| if c.is_numeric() { '0' } else { c }).collect();
        let n = lower.len();
        let mut pieces = [0; 6];
        for (k, long) in (2..=4).enumerate().filter(|(_, long)| n > *long) {
            pieces[k] = hash(lower[..long].iter().copied());
            pieces[k + 3] = hash(lower[n - long..].iter().copied());
        }
        Self {
            start: 0,
            end: 0,
            word: hash(lower),
            form: form(chars),
            pieces,
            begins_line: false,
            ends_line: false,
            begins_sentence: false,
        }
    }

    /// Its last three characters, or all of them.
    const fn ending(&self) -> u64 {
        if self.pieces[4] == 0 {
            self.word
        } else {
            self.pieces[4]
        }
    }
}

fn form(chars: &[char]) -> u64 {
    let (mut last, mut run) = ('\0', 0);
    let sorts = chars.iter().filter(|c| !joins(**c)).filter_map(|c| {
        let sort = match *c {
            c if c.is_uppercase() => 'X',
            c if c.is_lowercase() => 'x',
            c if c.is_numeric() => 'd',
            c if c.is_alphabetic() => 'c',
            c => c,
        };
        run = if sort == last { run + 1 } else { 1 };
        last = sort;
        (run <= RUN).then_some(sort)
    });
    hash(sorts)
}

/// FNV-1a over characters.
fn hash(chars: impl IntoIterator<Item = char>) -> u64 {
    let begin = 0xcbf2_9ce4_8422_2325;
    let step = |hash: u64, c: char| (hash ^ u64::from(u32::from(c))).wrapping_mul(0x0100_0000_01b3);
    chars.into_iter().fold(begin, step)
}

/// The place of something of some kind that two things say together. The high bits of what is stirred are the good ones.
fn place(kind: usize, a: u64, b: u64) -> u32 {
    let mut hash =
        (a ^ (kind as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 32) ^ b.rotate_left(23)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash = (hash ^ (hash >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash >> (64 - BITS)) as u32
}

/// The places of all that is said of the token `n`, into `out`.
pub fn describe(tokens: &[Token], n: usize, out: &mut Vec<u32>) {
    out.clear();
    let Some(token) = tokens.get(n) else { return };
    let at = |by: isize| n.checked_add_signed(by).and_then(|n| tokens.get(n));
    let word = |by: isize| at(by).map_or(EDGE, |t| t.word);
    let form = |by: isize| at(by).map_or(EDGE, |t| t.form);
    let ending = |by: isize| at(by).map_or(EDGE, Token::ending);
    let where_it_is = u64::from(token.begins_line)
        | (u64::from(token.ends_line) << 1)
        | (u64::from(token.begins_sentence) << 2);
    let (w, f) = (token.word, token.form);
    let said = [
        (0, 0),
        (w, 0),
        (f, 0),
        (word(-2), 0),
        (word(-1), 0),
        (word(1), 0),
        (word(2), 0),
        (form(-2), 0),
        (form(-1), 0),
        (form(1), 0),
        (form(2), 0),
        (word(-1), w),
        (w, word(1)),
        (word(-2), word(-1)),
        (word(1), word(2)),
        (word(-1), f),
        (f, word(1)),
        (form(-1), f),
        (f, form(1)),
        (form(-1), word(-2)),
        (ending(-1), f),
        (f, ending(1)),
        (where_it_is, 0),
        (where_it_is, f),
    ];
    out.extend(said.iter().enumerate().map(|(kind, (a, b))| place(kind, *a, *b)));
    let pieces = token.pieces.iter().enumerate().filter(|(_, piece)| **piece != 0);
    out.extend(pieces.map(|(kind, piece)| place(said.len() + kind, *piece, 0)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        let part = |t: &Token| chars[t.start as usize..t.end as usize].iter().collect();
        tokens(text).iter().map(part).collect()
    }

    #[test]
    fn words_are_runs_and_marks_stand_alone() {
        assert_eq!(cut("Ana's 3,5 kg"), ["Ana", "'", "s", "3", ",", "5", "kg"]);
        assert_eq!(
            cut("Lu\u{308}demann-Ko\u{308}ln"),
            ["Lu\u{308}demann", "-", "Ko\u{308}ln"]
        );
        // A family is one, as is a hand with its tone of skin; signs of scripts without gaps are each one.
        assert_eq!(
            cut("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} ok"),
            ["\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "ok"]
        );
        assert_eq!(cut("\u{1f44d}\u{1f3fd}x"), ["\u{1f44d}\u{1f3fd}", "x"]);
        assert_eq!(cut("東京とab12"), ["東", "京", "と", "ab12"]);
        assert_eq!(cut(" \r\n\t"), Vec::<String>::new());
        assert_eq!(cut("\u{308}"), ["\u{308}"]);
    }

    #[test]
    fn lines_and_sentences_begin_where_they_do() {
        let all = tokens("One two.\r\nThree? \"Four\" five");
        let begins: Vec<(bool, bool, bool)> = all
            .iter()
            .map(|t| (t.begins_line, t.begins_sentence, t.ends_line))
            .collect();
        // One, two, full stop; Three, question mark, quote, Four, quote, five.
        assert_eq!(begins[0], (true, true, false));
        assert_eq!(begins[2], (false, false, true));
        assert_eq!(begins[3], (true, true, false));
        assert_eq!(begins[6], (false, true, false));
        assert_eq!(begins[8], (false, false, true));
        assert_eq!((all[3].start, all[3].end), (10, 15));
    }

    #[test]
    fn what_is_said_of_a_token_depends_on_its_neighbours() {
        let of = |text: &str, n: usize| {
            let mut out = Vec::new();
            describe(&tokens(text), n, &mut out);
            out
        };
        let (a, b) = (of("in Rome now", 1), of("in Bern now", 1));
        // Pieces of two and three characters at both ends; the whole word is no piece.
        assert_eq!(a.len(), 28);
        assert_ne!(a, b);
        // The form and all that is around are the same.
        assert!(a.iter().filter(|p| b.contains(p)).count() >= 21);
        assert!(a.iter().all(|p| (*p as usize) < PLACES));
        assert!(of("in", 5).is_empty());
    }
}
