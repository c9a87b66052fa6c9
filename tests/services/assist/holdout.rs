//! The holdout: people come to its pictures, however many others are proposed.

use super::world::World;
use limn_domain::assist::{AssistOrder, UpdateAssist};
use limn_domain::item::Item;
use limn_domain::project::Task;
use limn_domain::{Digest, ItemId};
use limn_testkit::on_both;

/// The share of the content's hash that is kept for measuring.
fn is_holdout(digest: &Digest) -> bool {
    u64::from_str_radix(&digest.as_str()[..12], 16).unwrap() % 100 < 20
}

/// `h`: of the holdout and without a proposal, `p`: proposed, `m`: neither.
fn kinds(items: &[Item]) -> String {
    let kind = |i: &Item| match (is_holdout(&i.digest), i.prelabel_count > 0) {
        (true, false) => 'h',
        (false, true) => 'p',
        (false, false) => 'm',
        (true, true) => '!',
    };
    items.iter().map(kind).collect()
}

#[tokio::test]
async fn people_come_to_the_holdout_however_much_is_proposed() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(160, 8).await;
        w.turn_on(AssistOrder::Useful).await;
        // Fifty labels of which none measures anything: somebody has only ever confirmed what was proposed.
        let taken = w.studio.queue.take(&w.lena, w.project, 100).await.unwrap();
        let items = taken.items.into_iter().map(|t| t.item);
        let (held, others): (Vec<Item>, Vec<Item>) = items.partition(|i| is_holdout(&i.digest));
        let (done, left) = others.split_at(50);
        for item in done {
            w.submit(item.id, w.truth[&item.id]).await;
        }
        let back: Vec<ItemId> = held.iter().chain(left).map(|i| i.id).collect();
        w.studio.queue.release(&w.lena, w.project, back).await.unwrap();
        let ready = w.train().await;
        assert_eq!(ready.model.expect("a model").figures.holdout, 0);
        assert!(ready.items.prelabeled >= 20, "{:?}", ready.items);

        // A fifth of what is labeled is lacking, and comes first whatever the order of the others; then proposals, to be accepted by the page.
        for order in [AssistOrder::Useful, AssistOrder::Clusters, AssistOrder::Random] {
            if order != AssistOrder::Useful {
                w.change(UpdateAssist {
                    order: Some(order),
                    ..UpdateAssist::default()
                })
                .await;
                w.run().await;
            }
            let next = kinds(&w.next(20).await);
            assert_eq!(next, "hhhhhhhhhhpppppppppp", "{order:?}");
        }

        // Who goes on measures it: ten by hand, twenty confirmed, and so the fifth of the next ones is six.
        let taken = w.studio.queue.take(&w.lena, w.project, 30).await.unwrap().items;
        for (n, work) in taken.iter().enumerate() {
            if n < 10 {
                w.submit(work.item.id, w.truth[&work.item.id]).await;
            } else {
                w.accept(work.item.id).await;
            }
        }
        let again = w.train().await;
        assert_eq!(again.model.expect("a model").figures.holdout, 10);
        let next = kinds(&w.next(7).await);
        assert_eq!(next, "hhhhhhp");
    })
    .await;
}
