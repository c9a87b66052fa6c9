use super::*;
use proptest::prelude::*;

fn run(xml: &[u8]) -> (Result<Imported, FormatError>, limn_domain::import::ImportReport) {
    let mut findings = Findings::new("raccoon-1.xml");
    let out = read(xml, "raccoon-1", &mut findings);
    (out, findings.into_report())
}

fn codes(report: &limn_domain::import::ImportReport) -> Vec<(&str, Option<u64>)> {
    report.entries.iter().map(|e| (e.code.as_str(), e.line)).collect()
}

const GOOD: &str = r#"<?xml version="1.0"?>
<annotation verified="yes">
	<filename>raccoon-1.jpg</filename>
	<path>/home/ana/images/raccoon-1.jpg</path>
	<size><width>650</width><height>417</height><depth>3</depth></size>
	<object>
		<name>raccoon &amp; &#99;ub</name>
		<part><name>head</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></part>
		<bndbox>
			<xmin>81</xmin><ymin>88.5</ymin><xmax>522</xmax><ymax>408</ymax>
		</bndbox>
	</object>
	<object><name>raccoon</name></object>
	<object><name/><bndbox><xmin>1</xmin></bndbox></object>
	<object><name>dog</name><bndbox><xmin>NaN</xmin><ymin>1</ymin><xmax>2</xmax><ymax>3</ymax></bndbox></object>
	<object><name>dog</name><bndbox><xmin>20</xmin><ymin>1</ymin><xmax>10</xmax><ymax>3</ymax></bndbox></object>
</annotation>
"#;

#[test]
fn takes_what_is_good_and_names_the_rest() {
    let (out, report) = run(GOOD.as_bytes());
    let out = out.expect("a VOC file");
    assert_eq!(out.images[0].file_name.as_deref(), Some("raccoon-1.jpg"));
    assert_eq!(
        out.images[0].alternatives,
        ["/home/ana/images/raccoon-1.jpg", "raccoon-1"]
    );
    assert_eq!(out.images[0].size, Some((650.0, 417.0)));
    assert_eq!(
        out.categories
            .iter()
            .filter_map(|c| c.name.as_deref())
            .collect::<Vec<_>>(),
        ["raccoon & cub", "dog"]
    );
    assert_eq!(out.annotations.len(), 2);
    assert_eq!(
        out.annotations[0].shape,
        ImportedShape::Box(Rect::new(81.0, 88.5, 441.0, 319.5))
    );
    assert_eq!(
        codes(&report),
        [
            ("bad_box", Some(13)),
            ("bad_name", Some(14)),
            ("bad_box", Some(15))
        ]
    );
    assert_eq!(report.entries[0].record.as_deref(), Some("object[1]"));
}

#[test]
fn broken_files_give_what_came_before_the_break() {
    let cut = GOOD.find("<object><name/>").expect("there");
    let (out, report) = run(&GOOD.as_bytes()[..cut]);
    assert_eq!(out.expect("a VOC file").annotations.len(), 1);
    assert_eq!(codes(&report), [("truncated", Some(14)), ("bad_box", Some(13))]);

    let (out, report) = run(GOOD.replace("<object><name/>", "</size><object>").as_bytes());
    assert_eq!(out.expect("a VOC file").annotations.len(), 1);
    assert_eq!(codes(&report)[0], ("bad_xml", Some(14)));
}

#[test]
fn entities_are_not_expanded() {
    let bomb = r#"<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>
<annotation><filename>&x;&b;a.jpg</filename></annotation>"#;
    let (out, report) = run(bomb.as_bytes());
    assert_eq!(
        out.expect("a VOC file").images[0].file_name.as_deref(),
        Some("a.jpg")
    );
    assert!(report.entries.iter().all(|e| e.code == "entity") && !report.entries.is_empty());
}

#[test]
fn other_files_are_refused_by_name() {
    for other in ["", "hello", "<html><annotation/></html>", "{\"images\": []}"] {
        let Err(FormatError::NotTheFormat(message)) = run(other.as_bytes()).0 else {
            panic!("{other}")
        };
        assert!(message.contains("raccoon-1.xml"), "{message}");
    }
    let deep = "<annotation>".repeat(10_000);
    let (_, report) = run(deep.as_bytes());
    assert_eq!(report.entries[0].code, "bad_xml");
}

#[test]
fn odd_encodings() {
    let (out, report) = run(b"<annotation><filename>caf\xe9.jpg</filename></annotation>");
    assert_eq!(
        out.expect("a VOC file").images[0].file_name.as_deref(),
        Some("café.jpg")
    );
    assert_eq!(codes(&report), [("not_utf8", None)]);
    let (out, report) = run(format!("\u{feff}{GOOD}").as_bytes());
    assert_eq!(
        (out.expect("a VOC file").annotations.len(), report.refused),
        (2, 3)
    );
    let wide: Vec<u8> = "\u{feff}<annotation><filename>é.jpg</filename></annotation>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(
        run(&wide).0.expect("a VOC file").images[0].file_name.as_deref(),
        Some("é.jpg")
    );
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..GOOD.len(), junk in "[<>/&;a-z\"é=!-]{0,8}") {
        let _ = run(&bytes);
        let mut text = GOOD.to_owned();
        text.insert_str(text.floor_char_boundary(cut), &junk);
        let _ = run(text.as_bytes());
        let _ = run(&GOOD.as_bytes()[..cut]);
    }
}
