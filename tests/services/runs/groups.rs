//! The table of runs by what they were given.

use super::{metrics, scene, search, started};
use crate::code;
use limn_domain::Code;
use limn_domain::filter::Entity;
use limn_domain::run::NewPoint;
use limn_domain::run::table::{Column, GroupCell, Within};
use limn_services::runs::Search;
use limn_testkit::on_both;

#[tokio::test]
async fn runs_are_grouped_by_what_they_were_given() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        // Learning rate, optimizer, loss.
        let runs = [
            (Some("0.1"), "adam", Some(1.0)),
            (Some("0.1"), "sgd", Some(3.0)),
            (Some("1e-3"), "adam", Some(8.0)),
            (Some("1e-3"), "adam", Some(f64::NAN)),
            (None, "adam", None),
        ];
        for (lr, optimizer, loss) in runs {
            let run = started(&s, &ana, experiment).await;
            let points = loss.map(|l| NewPoint::new("loss", 0, 0, l)).into_iter().collect();
            let mut batch = metrics(points);
            batch.params.push(("opt".into(), optimizer.into()));
            batch.params.extend(lr.map(|lr| ("lr".to_owned(), lr.to_owned())));
            s.runs.log(&ana, run, batch).await.unwrap();
        }
        let column = |entity, key: &str| Column {
            entity,
            key: key.into(),
        };
        let (lr, loss, opt) = (
            column(Entity::Param, "lr"),
            column(Entity::Metric, "loss"),
            column(Entity::Param, "opt"),
        );
        let shown = [loss.clone(), opt.clone()];
        let groups = async |filter: &str, order: &[&str]| {
            let q = Search {
                order_by: order.iter().map(|o| (*o).to_owned()).collect(),
                ..search(experiment, filter)
            };
            let (groups, more) = s.runs.groups(&ana, &q, &lr, &shown).await.unwrap();
            assert!(!more);
            groups
        };
        let all = groups("", &[]).await;
        let said: Vec<_> = all.iter().map(|g| (g.value.as_deref(), g.runs)).collect();
        assert_eq!(said, [(Some("1e-3"), 2), (Some("0.1"), 2), (None, 1)]);
        let numbers = |mean, min, max| GroupCell::Numbers { mean, min, max };
        assert_eq!(
            all[0].cells,
            [numbers(8.0, 8.0, 8.0), GroupCell::Text("adam".into())]
        );
        assert_eq!(all[1].cells, [numbers(2.0, 1.0, 3.0), GroupCell::Texts(2)]);
        assert_eq!(all[2].cells, [GroupCell::Nothing, GroupCell::Text("adam".into())]);
        let best = groups("params.opt = 'adam'", &["metrics.loss ASC"]).await;
        let said: Vec<_> = best.iter().map(|g| (g.value.as_deref(), g.runs)).collect();
        assert_eq!(said, [(Some("0.1"), 1), (Some("1e-3"), 2), (None, 1)]);
        // The runs of a group, also of those without.
        for (value, n) in [(Some("0.1".to_owned()), 2), (None, 1), (Some("7".to_owned()), 0)] {
            let within = Some(Within {
                column: lr.clone(),
                value,
            });
            let q = Search {
                within,
                ..search(experiment, "")
            };
            assert_eq!(s.runs.search(&ana, q).await.unwrap().total, Some(n));
        }
        let wrong = s.runs.groups(&ana, &search(experiment, ""), &loss, &shown).await;
        assert_eq!(code(wrong), Code::InvalidInput);
    })
    .await;
}
