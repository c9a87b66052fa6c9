//! Answers from an index.

use crate::bits::Bits;
use crate::{Index, Layer, Numbers};
use limn_domain::explore::{BINS, BY_PATH, Bounds, Column, ExploreFilter, Facet, FacetValue, VALUES_MAX};
use memchr::memmem;
use std::cmp::Ordering;
use std::collections::HashSet;

/// Which page of what passes.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// A column, or the order of paths.
    pub sort: Option<&'a str>,
    /// A number a row to order by instead, least first and NaN last.
    pub near: Option<&'a [f32]>,
    pub descending: bool,
    pub offset: usize,
    pub limit: usize,
    pub counts: bool,
}

/// What passes a filter.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub matched: usize,
    /// Rows of the page.
    pub rows: Vec<usize>,
    pub facets: Vec<Facet>,
    pub columns: Vec<Column>,
}

/// A filter's parts as sets, each with the name of what it is about.
pub(crate) struct Parts {
    named: Vec<(String, Bits)>,
    rows: usize,
}

impl Parts {
    /// Rows that pass all parts but the one of a name.
    pub(crate) fn without(&self, name: Option<&str>) -> Bits {
        let mut all: Option<Bits> = None;
        for (n, bits) in &self.named {
            if Some(n.as_str()) == name {
                continue;
            }
            match &mut all {
                Some(all) => all.and(bits),
                None => all = Some(bits.clone()),
            }
        }
        all.unwrap_or_else(|| Bits::all(self.rows))
    }

    pub(crate) fn is_by(&self, name: &str) -> bool {
        self.named.iter().any(|(n, _)| n == name)
    }
}

impl Index {
    /// The rows that pass. Errors name a facet or column there is not.
    pub fn passing(&self, layers: &[Layer], filter: &ExploreFilter) -> Result<Bits, String> {
        Ok(self.parts(layers, filter)?.without(None))
    }

    /// A page of what passes, with counts. Errors name a facet or column there is not.
    pub fn answer(
        &self,
        layers: &[Layer],
        filter: &ExploreFilter,
        wanted: &Wanted<'_>,
    ) -> Result<Answer, String> {
        let parts = self.parts(layers, filter)?;
        let passing = parts.without(None);
        let matched = passing.count();
        let mut answer = Answer {
            matched,
            rows: self.page(&passing, matched, wanted)?,
            ..Answer::default()
        };
        if !wanted.counts {
            return Ok(answer);
        }
        // Of what is filtered by, the other values count as well: they can be added.
        let own = |name: &str| parts.is_by(name).then(|| parts.without(Some(name)));
        for layer in layers {
            if layer.is_empty() && !parts.is_by(&layer.name) {
                continue;
            }
            let own = own(&layer.name);
            let set = own.as_ref().unwrap_or(&passing);
            let counted = layer.all().map(|(value, rows)| (value, rows.count_in(set)));
            let chosen = filter.facets.get(&layer.name);
            let chosen: Vec<String> = chosen.into_iter().flatten().map(|v| layer.spelled(v)).collect();
            answer.facets.push(facet(
                (layer.name.as_str(), layer.label.as_str(), 0),
                counted,
                &chosen,
            ));
        }
        for f in &self.facets {
            if layers.iter().any(|l| l.name == f.name) {
                continue;
            }
            let own = own(&f.name);
            let set = own.as_ref().unwrap_or(&passing);
            let counted = f.values.iter().map(|(value, all, rows)| {
                let count = if *all == 0 { 0 } else { rows.count_in(set) };
                (value.as_str(), count)
            });
            let chosen = filter.facets.get(&f.name).map(Vec::as_slice).unwrap_or_default();
            answer.facets.push(facet(
                (f.name.as_str(), f.label.as_str(), f.left_out),
                counted,
                chosen,
            ));
        }
        for c in &self.columns {
            let own = own(&c.name);
            answer.columns.push(column(c, own.as_ref().unwrap_or(&passing)));
        }
        Ok(answer)
    }

    fn parts(&self, layers: &[Layer], filter: &ExploreFilter) -> Result<Parts, String> {
        for (name, _) in filter.facets.iter().filter(|(_, w)| !w.is_empty()) {
            let there = layers.iter().any(|l| l.name == *name) || self.facets.iter().any(|f| f.name == *name);
            if !there {
                return Err(format!("No file here has a value of `{name}`."));
            }
        }
        for (name, _) in filter.ranges.iter().filter(|(_, b)| **b != Bounds::default()) {
            self.numbers(name)?;
        }
        Ok(self.parts_of(layers, filter, &|_, _| true))
    }

    /// The same where nothing passes what no row has a value of; of the values of facets only those that `takes` lets.
    pub(crate) fn parts_of(
        &self,
        layers: &[Layer],
        filter: &ExploreFilter,
        takes: &dyn Fn(&str, &str) -> bool,
    ) -> Parts {
        let rows = self.rows();
        let mut named = Vec::new();
        for (name, wanted) in filter.facets.iter().filter(|(_, w)| !w.is_empty()) {
            if let Some(layer) = layers.iter().find(|l| l.name == *name) {
                named.push((name.clone(), layer.rows_of(wanted, rows)));
                continue;
            }
            let mut bits = Bits::none(rows);
            let wanted: HashSet<&str> = wanted.iter().map(String::as_str).collect();
            let facet = self.facets.iter().find(|f| f.name == *name);
            for (value, _, set) in facet.iter().flat_map(|f| &f.values) {
                if wanted.contains(value.as_str()) && takes(name, value) {
                    set.add_to(&mut bits);
                }
            }
            named.push((name.clone(), bits));
        }
        for (name, bounds) in filter.ranges.iter().filter(|(_, b)| **b != Bounds::default()) {
            let column = self.columns.iter().find(|c| c.name == *name);
            let bits = column.map_or_else(|| Bits::none(rows), |c| within(c, *bounds));
            named.push((name.clone(), bits));
        }
        let text = filter.text.trim().to_lowercase();
        if !text.is_empty() {
            named.push((BY_PATH.to_owned(), self.containing(&text)));
        }
        Parts { named, rows }
    }

    fn numbers(&self, name: &str) -> Result<&Numbers, String> {
        let found = self.columns.iter().find(|c| c.name == name);
        found.ok_or_else(|| format!("No file here has a number `{name}`."))
    }

    /// Rows whose path contains a text in lower case.
    fn containing(&self, text: &str) -> Bits {
        let mut bits = Bits::none(self.rows());
        let mut row = 0;
        for at in memmem::find_iter(&self.text, text.as_bytes()) {
            let at = at as u64;
            // Near ones are near in the text as well.
            if self.ends.get(row).is_none_or(|e| *e <= at) {
                row += self.ends[row..].partition_point(|e| *e <= at);
            }
            if row < self.rows() {
                bits.insert(row);
            }
        }
        bits
    }

    fn page(&self, passing: &Bits, matched: usize, wanted: &Wanted<'_>) -> Result<Vec<usize>, String> {
        let (from, n) = (wanted.offset.min(matched), wanted.limit);
        let sort = wanted.sort.filter(|s| *s != BY_PATH);
        let (values, down) = match (wanted.near, sort) {
            (Some(near), _) => (Some(near), false),
            (None, Some(name)) => (Some(self.numbers(name)?.values.as_slice()), wanted.descending),
            (None, None) => (None, false),
        };
        match values {
            None if wanted.descending => {
                let all: Vec<usize> = passing.iter().collect();
                Ok(all.into_iter().rev().skip(from).take(n).collect())
            }
            None => Ok(passing.iter().skip(from).take(n).collect()),
            Some(values) => {
                let value = |row: usize| values.get(row).copied().unwrap_or(f32::NAN);
                let all = passing.iter().map(|row| (value(row), row)).collect();
                Ok(by_number(all, (from, n), down))
            }
        }
    }
}

/// Of numbers with their places those from `from` on, `n` at most, least first, or most first where it goes `down`. What is not known comes
/// last, ties in the order of places. Answers the places.
pub(crate) fn by_number(mut all: Vec<(f32, usize)>, (from, n): (usize, usize), down: bool) -> Vec<usize> {
    let order = |a: &(f32, usize), b: &(f32, usize)| {
        let by_value = match (a.0.is_nan(), b.0.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ if down => b.0.total_cmp(&a.0),
            _ => a.0.total_cmp(&b.0),
        };
        by_value.then(a.1.cmp(&b.1))
    };
    let from = from.min(all.len());
    let to = from.saturating_add(n).min(all.len());
    if to < all.len() {
        all.select_nth_unstable_by(to, order);
        all.truncate(to);
    }
    if from > 0 && from < all.len() {
        all.select_nth_unstable_by(from, order);
    }
    let mut page = all.split_off(from);
    page.sort_unstable_by(order);
    page.into_iter().map(|(_, place)| place).collect()
}

fn within(column: &Numbers, bounds: Bounds) -> Bits {
    let min = bounds.min.unwrap_or(f64::NEG_INFINITY) as f32;
    let max = bounds.max.unwrap_or(f64::INFINITY) as f32;
    let mut bits = Bits::none(column.values.len());
    for (row, v) in column.values.iter().enumerate() {
        if *v >= min && *v <= max {
            bits.insert(row);
        }
    }
    bits
}

/// Name, label, and how many values found no room; the others with their counts; those that are filtered by, which are always listed,
/// also where no row has them any more: they have to be in sight to be taken away.
pub(crate) fn facet<'a>(
    (name, label, left_out): (&str, &str, u32),
    counted: impl Iterator<Item = (&'a str, usize)>,
    chosen: &'a [String],
) -> Facet {
    let chosen: HashSet<&str> = chosen.iter().map(String::as_str).collect();
    let mut counted: Vec<(&str, usize)> = counted
        .filter(|(value, count)| *count > 0 || chosen.contains(value))
        .collect();
    let known: HashSet<&str> = counted.iter().map(|(value, _)| *value).collect();
    counted.extend(chosen.difference(&known).map(|value| (*value, 0)));
    counted.sort_by(|a, b| {
        chosen
            .contains(b.0)
            .cmp(&chosen.contains(a.0))
            .then(b.1.cmp(&a.1))
            .then_with(|| a.0.cmp(b.0))
    });
    let shown = counted.len().min(VALUES_MAX.max(chosen.len()));
    let more = counted.len() - shown + left_out as usize;
    counted.truncate(shown);
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    Facet {
        name: name.to_owned(),
        label: label.to_owned(),
        values: counted
            .into_iter()
            .map(|(value, count)| FacetValue {
                value: value.to_owned(),
                count: count as i64,
            })
            .collect(),
        more: more as i64,
    }
}

fn column(c: &Numbers, set: &Bits) -> Column {
    let mut bins = vec![0_i64; BINS];
    add_to_bins(c, set, (c.min, c.max), &mut bins);
    Column {
        name: c.name.clone(),
        label: c.label.clone(),
        unit: c.unit.clone(),
        min: f64::from(c.min),
        max: f64::from(c.max),
        bins,
    }
}

/// Counts the rows of a set in equal parts from `min` to `max`.
pub(crate) fn add_to_bins(c: &Numbers, set: &Bits, (min, max): (f32, f32), bins: &mut [i64]) {
    let width = (max - min) / BINS as f32;
    for row in set.iter() {
        let v = c.values[row];
        if !v.is_nan() {
            let bin = if width > 0.0 {
                ((v - min) / width) as usize
            } else {
                0
            };
            bins[bin.min(BINS - 1)] += 1;
        }
    }
}
