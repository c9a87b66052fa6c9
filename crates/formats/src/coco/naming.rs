//! What records are called in messages, and what categories may be called.

use crate::json::loose::Loose;
use crate::json::scan::Element;

pub(super) fn record_name(e: &Element<'_>) -> String {
    format!(
        "{}[{}]",
        if e.section.is_empty() {
            "results"
        } else {
            e.section
        },
        e.index
    )
}

/// A usable name and, if it had to be changed, what it was. `Err` when there is none.
pub(super) fn category_name(name: Loose) -> Result<(String, Option<String>), ()> {
    let was = match name {
        Loose::Text(t) => t,
        Loose::Int(i) => i.to_string(),
        Loose::Float(f) => f.to_string(),
        _ => return Err(()),
    };
    if let Ok(good) = limn_domain::validate::name("category", &was) {
        return Ok((good, None));
    }
    let spaced: String = was
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    let cut: String = spaced
        .trim()
        .chars()
        .take(limn_domain::validate::NAME_MAX)
        .collect();
    limn_domain::validate::name("category", &cut)
        .map(|good| (good, Some(was)))
        .map_err(|_| ())
}
