//! Values of attributes in files become those of the project's categories; what cannot is counted by name.

use limn_domain::attribute::{self, Attribute, Attributes};
use limn_formats::{Detail, Findings, ImportedAttributes};
use std::collections::BTreeMap;

/// Names counted apart; what a hostile file names beyond that is counted together.
const NAMES_MAX: usize = 500;

/// Values that found no place, by the attribute's name in the file. Their labels came in.
#[derive(Debug, Default)]
pub(in crate::jobs) struct Losses {
    counts: BTreeMap<(Reason, String), Count>,
    /// Of names beyond the limit.
    others: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// The category of the label defines no such attribute.
    Unknown,
    /// The value is none that the attribute takes.
    Unfit,
}

/// How many, and the first of them.
#[derive(Debug, Default)]
struct Count {
    n: u64,
    file: String,
    line: u64,
    record: String,
    /// What the attribute wants.
    why: String,
}

/// Where a label stands.
pub(in crate::jobs) struct Place<'a> {
    pub file: &'a str,
    pub line: u64,
    pub record: &'a dyn Fn() -> String,
}

impl Losses {
    fn add(&mut self, reason: Reason, name: &str, why: String, place: &Place<'_>) {
        let key = (reason, name.to_owned());
        if let Some(count) = self.counts.get_mut(&key) {
            count.n += 1;
        } else if self.counts.len() < NAMES_MAX {
            let count = Count {
                n: 1,
                file: place.file.to_owned(),
                line: place.line,
                record: (place.record)(),
                why,
            };
            self.counts.insert(key, count);
        } else {
            self.others += 1;
        }
    }

    /// One finding for each name, at the first place it was found.
    pub fn report(self, findings: &mut Findings) {
        for ((reason, name), count) in self.counts {
            findings.set_file(count.file);
            let name: String = name.chars().take(80).flat_map(char::escape_debug).collect();
            let n = count.n;
            let detail = |why: String| Detail::new(why).line(count.line).record(count.record);
            match reason {
                Reason::Unknown => findings.note("attribute_unknown", || {
                    detail(format!(
                        "{n} values of `{name}` were left out: the categories of their labels have no such attribute. \
                         Add it to them, then import with `replace`. The first is here."
                    ))
                }),
                Reason::Unfit => findings.fixed("attribute_value", || {
                    let why = count.why;
                    detail(format!("{n} values of `{name}` were left out: {why}. The first is here."))
                }),
            }
        }
        if self.others > 0 {
            findings.set_file("");
            findings.note("attribute_unknown", || {
                Detail::new(format!("{} values of more names were left out.", self.others))
            });
        }
    }
}

/// The values that `list` has attributes for, by their keys; what is left over is in `losses`.
pub(in crate::jobs) fn matched(
    list: &[Attribute],
    values: Option<&ImportedAttributes>,
    place: &Place<'_>,
    losses: &mut Losses,
) -> Attributes {
    let mut out = Attributes::new();
    for (name, value) in values.map_or(&[][..], |v| &v.0) {
        let Some(attribute) = attribute::find(list, name) else {
            losses.add(Reason::Unknown, name, String::new(), place);
            continue;
        };
        match attribute.read(value.clone()) {
            // Two names that mean the same attribute: its key goes before its name.
            Ok(Some(value)) if *name == attribute.key || !out.contains_key(&attribute.key) => {
                out.insert(attribute.key.clone(), value);
            }
            Ok(_) => {}
            Err(why) => losses.add(Reason::Unfit, name, why, place),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::{AttributeKind, AttributeValue};

    #[test]
    fn one_finding_for_each_name_however_many_values() {
        let list = attribute::check_attributes(vec![Attribute {
            key: "hidden".into(),
            name: "Is hidden".into(),
            kind: AttributeKind::Checkbox,
            required: false,
            default: None,
        }])
        .unwrap();
        let mut losses = Losses::default();
        for n in 0..1_000 {
            let values = ImportedAttributes(vec![
                ("is HIDDEN".into(), AttributeValue::Text("true".into())),
                ("hidden".into(), AttributeValue::Text("perhaps".into())),
                ("colour".into(), AttributeValue::Text("red".into())),
                (format!("x{n}"), AttributeValue::Number(1.0)),
            ]);
            let place = Place {
                file: "a.json",
                line: n + 1,
                record: &|| "annotations[7]".to_owned(),
            };
            let kept = matched(&list, Some(&values), &place, &mut losses);
            assert_eq!(kept.get("hidden"), Some(&AttributeValue::Flag(true)));
        }
        let mut findings = Findings::default();
        losses.report(&mut findings);
        let report = findings.into_report();
        let of = |what: &str| {
            report
                .entries
                .iter()
                .filter(|e| e.message.contains(what))
                .collect::<Vec<_>>()
        };
        let colour = of("1000 values of `colour`");
        assert_eq!((colour.len(), colour[0].line), (1, Some(1)), "{report:#?}");
        assert_eq!(
            of("1000 values of `hidden` were left out: Is hidden must be true or false").len(),
            1
        );
        assert_eq!(report.fixed, 1);
    }
}
