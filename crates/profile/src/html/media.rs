//! Images and documents.

use super::{chart, escaped, figures};
use crate::show::{bytes, count, number};
use limn_domain::profile::*;
use std::fmt::Write as _;

pub fn images(out: &mut String, p: &ImagesProfile) {
    out.push_str("<section><h2>Images</h2>");
    figures(
        out,
        &[
            ("images", count(p.images)),
            ("size", bytes(p.bytes)),
            ("cannot be decoded", count(p.corrupt_total)),
            ("copies", count(p.duplicates.extra)),
            ("look alike", count(p.look_alikes.extra)),
        ],
    );
    out.push_str("<h3>Size and light</h3><div class=\"pair\">");
    for (name, n) in [
        ("Width, pixels", &p.widths),
        ("Height, pixels", &p.heights),
        ("Width over height", &p.aspects),
        ("Brightness, 0 to 255", &p.brightness),
        ("Contrast", &p.contrast),
        ("Sharpness", &p.sharpness),
    ] {
        plot(out, name, n);
    }
    out.push_str("</div><div class=\"pair\">");
    for (name, values) in [
        ("Sizes", &p.sizes),
        ("Formats", &p.formats),
        ("Channels", &p.modes),
    ] {
        let _ = write!(
            out,
            "<figure><figcaption>{name}</figcaption>{}</figure>",
            chart::bars(values, 10)
        );
    }
    out.push_str("</div>");
    if let Some(l) = &p.labels {
        labels(out, l);
    }
    groups(out, "Files of the same bytes", &p.duplicates);
    groups(out, "Images that look alike", &p.look_alikes);
    if !p.outliers.is_empty() {
        out.push_str("<h3>Out of line</h3><table><tbody>");
        for o in &p.outliers {
            let _ = write!(
                out,
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
                o.kind.label(),
                escaped(&o.path),
                number(o.value)
            );
        }
        out.push_str("</tbody></table>");
    }
    paths(out, "Cannot be decoded", &p.corrupt, p.corrupt_total);
    out.push_str("</section>");
}

fn labels(out: &mut String, l: &LabelsProfile) {
    out.push_str("<h3>Labels</h3>");
    figures(
        out,
        &[
            ("objects", count(l.objects)),
            ("labeled images", count(l.labeled)),
            ("without a label", count(l.unlabeled)),
            ("small (< 32 px)", count(l.small)),
            ("medium", count(l.medium)),
            ("large (> 96 px)", count(l.large)),
        ],
    );
    let balance: Vec<TopValue> = l
        .categories
        .iter()
        .map(|c| TopValue {
            value: c.name.clone(),
            count: c.objects,
        })
        .collect();
    let _ = write!(
        out,
        "<div class=\"pair\"><figure><figcaption>Objects by category</figcaption>{}</figure>",
        chart::bars(&balance, 24)
    );
    if !l.heat.counts.is_empty() {
        let _ = write!(
            out,
            "<figure><figcaption>Where objects lie</figcaption>{}</figure>",
            chart::heat(&l.heat)
        );
    }
    plot(out, "Objects an image", &l.per_image);
    plot(out, "Side of the box, pixels", &l.box_sides);
    out.push_str("</div>");
}

pub fn texts(out: &mut String, p: &TextsProfile) {
    out.push_str("<section><h2>Documents</h2>");
    figures(
        out,
        &[
            ("documents", count(p.documents)),
            ("size", bytes(p.bytes)),
            ("empty", count(p.empty)),
            ("copies", count(p.duplicates.extra)),
            ("no text", count(p.unreadable_total)),
        ],
    );
    out.push_str("<div class=\"pair\">");
    plot(out, "Characters", &p.characters);
    plot(out, "Words", &p.words);
    plot(out, "Lines", &p.lines);
    let _ = write!(
        out,
        "<figure><figcaption>Encodings</figcaption>{}</figure></div>",
        chart::bars(&p.encodings, 8)
    );
    groups(out, "Documents of the same words", &p.duplicates);
    paths(out, "No text", &p.unreadable, p.unreadable_total);
    out.push_str("</section>");
}

fn plot(out: &mut String, name: &str, n: &NumberProfile) {
    if let Some(h) = &n.histogram {
        let median = n.quantiles.map(|q| number(q.median)).unwrap_or_default();
        let _ = write!(
            out,
            "<figure><figcaption>{}, median {median}</figcaption>{}</figure>",
            escaped(name),
            chart::histogram(name, h, chart::edge)
        );
    }
}

fn groups(out: &mut String, title: &str, d: &DuplicateImages) {
    if d.groups_total == 0 {
        return;
    }
    let _ = write!(
        out,
        "<details><summary>{title}: {} groups</summary><table><tbody>",
        count(d.groups_total)
    );
    for g in &d.groups {
        let shown: Vec<String> = g.paths.iter().map(|p| escaped(p)).collect();
        let _ = write!(
            out,
            "<tr><td class=\"n\">{}</td><td>{}</td></tr>",
            count(g.size),
            shown.join("<br>")
        );
    }
    out.push_str("</tbody></table></details>");
}

fn paths(out: &mut String, title: &str, all: &[TopPath], total: u64) {
    if total == 0 {
        return;
    }
    let _ = write!(
        out,
        "<details><summary>{title}: {}</summary><ul class=\"paths\">",
        count(total)
    );
    for p in all {
        let _ = write!(out, "<li>{}: {}</li>", escaped(&p.path), escaped(&p.note));
    }
    out.push_str("</ul></details>");
}
