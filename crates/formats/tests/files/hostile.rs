//! Whatever the bytes, a reader says what is wrong and never panics.

use super::*;

const PATHS: [(ImportFormat, &[&str]); 9] = [
    (ImportFormat::Yolo, &["data.yaml", "classes.txt", "labels/x.txt"]),
    (ImportFormat::Voc, &["x.xml"]),
    (ImportFormat::Cvat, &["x.xml"]),
    (ImportFormat::Labelme, &["x.json"]),
    (ImportFormat::LabelStudio, &["x.json"]),
    (ImportFormat::Csv, &["x.csv"]),
    (ImportFormat::Jsonl, &["categories.json", "x.jsonl"]),
    (ImportFormat::Png, &["classes.csv", "masks/x.png"]),
    (ImportFormat::CocoPanoptic, &["x.json", "panoptic/x.png"]),
];

fn feed(format: ImportFormat, path: &str, bytes: &[u8]) {
    let mut reader = read::reader(format, limn_domain::project::Task::Segmentation);
    let mut findings = Findings::new(path);
    let _ = reader.table(path, &mut { bytes }, &mut findings);
    let _ = reader.begin();
    if let Ok(imported) = reader.labels(path, &mut { bytes }, &mut findings) {
        for (image, labels) in imported.items() {
            let fit = Fit::new(image.size, (64.0, 64.0), 1, imported.normalised);
            for label in labels {
                let _ = fit.place(&label.shape);
                assert!((label.category as usize) < imported.categories.len());
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (format, paths) in PATHS {
            for path in paths {
                feed(format, path, &bytes);
            }
        }
    }

    /// Good files with a piece cut out, doubled or overwritten.
    #[test]
    fn broken_files(samples in samples(prop_oneof![a_box(), a_polygon(2), a_mask()]), at in 0..2_000_usize, len in 0..40_usize, with: Vec<u8>) {
        for format in ExportFormat::for_task(Task::Objects).filter(|f| *f != ExportFormat::Coco) {
            let task = if format == ExportFormat::Voc { Task::Detection } else { Task::Segmentation };
            let into = format.import();
            let (files, _) = write(format, dataset(task), &samples);
            for (path, mut bytes) in files {
                let from = at.min(bytes.len());
                let to = (from + len).min(bytes.len());
                bytes.splice(from..to, with.iter().copied());
                feed(into, &path, &bytes);
            }
        }
    }
}
