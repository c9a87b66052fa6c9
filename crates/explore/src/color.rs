//! A colour a row: which value of a facet it has, for maps.

use crate::bits::{Bits, Set};
use crate::{Index, Layer};
use limn_domain::explore::FacetValue;
use limn_domain::map::{COLORS_MAX, OTHERS, WITHOUT};

/// The colours of the rows of an index by a facet.
#[derive(Debug, Clone, Default)]
pub struct Colors {
    /// What people read.
    pub label: String,
    /// Values with a colour of their own; those of colour 1 first.
    pub values: Vec<String>,
    /// The colour of each row.
    pub of: Vec<u8>,
}

impl Colors {
    /// No facet: all rows are of one colour.
    pub fn none(rows: usize) -> Self {
        Self {
            of: vec![WITHOUT; rows],
            ..Self::default()
        }
    }

    /// How many of some rows have each colour, [`OTHERS`] last.
    fn counts(&self, rows: &Bits) -> [i64; OTHERS as usize + 1] {
        let mut counts = [0; OTHERS as usize + 1];
        for row in rows.iter() {
            if let Some(color) = self.of.get(row) {
                counts[usize::from((*color).min(OTHERS))] += 1;
            }
        }
        counts
    }

    /// The values with how many of some rows have their colour; then how many have [`OTHERS`], and how many [`WITHOUT`].
    pub fn legend(&self, rows: &Bits) -> (Vec<FacetValue>, i64, i64) {
        let counts = self.counts(rows);
        let values = self.values.iter().zip(&counts[1..]);
        let legend = values.map(|(value, count)| FacetValue {
            value: value.clone(),
            count: *count,
        });
        (
            legend.collect(),
            counts[usize::from(OTHERS)],
            counts[usize::from(WITHOUT)],
        )
    }
}

impl Index {
    /// The colours of all rows by a facet: of its values, those that most rows have, whatever is filtered. A row with several values has
    /// the colour of the rarest one. Errors name a facet there is not.
    pub fn colors(&self, layers: &[Layer], name: &str) -> Result<Colors, String> {
        let rows = self.rows();
        if let Some(layer) = layers.iter().find(|l| l.name == name) {
            // The last of all stands for having none.
            let sets: Vec<(&str, &Set)> = layer.all().collect();
            let values = sets.split_last().map_or(&[][..], |(_, values)| values);
            return Ok(paint(&layer.label, values, rows));
        }
        let facet = self.facets.iter().find(|f| f.name == name);
        let facet = facet.ok_or_else(|| format!("No file here has a value of `{name}`."))?;
        let values: Vec<(&str, &Set)> = facet.values.iter().map(|(v, _, set)| (v.as_str(), set)).collect();
        Ok(paint(&facet.label, &values, rows))
    }
}

fn paint(label: &str, values: &[(&str, &Set)], rows: usize) -> Colors {
    let counted = values.iter().map(|(value, set)| (set.count(), *value, *set));
    let mut most: Vec<(usize, &str, &Set)> = counted.collect();
    most.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let mut of = vec![WITHOUT; rows];
    // What has no colour of its own first, then the rarer over the more frequent.
    for (_, _, set) in most.iter().skip(COLORS_MAX) {
        set.each(|row| of[row] = OTHERS);
    }
    for (color, (_, _, set)) in (1..=COLORS_MAX as u8).zip(&most) {
        set.each(|row| of[row] = color);
    }
    let values = most.iter().take(COLORS_MAX);
    Colors {
        label: label.to_owned(),
        values: values.map(|(_, value, _)| (*value).to_owned()).collect(),
        of,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Row};
    use std::sync::Arc;

    fn index() -> Index {
        let mut b = Builder::default();
        b.facet("category", "Category");
        // `car` is in all, `fox` in one of them; a few have values that are rarer than the colours are many.
        for n in 0..40 {
            let key = format!("{n:02}");
            let own = format!("own {n:02}");
            let mut values = vec![("category", "car")];
            if n == 3 {
                values.push(("category", "fox"));
            }
            if n >= 20 {
                values.push(("category", own.as_str()));
            }
            b.push(&Row {
                key: &key,
                values,
                numbers: Vec::new(),
            });
        }
        b.finish()
    }

    #[test]
    fn the_rarest_value_gives_the_color() {
        let index = index();
        let colors = index.colors(&[], "category").expect("there is one");
        assert_eq!(
            (colors.label.as_str(), colors.values.len()),
            ("Category", COLORS_MAX)
        );
        assert_eq!(colors.values[..2], ["car", "fox"]);
        assert_eq!((colors.of[0], colors.of[3]), (1, 2));
        assert_eq!(
            (colors.of[20], colors.of[39]),
            (3, 1),
            "over the values without a color"
        );
        let (legend, others, without) = colors.legend(&Bits::all(40));
        assert_eq!(legend.iter().map(|v| v.count).sum::<i64>() + others + without, 40);
        let mut some = Bits::none(40);
        some.insert(3);
        let (legend, ..) = colors.legend(&some);
        assert_eq!((legend[0].count, legend[1].count), (0, 1));
        let wrong = index.colors(&[], "colour").unwrap_err();
        assert!(wrong.contains("`colour`"), "{wrong}");
    }

    #[test]
    fn a_layer_goes_before_and_leaves_some_without() {
        let index = index();
        let tagged = index.rows_with(&["05".to_owned(), "07".to_owned()]);
        let layer = Layer::new(
            "category",
            "Tag",
            40,
            vec![("seen".to_owned(), Arc::new(tagged))],
            "none",
        );
        let colors = index.colors(&[layer], "category").expect("there is one");
        assert_eq!(
            (colors.label.as_str(), colors.values.as_slice()),
            ("Tag", &["seen".to_owned()][..])
        );
        let (_, others, without) = colors.legend(&Bits::all(40));
        assert_eq!((colors.of[5], others, without), (1, 0, 38));
    }
}
