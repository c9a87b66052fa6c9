//! What is labeled in images.

use crate::figures::of_values;
use limn_domain::profile::*;
use std::collections::BTreeMap;

/// Cells of the heat-map, a side.
const HEAT: u32 = 24;
/// Categories of the table of what occurs together.
const TOGETHER: usize = 24;
const LISTED: usize = 60;

/// The box of an object in pixels of the upright image. Labels of the whole image have none.
#[derive(Debug, Clone, PartialEq)]
pub struct LabeledBox {
    pub category: String,
    /// Left, top, width, height.
    pub frame: Option<[f64; 4]>,
}

#[derive(Debug, Default)]
pub struct Labels {
    objects: u64,
    per_image: Vec<f64>,
    sides: Vec<f64>,
    shares: Vec<f64>,
    sizes: [u64; 3],
    unlabeled: u64,
    unlabeled_paths: Vec<String>,
    categories: BTreeMap<String, (u64, u64)>,
    pairs: BTreeMap<(String, String), u64>,
    heat: Vec<u64>,
}

impl Labels {
    pub fn add(&mut self, path: &str, width: u32, height: u32, boxes: &[LabeledBox]) {
        self.per_image.push(boxes.len() as f64);
        self.objects += boxes.len() as u64;
        if boxes.is_empty() {
            self.unlabeled += 1;
            if self.unlabeled_paths.len() < LISTED {
                self.unlabeled_paths.push(path.to_owned());
            }
            return;
        }
        let mut present: Vec<&str> = boxes.iter().map(|b| b.category.as_str()).collect();
        for category in &present {
            self.categories.entry((*category).to_owned()).or_default().0 += 1;
        }
        present.sort_unstable();
        present.dedup();
        for (i, a) in present.iter().enumerate() {
            self.categories.entry((*a).to_owned()).or_default().1 += 1;
            // An image of very many categories says little about two of them.
            for b in present.iter().take(64).skip(i + 1) {
                *self.pairs.entry(((*a).to_owned(), (*b).to_owned())).or_default() += 1;
            }
        }
        for [x, y, w, h] in boxes.iter().filter_map(|b| b.frame) {
            self.add_box(f64::from(width), f64::from(height), x, y, w, h);
        }
    }

    fn add_box(&mut self, width: f64, height: f64, x: f64, y: f64, w: f64, h: f64) {
        let area = (w * h).max(0.0);
        if !area.is_finite() || width <= 0.0 || height <= 0.0 {
            return;
        }
        self.sides.push(area.sqrt());
        self.shares.push(area / (width * height));
        let size = if area < 32.0 * 32.0 {
            0
        } else if area <= 96.0 * 96.0 {
            1
        } else {
            2
        };
        self.sizes[size] += 1;
        self.heat.resize((HEAT * HEAT) as usize, 0);
        let cell = |at: f64| ((at * f64::from(HEAT)) as u32).min(HEAT - 1);
        let (column, row) = (cell((x + w / 2.0) / width), cell((y + h / 2.0) / height));
        if let Some(n) = self.heat.get_mut((row * HEAT + column) as usize) {
            *n += 1;
        }
    }

    pub fn objects(&self) -> BTreeMap<String, u64> {
        self.categories
            .iter()
            .map(|(name, n)| (name.clone(), n.0))
            .collect()
    }

    pub fn profile(&self) -> LabelsProfile {
        let mut categories: Vec<CategoryBalance> = self
            .categories
            .iter()
            .map(|(name, (objects, images))| CategoryBalance {
                name: name.clone(),
                objects: *objects,
                images: *images,
            })
            .collect();
        categories.sort_by_key(|c| std::cmp::Reverse(c.objects));
        let names: Vec<String> = categories.iter().take(TOGETHER).map(|c| c.name.clone()).collect();
        let of = |a: &String, b: &String| {
            if a == b {
                return self.categories.get(a).map_or(0, |n| n.1);
            }
            let pair = if a < b {
                (a.clone(), b.clone())
            } else {
                (b.clone(), a.clone())
            };
            self.pairs.get(&pair).copied().unwrap_or_default()
        };
        LabelsProfile {
            objects: self.objects,
            labeled: self.per_image.len() as u64 - self.unlabeled,
            unlabeled: self.unlabeled,
            unlabeled_paths: self.unlabeled_paths.clone(),
            per_image: of_values(self.per_image.iter().copied(), true),
            box_sides: of_values(self.sides.iter().copied(), false),
            box_shares: of_values(self.shares.iter().copied(), false),
            small: self.sizes[0],
            medium: self.sizes[1],
            large: self.sizes[2],
            together: Together {
                images: names
                    .iter()
                    .map(|a| names.iter().map(|b| of(a, b)).collect())
                    .collect(),
                categories: names,
            },
            categories,
            heat: HeatMap {
                side: HEAT,
                counts: self.heat.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(category: &str, frame: [f64; 4]) -> LabeledBox {
        LabeledBox {
            category: category.to_owned(),
            frame: Some(frame),
        }
    }

    #[test]
    fn objects_are_counted_by_category_size_place_and_company() {
        let mut labels = Labels::default();
        labels.add(
            "a",
            100,
            100,
            &[
                object("cat", [0.0, 0.0, 10.0, 10.0]),
                object("cat", [90.0, 90.0, 10.0, 10.0]),
                object("dog", [0.0, 0.0, 100.0, 100.0]),
            ],
        );
        labels.add("b", 200, 100, &[object("dog", [0.0, 0.0, 50.0, 50.0])]);
        labels.add("c", 10, 10, &[]);
        labels.add(
            "d",
            10,
            10,
            &[LabeledBox {
                category: "cat".to_owned(),
                frame: None,
            }],
        );
        let p = labels.profile();
        assert_eq!(
            (p.objects, p.labeled, p.unlabeled, p.unlabeled_paths.len()),
            (5, 3, 1, 1)
        );
        assert_eq!((p.small, p.medium, p.large), (2, 1, 1));
        assert_eq!(
            p.categories
                .iter()
                .map(|c| (c.name.as_str(), c.objects, c.images))
                .collect::<Vec<_>>(),
            [("cat", 3, 2), ("dog", 2, 2)]
        );
        assert_eq!(p.together.images, [[2, 1], [1, 2]]);
        assert_eq!(p.heat.counts.iter().sum::<u64>(), 4);
        assert_eq!(
            p.heat.counts[(HEAT + 1) as usize],
            1,
            "a centre of 5 in 100 is in the second cell both ways"
        );
        assert_eq!(p.per_image.max, Some(3.0));
    }
}
