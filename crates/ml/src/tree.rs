//! Categories below categories: what is said of one is said of all above it.

/// Deeper is no tree of the product; a circle ends here.
const DEEP: usize = 16;

/// The category above each, by index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    above: Vec<Option<usize>>,
}

impl Tree {
    /// Nothing lies below anything.
    pub fn flat(classes: usize) -> Self {
        Self {
            above: vec![None; classes],
        }
    }

    /// `above` has one entry a class. Indexes that no class has count as none.
    pub fn new(above: &[Option<usize>]) -> Self {
        let known = |c: &Option<usize>| c.filter(|c| *c < above.len());
        Self {
            above: above.iter().map(known).collect(),
        }
    }

    pub fn is_flat(&self) -> bool {
        self.above.iter().all(Option::is_none)
    }

    /// The class itself and all above it, the topmost last.
    pub fn path(&self, class: usize) -> Vec<usize> {
        let mut out = vec![class];
        let mut at = class;
        while let Some(above) = self.above.get(at).copied().flatten() {
            if out.len() == DEEP || out.contains(&above) {
                break;
            }
            out.push(above);
            at = above;
        }
        out
    }

    /// The classes, the deepest first.
    pub fn deepest_first(&self) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.above.len()).collect();
        all.sort_by_key(|c| std::cmp::Reverse(self.path(*c).len()));
        all
    }

    /// The probability of each class or one below it, from that of each alone.
    pub fn sums(&self, p: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; p.len()];
        for (c, v) in p.iter().enumerate() {
            for above in self.path(c) {
                out[above] += v;
            }
        }
        out
    }

    /// The classes with all above them, in order.
    pub fn closed(&self, classes: &[usize]) -> Vec<usize> {
        let mut out: Vec<usize> = classes.iter().flat_map(|c| self.path(*c)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Those with none of the others below them.
    pub fn lowest(&self, classes: &[usize]) -> Vec<usize> {
        let is_above = |c: &usize| classes.iter().any(|o| o != c && self.path(*o).contains(c));
        classes.iter().filter(|c| !is_above(c)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_sums_and_closures() {
        // 0 above 1 and 2; 2 above 3; 4 alone.
        let tree = Tree::new(&[None, Some(0), Some(0), Some(2), None]);
        assert_eq!(tree.path(3), [3, 2, 0]);
        assert_eq!(tree.closed(&[3, 4]), [0, 2, 3, 4]);
        assert_eq!(tree.lowest(&[0, 2, 3, 4]), [3, 4]);
        assert_eq!(tree.deepest_first()[0], 3);
        let sums = tree.sums(&[0.1, 0.2, 0.0, 0.3, 0.4]);
        for (have, want) in sums.iter().zip([0.6, 0.2, 0.3, 0.3, 0.4]) {
            assert!((have - want).abs() < 1e-6, "{sums:?}");
        }
        assert!(!tree.is_flat() && Tree::flat(3).is_flat());
        // Neither a circle nor an index of nobody hangs.
        assert_eq!(Tree::new(&[Some(1), Some(0), Some(9)]).path(0), [0, 1]);
        assert_eq!(Tree::new(&[Some(1), Some(0), Some(9)]).path(2), [2]);
    }
}
