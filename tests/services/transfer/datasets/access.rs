//! Who sees and changes what, and how files leave.

use super::{of_project, world};
use crate::code;
use crate::transfer::unzip;
use limn_domain::dataset::{
    DatasetKind, DatasetQuery, EntryFilter, EntryQuery, NewDataset, NewVersion, UpdateDataset, UploadMode,
    VersionSource,
};
use limn_domain::export::VersionExport;
use limn_domain::project::Task;
use limn_domain::{Code, Role};
use limn_services::Actor;
use limn_testkit::on_both;
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outsiders_learn_nothing_and_viewers_change_nothing() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let id = d.summary.id;
        let v = w.register_project(&d).await.version_id;
        let outsider = w.person("Otto", Role::Manager).await;
        assert_eq!(code(w.datasets.get(&outsider, id).await), Code::NotFound);
        assert_eq!(code(w.versions.get(&outsider, v).await), Code::NotFound);
        assert_eq!(
            code(w.versions.entries(&outsider, v, EntryQuery::default()).await),
            Code::NotFound
        );
        assert_eq!(
            code(w.versions.get(&Actor::Anonymous, v).await),
            Code::SignInRequired
        );
        assert!(
            w.datasets
                .list(&outsider, DatasetQuery::default())
                .await
                .unwrap()
                .rows
                .is_empty()
        );
        // A dataset of one's own does not open the door to others.
        let own = w
            .datasets
            .create(
                &outsider,
                NewDataset {
                    name: "Own".into(),
                    ..NewDataset::default()
                },
            )
            .await
            .unwrap();
        let take = NewVersion {
            source: VersionSource::Version {
                version_id: v,
                filter: EntryFilter::default(),
            },
            note: String::new(),
        };
        assert_eq!(
            code(w.versions.register(&outsider, own.summary.id, take).await),
            Code::NotFound
        );
        let take = NewVersion {
            source: of_project(&w),
            note: String::new(),
        };
        assert_eq!(
            code(w.versions.register(&outsider, own.summary.id, take).await),
            Code::NotFound
        );

        let user = outsider.user_id().unwrap();
        w.datasets
            .set_member(&w.manager, id, user, Role::Viewer)
            .await
            .unwrap();
        assert_eq!(
            w.versions
                .entries(&outsider, v, EntryQuery::default())
                .await
                .unwrap()
                .rows
                .len(),
            2
        );
        assert_eq!(
            code(w.datasets.update(&outsider, id, UpdateDataset::default()).await),
            Code::Forbidden
        );
        assert_eq!(
            code(w.datasets.set_alias(&outsider, id, "x", Some(v)).await),
            Code::Forbidden
        );
        assert_eq!(
            code(w.versions.delete(&outsider, v, false).await),
            Code::Forbidden
        );
        assert_eq!(
            code(w.datasets.set_member(&w.manager, id, user, Role::Labeler).await),
            Code::InvalidInput
        );
        // An export can be fetched by whoever sees the dataset, and by nobody else.
        let job = w
            .exports
            .start_of_version(&outsider, v, VersionExport::default())
            .await
            .unwrap();
        w.finish(job.id).await;
        assert!(w.exports.file(&w.manager, job.id).await.is_ok());
        w.datasets.remove_member(&w.manager, id, user).await.unwrap();
        assert_eq!(code(w.exports.file(&outsider, job.id).await), Code::NotFound);
        // Names are the studio's.
        let taken = w
            .datasets
            .create(
                &outsider,
                NewDataset {
                    name: "STREET".into(),
                    ..NewDataset::default()
                },
            )
            .await;
        assert_eq!(code(taken), Code::AlreadyExists);
        for bad in ["latest", "7", "a/b"] {
            assert_eq!(
                code(w.datasets.set_alias(&w.manager, id, bad, Some(v)).await),
                Code::InvalidInput
            );
        }
        for text in ["1", "v1", "latest", "LATEST", w.version(v).await.digest.as_str()] {
            assert_eq!(
                w.versions.find(&w.manager, id, text).await.unwrap().id,
                v,
                "{text}"
            );
        }
        assert_eq!(code(w.versions.find(&w.manager, id, "2").await), Code::NotFound);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zip_holds_every_file_and_is_the_same_twice() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Files", DatasetKind::Files).await;
        let files: &[(&str, Vec<u8>)] = &[("a/b.csv", b"x,y\n1,2\n".to_vec()), ("c.bin", vec![7; 300_000])];
        let v = w.upload_zip(&d, files, UploadMode::Add).await.version_id;
        let mut whole = Vec::new();
        for _ in 0..2 {
            let what = limn_domain::dataset::Download::Archive;
            let file = w.versions.download(&w.manager, v, what, None).await.unwrap();
            assert_eq!(file.name, "files-v1.zip");
            let mut pieces = file.pieces(None);
            let mut bytes = Vec::new();
            while let Some(piece) = pieces.recv().await {
                bytes.extend_from_slice(&piece.unwrap());
            }
            whole.push(bytes);
        }
        assert_eq!(whole[0], whole[1]);
        let got: BTreeMap<String, Vec<u8>> = unzip(&whole[0]).into_iter().collect();
        let wanted: BTreeMap<String, Vec<u8>> =
            files.iter().map(|(n, b)| ((*n).to_owned(), b.clone())).collect();
        assert_eq!(got, wanted);
        assert_eq!(
            code(
                w.exports
                    .start_of_version(&w.manager, v, VersionExport::default())
                    .await
            ),
            Code::WrongState
        );
    })
    .await;
}
