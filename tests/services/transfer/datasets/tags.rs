//! Tags on files: a facet beside the others, over every version that has the path, changed in bulk and undone.

use super::explore::{by, count, of, page, paths};
use super::*;
use crate::code;
use limn_domain::explore::{ExploreFilter, ExploreQuery, NewView};
use limn_domain::file_tag::{ChangeTags, ON_FILE_MAX, TAG_NAME_MAX, TAGS_MAX, TagChange, TagScope};
use limn_domain::{Code, DatasetId, TagChangeId};
use limn_store::repo;
use limn_testkit::TestDb;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|n| (*n).to_owned()).collect()
}

fn on(files: &[&str]) -> TagScope {
    TagScope {
        paths: names(files),
        ..TagScope::default()
    }
}

fn found(filter: ExploreFilter) -> TagScope {
    TagScope {
        filter,
        ..TagScope::default()
    }
}

impl World {
    async fn tag(&self, version: VersionId, of: TagScope, add: &[&str], remove: &[&str]) -> TagChange {
        let input = ChangeTags {
            of,
            add: names(add),
            remove: names(remove),
        };
        self.explore
            .change_tags(&self.manager, version, input)
            .await
            .unwrap()
    }

    async fn refused(
        &self,
        version: VersionId,
        of: TagScope,
        add: &[&str],
        remove: &[&str],
    ) -> (Code, String) {
        let input = ChangeTags {
            of,
            add: names(add),
            remove: names(remove),
        };
        let refused = self.explore.change_tags(&self.manager, version, input).await;
        let api = refused.unwrap_err().into_api();
        (api.code, api.message)
    }

    async fn tagged(&self, version: VersionId, tags: &[&str]) -> Vec<String> {
        let found = page(self, version, of(by("tag", tags))).await;
        paths(&found).into_iter().map(str::to_owned).collect()
    }

    async fn tags(&self, dataset: DatasetId) -> Vec<(String, i64)> {
        let tags = self.explore.file_tags(&self.manager, dataset).await.unwrap();
        tags.into_iter().map(|t| (t.name, t.files)).collect()
    }
}

async fn rows(db: &TestDb, table: &'static str) -> i64 {
    let mut tx = db.read().await.unwrap();
    let sql = match table {
        "file_tag" => "SELECT count(*) FROM file_tag",
        _ => "SELECT count(*) FROM file_tagged",
    };
    limn_store::on_tx!(&mut tx, conn => sqlx::query_scalar(sql).fetch_one(conn).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_are_a_facet_and_stay_with_their_paths() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let id = d.summary.id;
        let one = w.register_project(&d).await.version_id;
        let plain = page(&w, one, ExploreQuery::default()).await;
        assert!(
            plain.facets.iter().all(|f| f.name != "tag"),
            "there are no tags yet"
        );
        let none: Vec<String> = w.tagged(one, &["none"]).await;
        assert_eq!(none, ["a.png", "sub/b.png"], "all files are without one");

        // Paths are those of versions, regardless of case; so are names of tags.
        let first = w.tag(one, on(&["A.png"]), &["  Night  "], &[]).await;
        assert_eq!(first.files, 1);
        assert_eq!(first.tags[0].name, "Night");
        assert_eq!(w.tag(one, on(&["a.png"]), &["night"], &[]).await.files, 0);
        let all = page(&w, one, ExploreQuery::default()).await;
        assert_eq!(
            (count(&all, "tag", "Night"), count(&all, "tag", "none")),
            (Some(1), Some(1))
        );
        assert_eq!(all.tags["a.png"], ["Night"]);
        assert!(!all.tags.contains_key("sub/b.png"));
        assert_eq!(w.tagged(one, &["NIGHT"]).await, ["a.png"]);
        assert_eq!(
            w.tagged(one, &["Night", "none"]).await,
            ["a.png", "sub/b.png"],
            "values: or"
        );

        // All that pass a filter.
        let in_sub = found(by("folder", &["sub"]));
        assert_eq!(w.tag(one, in_sub.clone(), &["Rain", "Night"], &[]).await.files, 1);
        let here = w
            .explore
            .tags_here(&w.manager, one, TagScope::default())
            .await
            .unwrap();
        let counts: Vec<_> = here
            .tags
            .iter()
            .map(|t| (t.name.as_str(), t.files, t.here))
            .collect();
        assert_eq!((here.files, counts), (2, vec![("Night", 2, 2), ("Rain", 1, 1)]));
        let known = w.explore.file_tags(&w.manager, id).await.unwrap();
        assert!(here.tags.iter().map(|t| t.id).eq(known.iter().map(|t| t.id)));
        let here = w
            .explore
            .tags_here(&w.manager, one, on(&["a.png"]))
            .await
            .unwrap();
        assert_eq!(here.tags.iter().map(|t| t.here).collect::<Vec<_>>(), [1, 0]);

        // Facets: and, with counts that leave their own filter out.
        let mut both = by("tag", &["Night"]);
        both.facets.insert("folder".to_owned(), names(&["sub"]));
        let both = page(&w, one, of(both)).await;
        assert_eq!(paths(&both), ["sub/b.png"]);
        assert_eq!(
            (count(&both, "tag", "Rain"), count(&both, "folder", "/")),
            (Some(1), Some(1))
        );

        // Views and versions of what was found know tags.
        let view = NewView {
            name: "Rainy".to_owned(),
            query: of(by("tag", &["Rain"])),
        };
        let views = w.explore.save_view(&w.manager, id, view).await.unwrap();
        assert_eq!(page(&w, one, views[0].query.clone()).await.matched, 1);
        let subset = w.dataset("Rainy ones", DatasetKind::Images).await;
        let source = VersionSource::Selection {
            version_id: one,
            filter: by("tag", &["rain"]),
            paths: Vec::new(),
        };
        let made = w.register(&subset, source).await;
        assert_eq!(
            w.paths(made.version_id, EntryQuery::default()).await,
            ["sub/b.png"]
        );
        assert!(
            w.tags(subset.summary.id).await.is_empty(),
            "tags belong to their dataset"
        );

        // No version knows of tags; another one of the dataset has them where it has the path.
        assert!(!w.register_project(&d).await.is_new);
        w.label(&["a.png", "sub/c.png"], 5.0).await;
        let two = w.register_project(&d).await;
        assert_eq!((two.is_new, two.files), (true, 3));
        assert_eq!(w.tagged(two.version_id, &["night"]).await, ["a.png", "sub/b.png"]);
        assert_eq!(w.tagged(two.version_id, &["none"]).await, ["sub/c.png"]);
        w.tag(two.version_id, on(&["sub/c.png"]), &["new"], &["Night"])
            .await;
        assert_eq!(w.tagged(one, &["new"]).await, Vec::<String>::new());
        assert_eq!(
            w.tags(id).await,
            [
                ("new".to_owned(), 1),
                ("Night".to_owned(), 2),
                ("Rain".to_owned(), 1)
            ]
        );

        w.datasets.delete(&w.manager, id, false).await.unwrap();
        assert_eq!(
            (rows(&db, "file_tag").await, rows(&db, "file_tagged").await),
            (0, 0)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_tags_are_undone_and_done_again() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let id = d.summary.id;
        let v = w.register_project(&d).await.version_id;
        page(&w, v, ExploreQuery::default()).await;
        let undo = async |change: TagChangeId| w.explore.undo_tags(&w.manager, id, change).await;

        w.tag(v, on(&["a.png"]), &["Night"], &[]).await;
        // Undone is what the change did: `a.png` had the one tag before.
        let change = w.tag(v, TagScope::default(), &["Night", "Wet"], &[]).await;
        assert_eq!(change.files, 2);
        undo(change.id).await.unwrap();
        assert_eq!(w.tagged(v, &["Night"]).await, ["a.png"]);
        assert_eq!(w.tags(id).await, [("Night".to_owned(), 1)]);
        undo(change.id).await.unwrap();
        assert_eq!(w.tagged(v, &["Night"]).await, ["a.png", "sub/b.png"]);
        assert_eq!(w.tags(id).await, [("Night".to_owned(), 2), ("Wet".to_owned(), 2)]);

        // What somebody has changed since stays.
        let off = w.tag(v, TagScope::default(), &[], &["Night"]).await;
        assert_eq!(off.files, 2);
        w.tag(v, on(&["sub/b.png"]), &["Night"], &[]).await;
        undo(off.id).await.unwrap();
        assert_eq!(w.tagged(v, &["Night"]).await, ["a.png", "sub/b.png"]);
        assert_eq!(code(undo(TagChangeId::new()).await), Code::WrongState);

        // A tag is taken off everything, also with undo.
        let night = w.explore.file_tags(&w.manager, id).await.unwrap()[0].clone();
        let gone = w.explore.delete_tag(&w.manager, id, night.id).await.unwrap();
        assert_eq!((gone.files, gone.tags.len()), (2, 1));
        assert_eq!(
            code(w.explore.delete_tag(&w.manager, id, night.id).await),
            Code::NotFound
        );
        undo(gone.id).await.unwrap();
        assert_eq!(w.tagged(v, &["Night"]).await.len(), 2);

        // What was taken off is forgotten after an hour.
        let last = w.tag(v, TagScope::default(), &[], &["Night", "Wet"]).await;
        w.clock.advance_seconds(3_599);
        sweep(&w.context).await.unwrap();
        assert_eq!(
            (rows(&db, "file_tag").await, rows(&db, "file_tagged").await),
            (2, 4)
        );
        w.clock.advance_seconds(2);
        sweep(&w.context).await.unwrap();
        assert_eq!(
            (rows(&db, "file_tag").await, rows(&db, "file_tagged").await),
            (0, 0)
        );
        assert_eq!(code(undo(last.id).await), Code::WrongState);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_have_limits_and_viewers_see_them() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let id = d.summary.id;
        let v = w.register_project(&d).await.version_id;
        // Without an index it says so, and one is made.
        let (early, why) = w.refused(v, on(&["a.png"]), &["x"], &[]).await;
        assert_eq!(early, Code::WrongState);
        assert!(why.contains("indexed"), "{why}");
        page(&w, v, ExploreQuery::default()).await;

        let a = || on(&["a.png"]);
        for (add, remove, says) in [
            (vec!["none"], vec![], "without a tag"),
            (vec!["a,b"], vec![], "comma"),
            (vec![], vec![], "Name a tag"),
            (vec!["x"], vec!["X"], "at once"),
            (vec![" "], vec![], "name"),
        ] {
            let (code, why) = w.refused(v, a(), &add, &remove).await;
            assert_eq!(code, Code::InvalidInput, "{why}");
            assert!(why.contains(says), "{why}");
        }
        let long = "x".repeat(TAG_NAME_MAX + 1);
        assert_eq!(w.refused(v, a(), &[&long], &[]).await.0, Code::InvalidInput);
        let many: Vec<String> = (0..11).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(w.refused(v, a(), &many, &[]).await.0, Code::InvalidInput);
        let (gone, why) = w.refused(v, on(&["a.png", "gone.png"]), &["x"], &[]).await;
        assert_eq!(gone, Code::InvalidInput);
        assert!(why.contains("`gone.png`"), "{why}");
        let unknown = found(by("colour", &["red"]));
        assert_eq!(w.refused(v, unknown, &["x"], &[]).await.0, Code::InvalidInput);
        assert!(w.tags(id).await.is_empty(), "nothing of that was written");

        // Tags on a file, and of a dataset.
        for n in 0..ON_FILE_MAX / 10 {
            let ten: Vec<String> = (0..10).map(|m| format!("t{n}{m}")).collect();
            let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
            w.tag(v, a(), &ten, &[]).await;
        }
        let (full, why) = w.refused(v, TagScope::default(), &["one more"], &[]).await;
        assert_eq!(full, Code::WrongState);
        assert!(why.contains("`a.png` would have 51"), "{why}");
        assert_eq!(w.tag(v, a(), &["one more"], &["t00"]).await.files, 1);
        db.write::<_, limn_store::StoreError, _>(move |tx| {
            Box::pin(async move {
                for n in ON_FILE_MAX..TAGS_MAX {
                    let now = limn_testkit::build::START;
                    let tag = repo::file_tag::make(tx, id, &format!("other {n}"), now).await?;
                    repo::file_tag::set(tx, tag, TagChangeId::new(), &["gone.png".to_owned()], true, now)
                        .await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let (full, why) = w.refused(v, on(&["sub/b.png"]), &["a new one"], &[]).await;
        assert_eq!(full, Code::WrongState);
        assert!(why.contains("500"), "{why}");
        assert_eq!(
            w.tag(v, on(&["sub/b.png"]), &["T01"], &[]).await.files,
            1,
            "one that is there"
        );

        // Whoever may see the dataset sees tags, whoever may add versions changes them.
        let vera = w.person("Vera", Role::Viewer).await;
        assert_eq!(code(w.explore.file_tags(&vera, id).await), Code::NotFound);
        let user = vera.user_id().unwrap();
        w.datasets
            .set_member(&w.manager, id, user, Role::Viewer)
            .await
            .unwrap();
        assert_eq!(w.explore.file_tags(&vera, id).await.unwrap().len(), TAGS_MAX);
        let here = w.explore.tags_here(&vera, v, a()).await.unwrap();
        assert_eq!(here.tags.iter().map(|t| t.here).sum::<i64>(), ON_FILE_MAX as i64);
        let input = ChangeTags {
            of: a(),
            add: names(&["x"]),
            remove: Vec::new(),
        };
        assert_eq!(
            code(w.explore.change_tags(&vera, v, input).await),
            Code::Forbidden
        );
        assert_eq!(
            code(w.explore.undo_tags(&vera, id, TagChangeId::new()).await),
            Code::Forbidden
        );
        let tag = w.explore.file_tags(&vera, id).await.unwrap()[0].id;
        assert_eq!(code(w.explore.delete_tag(&vera, id, tag).await), Code::Forbidden);
    })
    .await;
}
