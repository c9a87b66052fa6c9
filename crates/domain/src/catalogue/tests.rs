use super::*;

fn record() -> Record {
    Record {
        slug: "iris".into(),
        name: "Iris".into(),
        summary: "150 flowers".into(),
        task: CatalogueTask::TabularClassification,
        tags: vec!["flowers".into()],
        licence: Licence {
            name: "CC-BY-4.0".into(),
            url: None,
        },
        home: "https://example.org/iris".into(),
        citation: String::new(),
        card: "# Iris".into(),
        files: vec![RecordFile {
            name: "iris.data".into(),
            urls: vec!["https://example.org/iris.data".into()],
            bytes: Some(4_551),
            digest: Some(format!("sha256:{}", "ab".repeat(32)).parse().unwrap()),
        }],
        loader: Loader::Csv(Csv {
            parts: vec![CsvPart {
                file: "iris.data".into(),
                path: None,
                to: "iris.csv".into(),
                split: Split::None,
                skip: None,
            }],
            columns: vec!["a".into(), "b".into()],
            header: false,
            separator: ',',
            skip: 0,
            trim: false,
            missing: None,
            line_end: None,
        }),
    }
}

fn csv(record: &mut Record) -> &mut Csv {
    match &mut record.loader {
        Loader::Csv(csv) => csv,
        _ => unreachable!(),
    }
}

#[test]
fn mistakes_name_record_and_field() {
    assert_eq!(record().check(), Ok(()));
    type Change = fn(&mut Record);
    let cases: [(Change, &str); 16] = [
        (|r| r.slug = "Iris".into(), "slug:"),
        (|r| r.name = " ".into(), "name:"),
        (|r| r.summary = "two\nlines".into(), "summary:"),
        (|r| r.licence.name.clear(), "licence.name:"),
        (|r| r.licence.url = Some("MIT".into()), "licence.url:"),
        (|r| r.home = "javascript:alert(1)".into(), "home:"),
        (|r| r.files.clear(), "files:"),
        (|r| r.files[0].name = "../iris".into(), "files[0].name:"),
        (
            |r| r.files[0].urls[0] = "file:///etc/passwd".into(),
            "files[0].urls:",
        ),
        (|r| r.files.push(r.files[0].clone()), "files[1].name:"),
        (
            |r| r.task = CatalogueTask::ObjectDetection,
            "loader: csv makes no dataset for object detection",
        ),
        (|r| csv(r).parts[0].file = "other".into(), "loader.csv.parts:"),
        (|r| csv(r).columns.clear(), "loader.csv.columns:"),
        (|r| csv(r).columns[1] = "A".into(), "loader.csv.columns:"),
        (|r| csv(r).parts[0].to = "iris.txt".into(), "loader.csv.parts:"),
        (|r| csv(r).separator = 'é', "loader.csv.separator:"),
    ];
    for (change, sign) in cases {
        let mut r = record();
        change(&mut r);
        let why = r.check().unwrap_err();
        assert!(why.starts_with(sign), "{sign} {why}");
        let why = Catalogue::new(vec![r.clone()]).unwrap_err();
        assert!(why.starts_with(&format!("`{}`: {sign}", r.slug)), "{why}");
    }
    let why = Catalogue::new(vec![record(), record()]).unwrap_err();
    assert!(why.contains("`iris`: slug: another record"), "{why}");
}

#[test]
fn pictures_of_segments_are_for_panoptic_alone() {
    let mut r = record();
    r.task = CatalogueTask::PanopticSegmentation;
    let mut coco = Coco {
        images: "iris.data".into(),
        annotations: "iris.data".into(),
        path: Some("a.json".into()),
        segments: Some("a.zip".into()),
        split: Split::Val,
    };
    r.loader = Loader::Coco(coco.clone());
    assert_eq!(r.check(), Ok(()));
    r.task = CatalogueTask::ObjectDetection;
    assert!(r.check().unwrap_err().starts_with("loader.coco.segments:"));
    r.task = CatalogueTask::PanopticSegmentation;
    for (path, segments, sign) in [
        (Some("a.json"), None, "loader.coco.segments:"),
        (Some("a.json"), Some("../a.zip"), "loader.coco.segments:"),
        (None, Some("a.zip"), "loader.coco.path:"),
    ] {
        coco.path = path.map(str::to_owned);
        coco.segments = segments.map(str::to_owned);
        r.loader = Loader::Coco(coco.clone());
        let why = r.check().unwrap_err();
        assert!(why.starts_with(sign), "{sign} {why}");
    }
}

#[test]
fn digests_are_read() {
    let sha = format!("sha256:{}", "0A".repeat(32));
    let read: FileDigest = sha.parse().unwrap();
    assert_eq!(read.algorithm, Algorithm::Sha256);
    assert_eq!(read.to_string(), sha.to_lowercase());
    assert!(format!("md5:{}", "0a".repeat(16)).parse::<FileDigest>().is_ok());
    for bad in ["", "sha256", "sha256:0a", "md5:zz", "sha1:0a0a", &"0a".repeat(32)] {
        assert!(bad.parse::<FileDigest>().is_err(), "{bad}");
    }
}

#[test]
fn a_record_says_what_it_is() {
    let mut r = record();
    assert_eq!(
        (r.bytes(), r.digests(), r.kind()),
        (Some(4_551), DigestState::All, DatasetKind::Tabular)
    );
    r.files.push(RecordFile {
        name: "b".into(),
        bytes: None,
        digest: None,
        ..r.files[0].clone()
    });
    assert_eq!((r.bytes(), r.digests()), (None, DigestState::Some));
    csv(&mut r).parts[0].split = Split::Test;
    assert_eq!(r.splits(), [Split::Test]);
}
