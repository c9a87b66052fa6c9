//! Counts what an export wrote, changed and left out.

use std::collections::BTreeMap;

/// Names of items given as examples in a note.
const EXAMPLES: usize = 5;

/// What an export holds, and what its format could not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub items: u64,
    pub labels: u64,
    left_out: BTreeMap<(&'static str, &'static str), Count>,
    changed: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Count {
    n: u64,
    examples: Vec<String>,
}

impl Tally {
    /// A label that was not written: what it is in the plural, and the reason.
    pub fn left_out(&mut self, kind: &'static str, why: &'static str, item: &str) {
        let count = self.left_out.entry((kind, why)).or_default();
        count.n += 1;
        if count.examples.len() < EXAMPLES && count.examples.last().is_none_or(|l| l != item) {
            count.examples.push(item.to_owned());
        }
    }

    /// A label that was written in another form; a sentence without its number.
    pub fn changed(&mut self, what: &'static str) {
        *self.changed.entry(what).or_default() += 1;
    }

    /// How many labels were left out.
    pub fn lost(&self) -> u64 {
        self.left_out.values().map(|c| c.n).sum()
    }

    /// A sentence for everything that was changed or left out.
    pub fn notes(&self) -> Vec<String> {
        let left_out = self.left_out.iter().map(|((kind, why), count)| {
            let examples = count.examples.join(", ");
            format!("{} {kind} left out: {why}; for example in {examples}.", count.n)
        });
        let changed = self.changed.iter().map(|(what, n)| format!("{n} {what}."));
        left_out.chain(changed).collect()
    }
}
