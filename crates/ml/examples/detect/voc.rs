//! Boxes from Pascal VOC's files.

use super::place;
use limn_services::training::port::{NetBox, Truth};

/// The boxes of a picture. `names` are the categories so far, and grow.
pub fn truth(xml: &str, names: &mut Vec<String>) -> Truth {
    let number = |text: &str, tag: &str| within(text, tag).trim().parse::<f32>().unwrap_or(0.0);
    let (w, h) = (number(xml, "width").max(1.0), number(xml, "height").max(1.0));
    let boxes = xml.split("<object>").skip(1).map(|object| {
        let category = place(names, within(object, "name").trim());
        let (x, y) = (number(object, "xmin"), number(object, "ymin"));
        NetBox {
            category,
            x: x / w,
            y: y / h,
            width: (number(object, "xmax") - x) / w,
            height: (number(object, "ymax") - y) / h,
        }
    });
    Truth::Boxes(boxes.collect())
}

/// The first thing between `<tag>` and `</tag>`.
fn within<'a>(text: &'a str, tag: &str) -> &'a str {
    let after = text.split_once(&format!("<{tag}>")).map_or("", |p| p.1);
    after.split_once(&format!("</{tag}>")).map_or("", |p| p.0)
}
