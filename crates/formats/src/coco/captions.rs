//! COCO captions: sentences about whole images, as in the captioning task (<https://cocodataset.org/#format-data>). Here they
//! are the texts that an item's attributes `caption`, `caption_2`, `caption_3` and so on say of it.

use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer};
use limn_domain::{Attribute, AttributeKind, AttributeValue, Attributes};
use serde::Serialize;
use std::io;

/// Captions of an image that are taken; COCO's own have five or six.
pub const CAPTIONS_MAX: usize = 10;

const FILE: &str = "annotations/captions_default.json";
const IMAGES: u8 = 0;
const ANNOTATIONS: u8 = 1;
const END: u8 = 2;

/// The attribute that holds an image's caption of this number, from 1.
pub fn attribute(number: usize) -> Attribute {
    let (key, name) = match number {
        0 | 1 => ("caption".to_owned(), "Caption".to_owned()),
        n => (format!("caption_{n}"), format!("Caption {n}")),
    };
    Attribute {
        key,
        name,
        kind: AttributeKind::Text,
        required: false,
        default: None,
    }
}

/// The captions among what is said of an item, by their numbers.
fn captions(about: &Attributes) -> Vec<&str> {
    (1..=CAPTIONS_MAX)
        .filter_map(|n| match about.get(&attribute(n).key)? {
            AttributeValue::Text(text) if !text.trim().is_empty() => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

#[derive(Serialize)]
struct Info<'a> {
    description: &'a str,
    version: &'a str,
    year: i32,
    date_created: &'a str,
}

#[derive(Serialize)]
struct ImageRecord<'a> {
    id: i64,
    width: u32,
    height: u32,
    file_name: &'a str,
    license: u8,
}

#[derive(Serialize)]
struct CaptionRecord<'a> {
    id: u64,
    image_id: i64,
    caption: &'a str,
}

/// Writes them: every image, also those without a caption.
#[derive(Debug)]
pub struct CaptionsWriter {
    dataset: Dataset,
    images: u64,
    annotations: u64,
}

impl CaptionsWriter {
    pub const fn new(dataset: Dataset) -> Self {
        Self {
            dataset,
            images: 0,
            annotations: 0,
        }
    }
}

const fn separator(count: u64) -> &'static str {
    if count == 0 { "\n" } else { ",\n" }
}

impl Writer for CaptionsWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let date = self.dataset.date.as_str();
        let info = Info {
            description: &self.dataset.name,
            version: "1.0",
            year: date.get(..4).and_then(|y| y.parse().ok()).unwrap_or_default(),
            date_created: date,
        };
        let head = format!(
            "{{\"info\":{},\n\"licenses\":[{{\"id\":1,\"name\":\"Unknown\",\"url\":\"\"}}],\n\"images\":[",
            serde_json::to_string(&info)?
        );
        out.append(FILE, IMAGES, head.as_bytes())?;
        out.append(FILE, ANNOTATIONS, b"\n],\n\"annotations\":[")
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let image = ImageRecord {
            id: item.id,
            width: item.width,
            height: item.height,
            file_name: item.name,
            license: 1,
        };
        let text = format!("{}{}", separator(self.images), serde_json::to_string(&image)?);
        out.append(FILE, IMAGES, text.as_bytes())?;
        self.images += 1;
        tally.items += 1;
        let mut text = String::new();
        for caption in captions(item.about) {
            let record = CaptionRecord {
                id: self.annotations + 1,
                image_id: item.id,
                caption,
            };
            text.push_str(separator(self.annotations));
            text.push_str(&serde_json::to_string(&record)?);
            self.annotations += 1;
            tally.labels += 1;
        }
        for label in labels {
            tally.left_out(
                Geometry::from(label.shape).kind(),
                "these files hold captions only",
                item.name,
            );
        }
        out.append(FILE, ANNOTATIONS, text.as_bytes())
    }

    fn finish(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.append(FILE, END, b"\n]}\n")
    }
}
