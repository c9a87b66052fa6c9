//! Images that look the same.

use super::Measured;
use std::collections::HashMap;

/// Bits of the gradient hash and of the frequency hash that may differ.
const GRADIENT: u32 = 4;
const FREQUENCY: u32 = 10;
/// Parts of the gradient hash: of two hashes that differ in four bits at most, one of five parts is the same.
const PARTS: u32 = GRADIENT + 1;
/// Images of one part that are compared each with each; more only with the first of them.
const BUCKET: usize = 2000;
/// Flatter images all look alike and say nothing.
const FLAT: f32 = 3.0;

/// Indices of images that look the same, in groups of two or more. Chains join: what looks like something in a group belongs
/// to it.
pub fn groups(images: &[&Measured]) -> Vec<Vec<usize>> {
    let mut sets = Sets((0..images.len()).collect());
    for part in 0..PARTS {
        let mut buckets: HashMap<u64, Vec<usize>> = HashMap::new();
        let (from, to) = (64 * part / PARTS, 64 * (part + 1) / PARTS);
        let mask = (1u64 << (to - from)) - 1;
        for (i, m) in images.iter().enumerate().filter(|(_, m)| m.contrast >= FLAT) {
            buckets.entry(m.dhash >> from & mask).or_default().push(i);
        }
        for bucket in buckets.into_values() {
            for (n, a) in bucket.iter().enumerate() {
                let others = if n == 0 {
                    bucket.len()
                } else {
                    bucket.len().min(BUCKET)
                };
                for b in bucket.get(n + 1..others).unwrap_or_default() {
                    if is_alike(images[*a], images[*b]) {
                        sets.join(*a, *b);
                    }
                }
            }
        }
    }
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for i in 0..images.len() {
        groups.entry(sets.root(i)).or_default().push(i);
    }
    let mut groups: Vec<_> = groups.into_values().filter(|g| g.len() > 1).collect();
    groups.sort_unstable();
    groups
}

fn is_alike(a: &Measured, b: &Measured) -> bool {
    (a.dhash ^ b.dhash).count_ones() <= GRADIENT && (a.phash ^ b.phash).count_ones() <= FREQUENCY
}

/// Union-find.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(dhash: u64, contrast: f32) -> Measured {
        Measured {
            dhash,
            phash: dhash,
            contrast,
            ..Measured::default()
        }
    }

    #[test]
    fn a_few_bits_apart_is_alike_and_chains_join() {
        let base = 0x1234_5678_9abc_def0;
        let all = [
            seen(base, 50.0),
            seen(!base, 50.0),
            seen(base ^ 0b1_0001_0000_0001, 50.0),
            seen(base ^ 0b1_0001_0000_0001 ^ (0b111 << 40), 50.0),
            seen(base, 1.0),
        ];
        assert_eq!(groups(&all.iter().collect::<Vec<_>>()), [vec![0, 2, 3]]);
    }

    #[test]
    fn every_place_of_the_bits_is_found() {
        for shift in 0..61 {
            let all = [
                seen(0x5555_0000_ffff_1234, 9.0),
                seen(0x5555_0000_ffff_1234 ^ (0b1111 << shift), 9.0),
            ];
            assert_eq!(groups(&all.iter().collect::<Vec<_>>()).len(), 1, "{shift}");
        }
    }
}
