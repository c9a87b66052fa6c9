//! An index of what changes: one that was made once, with the rows that have changed since over it. Both answer as one.

use crate::bits::{Bits, Set};
use crate::build::{FACETS_MAX, VALUES_MAX};
use crate::query::{Answer, Parts, Wanted, add_to_bins, by_number, facet};
use crate::{Index, Numbers, Values};
use limn_domain::explore::{BINS, BY_PATH, Column, ExploreFilter, Facet};
use std::collections::HashMap;
use std::sync::Arc;

/// What comes behind this in a key is searched like the rest, and is no part of the name.
pub const NAME_END: char = '\u{1}';

/// A row that is no more.
const GONE: u32 = u32::MAX;

/// An index with what has changed since it was made. Its rows are those of the index, then those that have changed.
#[derive(Debug, Clone)]
pub struct Stack {
    base: Arc<Index>,
    /// Rows of the base that still hold.
    live: Bits,
    delta: Index,
    /// For each row of the delta the first row of the base whose key is not before its own.
    places: Vec<usize>,
}

/// Rows of a stack that pass a filter: of its base, and of what has changed.
#[derive(Debug, Clone)]
pub struct Passing([Bits; 2]);

impl Passing {
    pub fn count(&self) -> usize {
        self.0.iter().map(Bits::count).sum()
    }
}

impl Stack {
    /// What `delta` (of a [`Builder::of_changes`](crate::Builder::of_changes)) says goes before what the base says of the same names; the rows
    /// of the names in `gone` are no more.
    pub fn new<'a>(base: Arc<Index>, delta: Index, gone: impl IntoIterator<Item = &'a str>) -> Self {
        let mut dead = Bits::none(base.rows());
        let mut places = Vec::with_capacity(delta.rows());
        for row in 0..delta.rows() {
            let key = delta.key(row);
            places.push(base.first_not_before(key, 0, base.rows()));
            if let Some(old) = row_of(&base, name_of(key)) {
                dead.insert(old);
            }
        }
        for name in gone {
            if let Some(row) = row_of(&base, name) {
                dead.insert(row);
            }
        }
        let mut live = Bits::all(base.rows());
        live.minus(&dead);
        Self {
            base,
            live,
            delta,
            places,
        }
    }

    /// The index without what has changed.
    pub const fn base(&self) -> &Arc<Index> {
        &self.base
    }

    /// Number of rows that hold.
    pub fn rows(&self) -> usize {
        self.live.count() + self.delta.rows()
    }

    /// Bytes of memory it takes, about.
    pub fn size(&self) -> usize {
        self.base.size() + self.delta.size() + self.base.rows() / 8 + self.places.len() * 8
    }

    /// The name of a row: its key up to [`NAME_END`].
    pub fn name(&self, row: usize) -> &str {
        name_of(self.key(row))
    }

    /// The rows that pass. Nothing passes a facet or column that no row has a value of.
    pub fn passing(&self, filter: &ExploreFilter) -> Passing {
        Passing(self.without(&self.parts(filter), None))
    }

    /// The names of the rows that pass, in no order.
    pub fn names<'a>(&'a self, passing: &'a Passing) -> impl Iterator<Item = &'a str> {
        let (old, n) = (passing.0[0].iter(), self.base.rows());
        let new = passing.0[1].iter().map(move |row| n + row);
        old.chain(new).map(move |row| self.name(row))
    }

    /// Whether the row of a name passes.
    pub fn lets(&self, passing: &Passing, name: &str) -> bool {
        let mut halves = self.halves().into_iter().zip(&passing.0);
        halves.any(|(half, bits)| row_of(half, name).is_some_and(|row| bits.contains(row)))
    }

    /// Whether a row of that name holds.
    pub fn holds(&self, name: &str) -> bool {
        row_of(&self.delta, name).is_some()
            || row_of(&self.base, name).is_some_and(|row| self.live.contains(row))
    }

    /// The names of rows that are not among these.
    pub fn others<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut left = [self.live.clone(), Bits::all(self.delta.rows())];
        let mut there = [Bits::none(self.base.rows()), Bits::none(self.delta.rows())];
        for name in names {
            for (half, there) in self.halves().into_iter().zip(&mut there) {
                if let Some(row) = row_of(half, name) {
                    there.insert(row);
                }
            }
        }
        for (left, there) in left.iter_mut().zip(&there) {
            left.minus(there);
        }
        let left = Passing(left);
        self.names(&left).map(str::to_owned).collect()
    }

    /// A page of what passes, with counts. `wanted.near` is not for stacks.
    pub fn answer(&self, filter: &ExploreFilter, wanted: &Wanted<'_>) -> Answer {
        let parts = self.parts(filter);
        let passing = self.without(&parts, None);
        let matched = passing.iter().map(Bits::count).sum();
        let mut answer = Answer {
            matched,
            rows: self.page(&passing, matched, wanted),
            ..Answer::default()
        };
        if !wanted.counts {
            return answer;
        }
        // Of what is filtered by, the other values count as well: they can be added.
        let own = |name: &str| parts[0].is_by(name).then(|| self.without(&parts, Some(name)));
        for (name, label) in self.facet_heads() {
            let own = own(name);
            let chosen = filter.facets.get(name).map(Vec::as_slice).unwrap_or_default();
            answer
                .facets
                .extend(self.facet((name, label), own.as_ref().unwrap_or(&passing), chosen));
        }
        for head in self.column_heads() {
            let own = own(&head.name);
            answer
                .columns
                .push(self.column(head, own.as_ref().unwrap_or(&passing)));
        }
        answer
    }

    /// One index of all rows that hold.
    pub fn merged(&self) -> Index {
        let mut index = Index::default();
        let mut to = [vec![GONE; self.base.rows()], vec![GONE; self.delta.rows()]];
        for row in self.in_order(&[self.live.clone(), Bits::all(self.delta.rows())]) {
            let (half, own) = self.split(row);
            to[half][own] = index.rows;
            index.rows += 1;
            index.text.extend(self.key(row).as_bytes());
            index.text.push(b'\n');
            index.ends.push(index.text.len() as u64);
        }
        let rows = index.rows();
        let facets = self.facet_heads().into_iter().take(FACETS_MAX);
        index.facets = facets
            .filter_map(|(name, label)| self.merged_facet((name, label), &to, rows))
            .collect();
        let columns = self.column_heads().into_iter();
        index.columns = columns
            .filter_map(|head| self.merged_column(head, &to, rows))
            .collect();
        index
    }

    fn key(&self, row: usize) -> &str {
        let (half, row) = self.split(row);
        self.halves()[half].key(row)
    }

    fn halves(&self) -> [&Index; 2] {
        [&self.base, &self.delta]
    }

    /// Which half a row is of, and its number there.
    fn split(&self, row: usize) -> (usize, usize) {
        match row.checked_sub(self.base.rows()) {
            None => (0, row),
            Some(row) => (1, row),
        }
    }

    fn parts(&self, filter: &ExploreFilter) -> [Parts; 2] {
        let known = |name: &str, value: &str| {
            self.is_open(name)
                || self
                    .base_facet(name)
                    .is_some_and(|f| f.values.iter().any(|(v, ..)| v == value))
        };
        [
            self.base.parts_of(&[], filter, &|_, _| true),
            self.delta.parts_of(&[], filter, &known),
        ]
    }

    fn base_facet(&self, name: &str) -> Option<&Values> {
        self.base.facets.iter().find(|f| f.name == name)
    }

    /// Whether values of a facet that the base does not have are new. Where some found no room they may be among those, and the rows that
    /// have changed would not be all that have them: such values are left out whole.
    fn is_open(&self, name: &str) -> bool {
        match self.base_facet(name) {
            Some(f) => f.left_out == 0,
            None => self.base.facets.len() < FACETS_MAX,
        }
    }

    /// Rows that pass all parts but the one of a name.
    fn without(&self, parts: &[Parts; 2], name: Option<&str>) -> [Bits; 2] {
        let mut old = parts[0].without(name);
        old.and(&self.live);
        [old, parts[1].without(name)]
    }

    /// Names and labels of the facets of both halves.
    fn facet_heads(&self) -> Vec<(&str, &str)> {
        let mut heads: Vec<(&str, &str)> = Vec::new();
        for f in self.halves().into_iter().flat_map(|half| half.facets.iter()) {
            if heads.iter().all(|(name, _)| *name != f.name) {
                heads.push((&f.name, &f.label));
            }
        }
        heads
    }

    /// The columns of both halves, each from where it is first.
    fn column_heads(&self) -> Vec<&Numbers> {
        let mut heads: Vec<&Numbers> = Vec::new();
        for c in self.halves().into_iter().flat_map(|half| half.columns.iter()) {
            if heads.iter().all(|head| head.name != c.name) {
                heads.push(c);
            }
        }
        heads
    }

    /// None where no row has a value any more, and nobody asks for one.
    fn facet(&self, (name, label): (&str, &str), sets: &[Bits; 2], chosen: &[String]) -> Option<Facet> {
        let (mut counts, mut holds) = (HashMap::<&str, usize>::new(), false);
        let (is_open, left_out) = (
            self.is_open(name),
            self.base_facet(name).map_or(0, |f| f.left_out),
        );
        for (n, half) in self.halves().into_iter().enumerate() {
            let Some(f) = half.facets.iter().find(|f| f.name == name) else {
                continue;
            };
            for (value, _, set) in &f.values {
                if n == 1 && !is_open && !counts.contains_key(value.as_str()) {
                    continue;
                }
                let count = set.count_in(&sets[n]);
                *counts.entry(value.as_str()).or_default() += count;
                holds = holds || count > 0 || n == 1 || set.count_in(&self.live) > 0;
            }
        }
        let shown = holds || !chosen.is_empty();
        shown.then(|| facet((name, label, left_out), counts.into_iter(), chosen))
    }

    fn column(&self, head: &Numbers, sets: &[Bits; 2]) -> Column {
        let halves = self
            .halves()
            .map(|half| half.columns.iter().find(|c| c.name == head.name));
        let known = || halves.iter().copied().flatten();
        let min = known().map(|c| c.min).fold(f32::INFINITY, f32::min);
        let max = known().map(|c| c.max).fold(f32::NEG_INFINITY, f32::max);
        let mut bins = vec![0_i64; BINS];
        for (c, set) in halves.iter().zip(sets) {
            if let Some(c) = c {
                add_to_bins(c, set, (min, max), &mut bins);
            }
        }
        Column {
            name: head.name.clone(),
            label: head.label.clone(),
            unit: head.unit.clone(),
            min: f64::from(min),
            max: f64::from(max),
            bins,
        }
    }

    /// Rows of both halves in the order of their keys.
    fn in_order(&self, sets: &[Bits; 2]) -> Vec<usize> {
        let n = self.base.rows();
        let mut all = Vec::with_capacity(sets.iter().map(Bits::count).sum());
        let mut new = sets[1].iter().peekable();
        for row in sets[0].iter() {
            while let Some(d) = new.next_if(|d| self.places[*d] <= row) {
                all.push(n + d);
            }
            all.push(row);
        }
        all.extend(new.map(|d| n + d));
        all
    }

    fn page(&self, passing: &[Bits; 2], matched: usize, wanted: &Wanted<'_>) -> Vec<usize> {
        let (from, n) = (wanted.offset.min(matched), wanted.limit);
        let all = self.in_order(passing);
        let Some(name) = wanted.sort.filter(|s| *s != BY_PATH) else {
            return if wanted.descending {
                all.into_iter().rev().skip(from).take(n).collect()
            } else {
                all.into_iter().skip(from).take(n).collect()
            };
        };
        let columns = self
            .halves()
            .map(|half| half.columns.iter().find(|c| c.name == name));
        let value = |row: usize| {
            let (half, own) = self.split(row);
            columns[half].map_or(f32::NAN, |c| c.values[own])
        };
        let values = all.iter().enumerate().map(|(place, row)| (value(*row), place));
        let places = by_number(values.collect(), (from, n), wanted.descending);
        places.into_iter().map(|place| all[place]).collect()
    }

    /// `to`: the new number of each row of the halves.
    fn merged_facet(&self, (name, label): (&str, &str), to: &[Vec<u32>; 2], rows: usize) -> Option<Values> {
        // Whether the base has it, and its rows.
        let mut lists = HashMap::<&str, (bool, Vec<u32>)>::new();
        let (is_open, mut left_out) = (
            self.is_open(name),
            self.base_facet(name).map_or(0, |f| f.left_out),
        );
        for (n, (half, to)) in self.halves().into_iter().zip(to).enumerate() {
            let Some(f) = half.facets.iter().find(|f| f.name == name) else {
                continue;
            };
            for (value, _, set) in &f.values {
                if n == 1 && !is_open && !lists.contains_key(value.as_str()) {
                    continue;
                }
                let list = set.to_list().into_iter().map(|row| to[row as usize]);
                let (_, all) = lists.entry(value.as_str()).or_insert((n == 0, Vec::new()));
                all.extend(list.filter(|row| *row != GONE));
            }
        }
        let mut lists: Vec<(&str, (bool, Vec<u32>))> = lists
            .into_iter()
            .filter(|(_, (_, list))| !list.is_empty())
            .collect();
        // Those that have room keep it: of one that comes back later the rows from before would be missing.
        lists.sort_by(|(a, (old_a, rows_a)), (b, (old_b, rows_b))| {
            old_b
                .cmp(old_a)
                .then(rows_b.len().cmp(&rows_a.len()))
                .then_with(|| a.cmp(b))
        });
        let without = u32::try_from(lists.len().saturating_sub(VALUES_MAX)).unwrap_or(u32::MAX);
        left_out = left_out.saturating_add(without);
        lists.truncate(VALUES_MAX);
        let mut values: Vec<(String, u32, Set)> = lists
            .into_iter()
            .map(|(value, (_, mut list))| {
                list.sort_unstable();
                (value.to_owned(), list.len() as u32, Set::new(list, rows))
            })
            .collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        (!values.is_empty()).then(|| Values {
            name: name.to_owned(),
            label: label.to_owned(),
            values,
            left_out,
        })
    }

    fn merged_column(&self, head: &Numbers, to: &[Vec<u32>; 2], rows: usize) -> Option<Numbers> {
        let mut values = vec![f32::NAN; rows];
        let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
        for (half, to) in self.halves().into_iter().zip(to) {
            let Some(c) = half.columns.iter().find(|c| c.name == head.name) else {
                continue;
            };
            for (value, row) in c.values.iter().zip(to) {
                if *row != GONE && !value.is_nan() {
                    values[*row as usize] = *value;
                    (min, max) = (min.min(*value), max.max(*value));
                }
            }
        }
        (min <= max).then(|| Numbers {
            name: head.name.clone(),
            label: head.label.clone(),
            unit: head.unit.clone(),
            values,
            min,
            max,
        })
    }
}

/// A key up to [`NAME_END`].
fn name_of(key: &str) -> &str {
    key.split_once(NAME_END).map_or(key, |(name, _)| name)
}

/// The row of a name.
fn row_of(index: &Index, name: &str) -> Option<usize> {
    let row = index.first_not_before(name, 0, index.rows());
    let rest = (row < index.rows()).then(|| index.key(row).strip_prefix(name))??;
    (rest.is_empty() || rest.starts_with(NAME_END)).then_some(row)
}
