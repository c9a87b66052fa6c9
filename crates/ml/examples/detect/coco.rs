//! Boxes from COCO's files.

use super::place;
use limn_services::training::port::{NetBox, Truth};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

struct Image<'a> {
    file: &'a str,
    width: f64,
    height: f64,
    boxes: Vec<NetBox>,
}

/// The boxes of each picture, by its file's name without folders; crowds are left out. `names` are the categories so far, and grow by those that have
/// boxes. Nothing where the text is no file of COCO's.
pub fn truths(text: &str, names: &mut Vec<String>) -> Option<BTreeMap<String, Truth>> {
    let all: Value = serde_json::from_str(text).ok()?;
    let images = all.get("images")?.as_array()?;
    let annotations = all.get("annotations")?.as_array()?;
    let mut category: HashMap<i64, &str> = HashMap::new();
    for c in all.get("categories")?.as_array()? {
        if let (Some(id), Some(name)) = (c["id"].as_i64(), c["name"].as_str()) {
            category.insert(id, name);
        }
    }
    let mut of: HashMap<i64, Image<'_>> = HashMap::new();
    for image in images {
        if let (Some(id), Some(file)) = (image["id"].as_i64(), image["file_name"].as_str()) {
            let side = |key: &str| image[key].as_f64().unwrap_or(1.0).max(1.0);
            let (width, height, boxes) = (side("width"), side("height"), Vec::new());
            let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
            of.insert(
                id,
                Image {
                    file,
                    width,
                    height,
                    boxes,
                },
            );
        }
    }
    for a in annotations.iter().filter(|a| a["iscrowd"].as_i64() != Some(1)) {
        let name = a["category_id"].as_i64().and_then(|id| category.get(&id));
        let image = a["image_id"].as_i64().and_then(|id| of.get_mut(&id));
        let number = |n: usize| a["bbox"][n].as_f64();
        let (Some(name), Some(image)) = (name, image) else {
            continue;
        };
        let (Some(x), Some(y), Some(width), Some(height)) = (number(0), number(1), number(2), number(3))
        else {
            continue;
        };
        image.boxes.push(NetBox {
            category: place(names, name),
            x: (x / image.width) as f32,
            y: (y / image.height) as f32,
            width: (width / image.width) as f32,
            height: (height / image.height) as f32,
        });
    }
    let truths = of
        .into_values()
        .map(|i| (i.file.to_owned(), Truth::Boxes(i.boxes)));
    Some(truths.collect())
}
