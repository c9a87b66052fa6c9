use super::*;

fn png(samples: &[Sample]) -> (Read, Tally) {
    around(ExportFormat::Png, ImportFormat::Png, Task::Segmentation, samples)
}

/// What is left of each class when higher labels win, by category.
fn flattened(labels: &[(usize, Shape)], image: Size) -> BTreeMap<String, Mask> {
    let mut out: BTreeMap<usize, Option<Mask>> = BTreeMap::new();
    for (category, shape) in labels {
        let Some(mask) = mask_of(shape, image) else {
            continue;
        };
        for (other, left) in &mut out {
            if other != category {
                *left = left.as_ref().and_then(|l| l.subtract(&mask));
            }
        }
        let own = out.entry(*category).or_default();
        *own = own.as_ref().map_or(Some(mask.clone()), |o| o.union(&mask));
    }
    out.into_iter()
        .filter_map(|(c, m)| Some((NAMES[c].to_owned(), m?)))
        .collect()
}

#[test]
fn the_files_are_a_palette_and_its_table() {
    let mask = Mask::from_pixels(1, 0, 2, 1, &[1, 1]).unwrap();
    let samples = [(
        "a/x.jpg".to_owned(),
        4,
        2,
        vec![(2, Shape::Mask { mask }), (1, Shape::Whole)],
    )];
    let (files, tally) = write(ExportFormat::Png, dataset(Task::Segmentation), &samples);
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        [
            "ImageSets/Segmentation/default.txt",
            "SegmentationClass/a/x.png",
            "classes.csv",
            "labelmap.txt"
        ]
    );
    assert!(
        text(&files, "classes.csv")
            .starts_with("index,name,color\n0,background,#000000\n1,\"cat\",#28fe07\n")
    );
    assert!(text(&files, "classes.csv").contains("3,\"a \"\"b\"\", <c>: 'd' # e & é\",#78fc07\n"));
    assert_eq!(tally.lost(), 1);
    let decoder = png::Decoder::new(std::io::Cursor::new(&files["SegmentationClass/a/x.png"]));
    let mut reader = decoder.read_info().unwrap();
    assert_eq!(reader.info().color_type, png::ColorType::Indexed);
    assert_eq!(
        &reader.info().palette.as_deref().unwrap()[..6],
        &[0, 0, 0, 40, 254, 7]
    );
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!(row.data(), [0, 3, 3, 0]);
}

#[test]
fn more_classes_than_a_palette_holds() {
    let mut data = dataset(Task::Segmentation);
    data.categories = (1..=300)
        .map(|id| Category {
            id,
            name: format!("c{id}"),
            parent: None,
            color: [1, 2, 3],
            skeleton: None,
            attributes: Vec::new(),
        })
        .collect();
    let mask = Mask::from_pixels(1, 0, 2, 1, &[1, 1]).unwrap();
    let samples = [(
        "x.jpg".to_owned(),
        4,
        2,
        vec![(299, Shape::Mask { mask: mask.clone() })],
    )];
    let (files, _) = write(ExportFormat::Png, data, &samples);
    let read = read(ImportFormat::Png, &files, &[("x.jpg", 4, 2)]);
    assert_eq!(read.items["x.jpg"], [("c300".to_owned(), Shape::Mask { mask })]);
}

#[test]
fn values_without_a_class_are_refused_and_the_rest_is_taken() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 4, 1);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_image_data(&[0, 0, 0, 64, 128, 64, 9, 9, 9, 64, 128, 64])
        .unwrap();
    writer.finish().unwrap();
    let mut set = files(&[
        ("label_colors.txt", "64 128 64\tAnimal\n0 0 0\tVoid\n"),
        ("masks/bad.png", "no PNG"),
    ]);
    set.insert("masks/x_mask.png".into(), bytes);
    let read = read(ImportFormat::Png, &set, &[("img/x.jpg", 4, 1)]);
    assert_eq!(read.categories, ["Animal"]);
    let (name, shape) = &read.items["img/x.jpg"][0];
    assert_eq!(
        (name.as_str(), mask_of(shape, size(4, 1)).unwrap().area()),
        ("Animal", 2)
    );
    assert_eq!(read.codes(), ["not_the_format", "unknown_class"]);
    assert!(
        read.report.entries[1]
            .message
            .starts_with("1 pixels have the value #090909"),
        "{:?}",
        read.report
    );
}

#[test]
fn a_picture_is_told_from_a_mask_by_its_folder() {
    for (path, role) in [
        ("set.zip/images/x.png", None),
        ("set.zip/train/x.png", None),
        ("set.zip/trainannot/x.png", Some(Role::Labels)),
        ("masks/train/x.png", Some(Role::Labels)),
        ("x.png", Some(Role::Labels)),
        ("SegmentationObject/x.png", Some(Role::Passed)),
        ("JPEGImages/x.jpg", None),
    ] {
        assert_eq!(read::role(ImportFormat::Png, path), role, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_pixel_comes_back(samples in samples(prop_oneof![a_polygon(3), a_mask()])) {
        let (read, _) = png(&samples);
        prop_assert_eq!(read.report.refused, 0);
        for (name, w, h, labels) in &samples {
            let image = size(*w, *h);
            let got = read.items.get(name).map(Vec::as_slice).unwrap_or_default();
            let got: BTreeMap<String, Mask> = got.iter().map(|(c, s)| (c.clone(), mask_of(s, image).unwrap())).collect();
            prop_assert_eq!(got, flattened(labels, image));
        }
    }
}

/// The 60 CamVid frames, where they are there: every pixel out and in again.
#[test]
fn camvid_goes_around() {
    let shared = std::env::var_os("LIMN_SHARED_DATA").unwrap_or_default();
    let dir = std::path::Path::new(&shared).join("camvid/trainannot");
    let Ok(entries) = std::fs::read_dir(dir) else {
        eprintln!("no CamVid frames there: not run");
        return;
    };
    let mut set = files(&[(
        "classes.txt",
        "Sky\nBuilding\nPole\nRoad\nPavement\nTree\nSign\nFence\nCar\nPedestrian\nBicyclist\nUnlabelled\n",
    )]);
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        set.insert(format!("trainannot/{name}"), std::fs::read(&path).unwrap());
    }
    let names: Vec<String> = set
        .keys()
        .filter_map(|k| k.strip_prefix("trainannot/").map(str::to_owned))
        .collect();
    let items: Vec<(&str, u32, u32)> = names.iter().map(|n| (n.as_str(), 480, 360)).collect();
    let first = read(ImportFormat::Png, &set, &items);
    assert_eq!(
        (first.items.len(), first.report.refused),
        (set.len() - 1, 0),
        "{:?}",
        first.codes()
    );
    let mut data = dataset(Task::Segmentation);
    data.categories = first
        .categories
        .iter()
        .zip(1..)
        .map(|(name, id)| Category {
            id,
            name: name.clone(),
            parent: None,
            color: [id as u8, 0, 0],
            skeleton: None,
            attributes: Vec::new(),
        })
        .collect();
    let index: BTreeMap<&str, usize> = first
        .categories
        .iter()
        .zip(0..)
        .map(|(n, i)| (n.as_str(), i))
        .collect();
    let samples: Vec<Sample> = first
        .items
        .iter()
        .map(|(name, labels)| {
            let labels = labels
                .iter()
                .map(|(c, s)| (index[c.as_str()], s.clone()))
                .collect();
            (name.clone(), 480, 360, labels)
        })
        .collect();
    for (out, into) in [
        (ExportFormat::Png, ImportFormat::Png),
        (ExportFormat::CocoPanoptic, ImportFormat::CocoPanoptic),
    ] {
        let (files, tally) = write(out, data.clone(), &samples);
        assert_eq!(tally.lost(), 0);
        let again = read(into, &files, &items);
        for (name, labels) in &first.items {
            let sorted = |all: &[(String, Shape)]| {
                all.iter()
                    .map(|(c, s)| (c.clone(), mask_of(s, size(480, 360)).unwrap()))
                    .collect::<BTreeMap<_, _>>()
            };
            assert_eq!(sorted(labels), sorted(&again.items[name]), "{out:?} {name}");
        }
        // The numbers that were in the file, class by class.
        let pixels: u64 = again
            .items
            .values()
            .flatten()
            .filter_map(|(_, s)| mask_of(s, size(480, 360)))
            .map(|m| m.area())
            .sum();
        let given: u64 = first
            .items
            .values()
            .flatten()
            .filter_map(|(_, s)| mask_of(s, size(480, 360)))
            .map(|m| m.area())
            .sum();
        assert_eq!(pixels, given);
    }
}
