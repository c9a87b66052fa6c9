use super::*;

#[test]
fn a_line_for_each_label() {
    let shapes = vec![
        (
            2,
            Shape::Box {
                rect: Rect::new(0.5, 1.0, 2.0, 3.0),
            },
        ),
        (0, Shape::Whole),
    ];
    let samples = [
        ("a,b.jpg".to_owned(), 10, 9, shapes),
        ("y.jpg".to_owned(), 5, 4, vec![]),
    ];
    let (files, _) = write(ExportFormat::Csv, dataset(Task::Detection), &samples);
    assert_eq!(
        text(&files, "labels.csv"),
        "file,width,height,category,kind,x,y,w,h,geometry\n\
         \"a,b.jpg\",10,9,\"a \"\"b\"\", <c>: 'd' # e & é\",box,0.5,1,2,3,\n\"a,b.jpg\",10,9,cat,whole,,,,,\ny.jpg,5,4,,,,,,,\n"
    );
}

#[test]
fn tables_of_others_and_faults() {
    let other = "filename;width;height;class;xmin;ymin;xmax;ymax\nx.jpg;64;64;cat;1;2;11;22\nx.jpg;64;64;dog;1;2;x;22\n;64;64;dog;1;2;3;4\ny.jpg;64;64;;;;;\nx.jpg;64;64;dog;;;;\n";
    let ours = "file,category,kind,geometry\nx.jpg,cat,polygon,\"{\"\"kind\"\":\"\"polygon\"\",\"\"parts\"\":[[[[1,1],[9,1],[9,9]]]]}\"\nx.jpg,cat,polygon,\"{1}\"\nx.jpg,cat,,\n";
    let set = files(&[
        ("a.csv", other),
        ("b.csv", ours),
        ("c.csv", "a,b\n1,2\n"),
        ("d.csv", ""),
    ]);
    let read = read(ImportFormat::Csv, &set, &[("x.jpg", 64, 64), ("y.jpg", 64, 64)]);
    let got: Vec<_> = read.items["x.jpg"]
        .iter()
        .map(|(c, s)| (c.as_str(), s.kind()))
        .collect();
    assert_eq!(got, [("cat", "box"), ("cat", "polygon"), ("cat", "whole")]);
    assert_eq!(
        rect_of(&read.items["x.jpg"][0].1),
        Rect::new(1.0, 2.0, 10.0, 20.0)
    );
    let lines: Vec<_> = read
        .report
        .entries
        .iter()
        .map(|e| (e.code.as_str(), e.line))
        .collect();
    assert_eq!(
        lines,
        [
            ("bad_box", Some(3)),
            ("no_file_name", Some(4)),
            ("bad_box", Some(6)),
            ("bad_geometry", Some(3)),
            ("not_the_format", None),
            ("not_the_format", None)
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn shapes_come_back_exactly(samples in samples(prop_oneof![Just(Shape::Whole), a_box(), a_polygon(3), a_mask()])) {
        let (read, _) = around(ExportFormat::Csv, ImportFormat::Csv, Task::Segmentation, &samples);
        exactly(&samples, &read);
    }
}

pub fn exactly(samples: &[Sample], read: &Read) {
    assert_eq!(read.report.fixed + read.report.refused, 0, "{:?}", read.report);
    for (name, .., labels) in samples {
        let labels: Vec<_> = labels
            .iter()
            .map(|(c, s)| (NAMES[*c].to_owned(), s.clone()))
            .collect();
        assert_eq!(read.items[name], labels);
    }
}
