//! The items that look like one, as a page shows them.

use super::world::{World, drawn};
use crate::code;
use limn_domain::assist::AssistOrder;
use limn_domain::project::Task;
use limn_domain::{Code, ItemId, Role};
use limn_testkit::{build, on_both};

#[tokio::test]
async fn those_that_look_alike_come_with_their_labels() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(40, 21).await;
        let bytes = drawn(1, 77);
        let one = w.add("One.png", bytes.clone(), 1).await;
        let copy = w.add("copy.PNG", bytes, 1).await;
        let alike = async |item, limit| w.studio.assist.alike(&w.lena, w.project, item, limit).await;
        assert_eq!(code(alike(one, 5).await), Code::WrongState);
        w.turn_on(AssistOrder::Useful).await;
        w.submit(copy, 1).await;
        let found = alike(one, 10).await.unwrap();
        assert_eq!((found.of.item.id, found.of.item.name.as_str()), (one, "One.png"));
        let ids: Vec<ItemId> = found.rows.iter().map(|(row, _)| row.item.id).collect();
        assert_eq!((ids.len(), ids[0]), (10, copy));
        assert!(!ids.contains(&one), "an item is not like itself");
        let (first, how) = &found.rows[0];
        assert_eq!((first.annotations.len(), *how), (1, 1.0));
        assert!(found.rows.windows(2).all(|r| r[0].1 >= r[1].1));
        // The same as scripts are answered.
        let similar = w.studio.assist.similar(&w.lena, one, 10).await.unwrap();
        assert_eq!(similar.iter().map(|s| s.item_id).collect::<Vec<_>>(), ids);

        // Of this project, for those who may see its items.
        let other = build::project(&db, "Other", Task::Classification).await;
        build::member(&db, other, w.lena.user_id().unwrap(), Role::Labeler).await;
        assert_eq!(
            code(w.studio.assist.alike(&w.lena, other, one, 5).await),
            Code::NotFound
        );
        let outsider = w.studio.person("Otto", Role::Manager).await;
        assert_eq!(
            code(w.studio.assist.alike(&outsider, w.project, one, 5).await),
            Code::NotFound
        );
        assert_eq!(code(alike(one, 0).await), Code::InvalidInput);
    })
    .await;
}
