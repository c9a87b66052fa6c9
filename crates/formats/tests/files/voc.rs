use super::*;

#[test]
fn only_boxes_are_written() {
    let shapes = vec![
        (0, Shape::Whole),
        (
            2,
            Shape::Box {
                rect: Rect::new(0.1, 0.2, 33.3333333333, 1.0 / 3.0),
            },
        ),
    ];
    let (files, tally) = write(
        ExportFormat::Voc,
        dataset(Task::Detection),
        &[("a/x.jpg".to_owned(), 64, 48, shapes)],
    );
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        [
            "Annotations/a/x.xml",
            "ImageSets/Main/default.txt",
            "labelmap.txt"
        ]
    );
    assert_eq!(text(&files, "ImageSets/Main/default.txt"), "a/x\n");
    assert!(
        text(&files, "Annotations/a/x.xml")
            .contains("<name>a &quot;b&quot;, &lt;c&gt;: &apos;d&apos; # e &amp; é</name>")
    );
    assert_eq!(
        tally.notes(),
        ["1 labels of the whole image left out: Pascal VOC has boxes only; for example in a/x.jpg."]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn boxes_come_back_to_a_billionth_of_a_pixel(samples in samples(a_box())) {
        let (read, tally) = around(ExportFormat::Voc, ImportFormat::Voc, Task::Detection, &samples);
        prop_assert_eq!(read.report.refused + read.report.fixed + tally.lost() as i64, 0);
        for (name, _, _, labels) in &samples {
            let got = &read.items[name];
            prop_assert_eq!(got.len(), labels.len());
            for ((category, shape), (name, back)) in labels.iter().zip(got) {
                prop_assert_eq!(NAMES[*category], name);
                prop_assert!(apart(rect_of(shape), rect_of(back)) < 1e-9);
            }
        }
    }
}
