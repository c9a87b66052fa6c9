//! Union, difference and intersection of masks, run by run.

use super::Mask;
use super::spans::{extent, spans_of, toggles_of};

impl Mask {
    /// The pixels of either. `None` when there are none.
    pub fn union(&self, other: &Self) -> Option<Self> {
        self.combined(other, |a, b| a || b)
    }

    /// The pixels of this one that are not of the other. `None` when there are none.
    pub fn subtract(&self, other: &Self) -> Option<Self> {
        self.combined(other, |a, b| a && !b)
    }

    /// The pixels of both. `None` when there are none.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        self.combined(other, |a, b| a && b)
    }

    /// Masks that are not sound count as empty.
    fn combined(&self, other: &Self, keep: impl Fn(bool, bool) -> bool) -> Option<Self> {
        let (a, b) = (self.spans(), other.spans());
        let window = match (extent(&a), extent(&b)) {
            (Some(a), Some(b)) => [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])],
            (one, other) => one.or(other)?,
        };
        let (a, b) = (toggles_of(&a, window), toggles_of(&b, window));
        let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
        let (mut in_a, mut in_b, mut inside) = (false, false, false);
        let mut out = Vec::new();
        while let Some(at) = [a.peek(), b.peek()].into_iter().flatten().min().copied() {
            in_a ^= a.next_if_eq(&at).is_some();
            in_b ^= b.next_if_eq(&at).is_some();
            if inside != keep(in_a, in_b) {
                inside = !inside;
                out.push(at);
            }
        }
        Self::from_spans(&spans_of(out, window))
    }
}
