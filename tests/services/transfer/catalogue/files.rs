//! Pictures whose categories are in their paths, and tables.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_in_folders_and_by_name() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let png = |shade| picture(16, 12, shade, ImageFormat::Png);
        let part = |under: &str, split| FolderPart {
            file: "sets.zip".to_owned(),
            under: under.to_owned(),
            split,
        };
        let folders = record(
            "things",
            CatalogueTask::ImageClassification,
            vec![p.file(
                "sets.zip",
                zip(&[
                    ("s/train/n01/a.png", png(1)),
                    ("s/train/n02/b.png", png(2)),
                    ("s/val/n01/a.png", png(3)),
                    ("s/val/n03/broken.png", b"no picture".to_vec()),
                    ("s/readme.txt", b"x".to_vec()),
                ]),
            )],
            Loader::Folders(Folders {
                category: LabelFrom::Folder,
                names: BTreeMap::from([
                    ("n01".to_owned(), "tench".to_owned()),
                    ("n02".to_owned(), "horn".to_owned()),
                ]),
                parts: vec![part("s/train", Split::Train), part("s/val", Split::Val)],
                lists: Vec::new(),
            }),
        );
        let list = |path: &str, split| ListPart {
            file: "lists.tar.gz".to_owned(),
            path: Some(path.to_owned()),
            split,
        };
        let pets = record(
            "pets",
            CatalogueTask::ImageClassification,
            vec![
                p.file(
                    "images.tar.gz",
                    tgz(&[
                        ("images/big_dog_1.png", png(4)),
                        ("images/Cat_2.png", png(5)),
                        ("images/Cat_3.png", png(6)),
                    ]),
                ),
                p.file(
                    "lists.tar.gz",
                    tgz(&[
                        ("l/train.txt", b"big_dog_1 1 2 3\n".to_vec()),
                        ("l/test.txt", b"Cat_2 1\n".to_vec()),
                    ]),
                ),
            ],
            Loader::Folders(Folders {
                category: LabelFrom::Name,
                names: BTreeMap::new(),
                parts: vec![FolderPart {
                    file: "images.tar.gz".to_owned(),
                    under: "images".to_owned(),
                    split: Split::None,
                }],
                lists: vec![list("l/train.txt", Split::Train), list("l/test.txt", Split::Test)],
            }),
        );
        let w = open(&db, vec![folders, pets]).await;
        let out = w.add("things").await;
        let entries = w.entries(out.version.version_id).await;
        assert_eq!(
            entries.keys().collect::<Vec<_>>(),
            ["train/n01/a.png", "train/n02/b.png", "val/n01/a.png"]
        );
        assert_eq!(only(&entries["val/n01/a.png"].categories), "tench");
        assert!(
            out.version.notes.iter().any(|n| n.contains("broken.png")),
            "{:?}",
            out.version.notes
        );

        let out = w.add("pets").await;
        let entries = w.entries(out.version.version_id).await;
        let facts: Vec<(&str, &str, Split)> = entries
            .iter()
            .map(|(path, e)| (path.as_str(), only(&e.categories), e.split))
            .collect();
        assert_eq!(
            facts,
            [
                ("Cat_2.png", "Cat", Split::Test),
                ("Cat_3.png", "Cat", Split::None),
                ("big_dog_1.png", "big_dog", Split::Train)
            ]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_become_tables() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let part = |file: &str, path: Option<&str>, to: &str, split, skip| CsvPart {
            file: file.to_owned(),
            path: path.map(str::to_owned),
            to: to.to_owned(),
            split,
            skip,
        };
        let csv = record(
            "people",
            CatalogueTask::TabularClassification,
            vec![
                p.file("people.data", b"39, State-gov, <=50K\n50, ?, >50K\n\n".to_vec()),
                p.file(
                    "people.tgz",
                    tgz(&[("d/people.test", b"|1x3\n25, Private, <=50K.\n".to_vec())]),
                ),
            ],
            Loader::Csv(Csv {
                parts: vec![
                    part("people.data", None, "train.csv", Split::Train, None),
                    part(
                        "people.tgz",
                        Some("d/people.test"),
                        "test.csv",
                        Split::Test,
                        Some(1),
                    ),
                ],
                columns: ["age", "work", "income"].map(str::to_owned).to_vec(),
                header: false,
                separator: ',',
                skip: 0,
                trim: true,
                missing: Some("?".to_owned()),
                line_end: Some(".".to_owned()),
            }),
        );
        let mut rides = p.file("rides.parquet", parquet(50));
        (rides.bytes, rides.digest) = (None, None);
        let taxi = record(
            "taxi",
            CatalogueTask::TabularRegression,
            vec![rides],
            Loader::Parquet(Parquet {
                parts: vec![ParquetPart {
                    file: "rides.parquet".to_owned(),
                    to: "rides.parquet".to_owned(),
                    split: Split::None,
                }],
            }),
        );
        let w = open(&db, vec![csv, taxi]).await;
        let out = w.add("people").await;
        let d = w.datasets.get(&w.manager, out.version.dataset_id).await.unwrap();
        assert_eq!(d.summary.kind, DatasetKind::Tabular);
        let entries = w.entries(out.version.version_id).await;
        let text = async |path: &str| String::from_utf8(w.bytes_of(&entries[path]).await).unwrap();
        assert_eq!(
            text("train.csv").await,
            "age,work,income\n39,State-gov,<=50K\n50,,>50K\n"
        );
        assert_eq!(text("test.csv").await, "age,work,income\n25,Private,<=50K\n");
        assert_eq!(
            (entries["test.csv"].split, entries["test.csv"].media_type.as_str()),
            (Split::Test, "text/csv")
        );

        let out = w.add("taxi").await;
        assert!(!out.fetched[0].verified, "nobody says what it is");
        assert_eq!(
            format!("sha256:{}", out.fetched[0].sha256),
            sha(&parquet(50)).to_string()
        );
        let entries = w.entries(out.version.version_id).await;
        assert_eq!(
            w.bytes_of(&entries["rides.parquet"]).await,
            parquet(50),
            "byte for byte"
        );
        let profile = w
            .profiles
            .start(&w.manager, out.version.version_id)
            .await
            .unwrap();
        assert_eq!(w.finish(profile.id).await.state, JobState::Succeeded);
        let found = w.profiles.get(&w.manager, out.version.version_id).await.unwrap();
        assert_eq!(found.profile.unwrap().tables[0].profile.rows, 50);
        let listed = w.catalogue.list(&w.manager).await.unwrap();
        assert_eq!((listed[1].digests, listed[1].bytes), (DigestState::None, None));
    })
    .await;
}
