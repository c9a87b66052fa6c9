//! What goes wrong on the way: nothing half-registered, and the reason said.

use super::*;
use std::time::Duration;

impl World {
    /// Adds, which fails; answers why. Nothing has come of it.
    async fn fails(&self, slug: &str) -> String {
        let job = self.try_add(slug, None).await;
        assert_eq!(job.state, JobState::Failed, "{slug}: {:?}", job.result);
        assert_eq!(job.attempts, 1, "trying again would not mend it");
        assert_eq!(self.dataset_count().await, 0, "{slug}");
        job.error.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_not_what_they_should_be_make_nothing() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let sets: Vec<Record> = (0..11)
            .map(|n| {
                let mut set = digits(&p);
                set.slug = format!("s{n}");
                // Each has files of its own.
                for file in &mut set.files {
                    file.urls[0] = format!("{}/{n}/{}", p.url, file.name);
                    let bytes = p.shelf.lock().unwrap().files[&file.name].clone();
                    p.put(&format!("{n}/{}", file.name), bytes);
                }
                set
            })
            .collect();
        let mut sets = sets;
        // The record tells the truth about bad bytes: it is the loader that minds.
        let mut swap = |n: usize, file: usize, bytes: Vec<u8>| {
            let f = &mut sets[n].files[file];
            (f.bytes, f.digest) = (Some(bytes.len() as u64), Some(sha(&bytes)));
            p.put(&format!("{n}/{}", f.name), bytes);
        };
        swap(0, 0, gz(&idx_labels(&[1, 2, 3])));
        swap(1, 1, idx_labels(&[0; 29]));
        swap(2, 1, idx_labels(&[7; 30]));
        let whole = gz(&idx_images(30));
        swap(3, 0, whole[..whole.len() - 400].to_vec());
        swap(4, 0, gz(&idx_images(30)[..5_000]));
        // Bytes that differ from what the record says.
        p.put("5/train-labels", idx_labels(&[1; 30]));
        p.put("6/train-labels", idx_labels(&[0; 31]));
        p.shelf.lock().unwrap().files.remove("7/test-labels");
        let redirect = |path: &str, to: &str| {
            p.shelf
                .lock()
                .unwrap()
                .redirect
                .insert(path.to_owned(), to.to_owned());
        };
        redirect("8/train-images.gz", "http://169.254.169.254/latest/meta-data/");
        redirect("9/train-images.gz", "http://10.1.2.3/train-images.gz");
        sets[10].files[0].urls[0] = "http://192.168.7.7/x".to_owned();
        let w = open(&db, sets).await;
        for (n, signs) in [
            (0, ["`train-images.gz` is no IDX file of pictures", "00 00 08 01"]),
            (1, ["30 pictures", "29 labels"]),
            (2, ["the label 7", "3 categories"]),
            (3, ["train-images.gz", "ends early"]),
            (4, ["`train-images.gz` ends in picture 7 of 30", ""]),
            (5, ["`train-labels`", "is not the file that was published"]),
            (6, ["longer than the 38 bytes", ""]),
            (7, ["`test-labels` was not fetched", "There is no"]),
            (8, ["169.254.169.254", "network.allow"]),
            (9, ["10.1.2.3", "private network"]),
            (10, ["192.168.7.7", "network.allow"]),
        ] {
            let why = w.fails(&format!("s{n}")).await;
            for sign in signs {
                assert!(why.contains(sign), "s{n}: {sign}: {why}");
            }
        }
        let left = std::fs::read_dir(w.db.dir().join("data/catalogue"))
            .unwrap()
            .count();
        assert_eq!(left, 0, "what failed for good is not kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_that_breaks_goes_on_where_it_broke() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let set = digits(&p);
        let size = set.files[0].bytes.unwrap();
        p.shelf.lock().unwrap().cut = Some(("train-images.gz".to_owned(), 2));
        let w = open(&db, vec![set]).await;
        let out = w.add("digits").await;
        assert_eq!(out.version.files, 42);
        let asked = p.shelf.lock().unwrap().asked.clone();
        let ranges: Vec<Option<u64>> = asked
            .iter()
            .filter(|(path, _)| path == "train-images.gz")
            .map(|(_, from)| *from)
            .collect();
        assert_eq!(ranges.len(), 3, "{ranges:?}");
        assert_eq!(ranges[..2], [None, Some(size / 2)]);
        assert!(ranges[2].unwrap() > size / 2, "{ranges:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_address_is_tried() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let mut set = digits(&p);
        set.files[1].urls.insert(0, format!("{}/nowhere", p.url));
        let w = open(&db, vec![set]).await;
        assert_eq!(w.add("digits").await.version.files, 42);
        assert_eq!(p.times("nowhere"), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_takes_the_place_of_all_addresses() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let mut set = digits(&p);
        // A mirror has copies below the hosts' names.
        let m = Publisher::start().await;
        for file in &mut set.files {
            let bytes = p.shelf.lock().unwrap().files[&file.name].clone();
            file.urls = vec![format!("https://data.example.org/v1/{}", file.name)];
            m.put(&format!("sets/data.example.org/v1/{}", file.name), bytes);
        }
        set.slug = "mirrored".to_owned();
        set.name = "Mirrored".to_owned();
        let w = open_at(&db, vec![set], Some(format!("{}/sets", m.url))).await;
        let out = w.add("mirrored").await;
        assert_eq!(out.version.files, 42);
        assert_eq!(
            out.fetched[0].url,
            format!("{}/sets/data.example.org/v1/train-images.gz", m.url)
        );
        let detail = w.catalogue.get(&w.manager, "mirrored").await.unwrap();
        assert!(detail.sources[0].urls[0].starts_with(&m.url));
    })
    .await;
}

/// Waits until a path was asked for.
async fn asked_for(p: &Publisher, path: &str) {
    for _ in 0..2_000 {
        if p.times(path) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody asks for {path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_goes_on_with_what_it_has() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let w = open(&db, vec![digits(&p)]).await;
        p.shelf
            .lock()
            .unwrap()
            .stalled
            .insert("test-images.gz".to_owned());
        let job = w
            .catalogue
            .add(&w.manager, "digits", AddDataset::default())
            .await
            .unwrap();
        let working = w.work();
        asked_for(&p, "test-images.gz").await;
        working.stop().await;
        let state = w.jobs.get(&w.manager, job.id).await.unwrap().state;
        assert_eq!((state, w.dataset_count().await), (JobState::Queued, 0));
        p.shelf.lock().unwrap().stalled.clear();
        // Clean-up leaves alone what belongs to a job that goes on.
        limn_services::housekeeping::sweep(&w.services.context)
            .await
            .unwrap();
        let job = w.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        assert_eq!(p.times("train-images.gz"), 1, "it was there already");
        let out: CatalogueOutcome = serde_json::from_value(job.result.unwrap()).unwrap();
        assert_eq!((out.version.files, w.dataset_count().await), (42, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_is_heard_in_the_middle_of_a_file_and_leaves_nothing() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let w = open(&db, vec![digits(&p)]).await;
        p.shelf.lock().unwrap().stalled.insert("train-labels".to_owned());
        let job = w
            .catalogue
            .add(&w.manager, "digits", AddDataset::default())
            .await
            .unwrap();
        // Asking twice while it waits is one job.
        let twin = w
            .catalogue
            .add(&w.manager, "digits", AddDataset::default())
            .await
            .unwrap();
        assert_eq!(twin.id, job.id);
        let working = w.work();
        asked_for(&p, "train-labels").await;
        let running = w.until(job.id, |j| j.done > 0).await;
        assert!(
            running.message.starts_with("Fetching ") && running.total > 0,
            "{running:?}"
        );
        w.jobs.cancel(&w.manager, job.id).await.unwrap();
        let job = w.until(job.id, |j| j.state.is_final()).await;
        working.stop().await;
        assert_eq!((job.state, w.dataset_count().await), (JobState::Cancelled, 0));
        let dir = w.db.dir().join("data/catalogue");
        // What was fetched lies there until a sweep; that of the runner's start may have been slow enough to be it.
        assert!(std::fs::read_dir(&dir).unwrap().count() <= 1);
        limn_services::housekeeping::sweep(&w.services.context)
            .await
            .unwrap();
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_was_taken_meanwhile_makes_nothing() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let w = open(&db, vec![digits(&p)]).await;
        let job = w
            .catalogue
            .add(&w.manager, "digits", AddDataset::default())
            .await
            .unwrap();
        let input = NewDataset {
            name: "digits".to_owned(),
            ..NewDataset::default()
        };
        w.datasets.create(&w.manager, input).await.unwrap();
        let job = w.finish(job.id).await;
        assert_eq!(job.state, JobState::Failed);
        assert!(job.error.unwrap().contains("There is a dataset called"));
        let all = w
            .datasets
            .list(&w.manager, DatasetQuery::default())
            .await
            .unwrap();
        assert_eq!((all.rows.len(), all.rows[0].versions), (1, 0));
    })
    .await;
}
