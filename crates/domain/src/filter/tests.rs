use super::*;

fn one(filter: &str) -> Clause {
    let mut all = RUNS.parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}"));
    assert_eq!(all.len(), 1, "{filter}");
    all.remove(0)
}

fn clause(entity: Entity, key: &str, op: Op, value: Value) -> Clause {
    Clause {
        entity,
        key: key.to_owned(),
        op,
        value,
    }
}

fn text(t: &str) -> Value {
    Value::Text(t.to_owned())
}

#[test]
fn what_clients_write() {
    use Entity::{Attribute, Dataset, Metric, Param, Tag};
    for (filter, wanted) in [
        (
            "metrics.loss < 1",
            clause(Metric, "loss", Op::Lt, Value::Whole(1)),
        ),
        (
            "metric.`val loss` >= -1.5e-3",
            clause(Metric, "val loss", Op::Ge, Value::Number(-1.5e-3)),
        ),
        (
            "metrics.val/loss != .5",
            clause(Metric, "val/loss", Op::Ne, Value::Number(0.5)),
        ),
        ("params.lr = '0.1'", clause(Param, "lr", Op::Eq, text("0.1"))),
        (
            "param.\"a.b\" LIKE \"x%\"",
            clause(Param, "a.b", Op::Like, text("x%")),
        ),
        (
            "tags.mlflow.source.name ilike 'A_'",
            clause(Tag, "mlflow.source.name", Op::Ilike, text("A_")),
        ),
        (
            "tag.`mlflow.prompt.is_prompt` != 'true'",
            clause(Tag, "mlflow.prompt.is_prompt", Op::Ne, text("true")),
        ),
        ("tags.a IS NULL", clause(Tag, "a", Op::IsNull, Value::None)),
        ("tags.a is not null", clause(Tag, "a", Op::IsNotNull, Value::None)),
        (
            "status = 'FINISHED'",
            clause(Attribute, "status", Op::Eq, text("FINISHED")),
        ),
        (
            "attributes.start_time > 1795461180202",
            clause(Attribute, "start_time", Op::Gt, Value::Whole(1795461180202)),
        ),
        (
            "created>1",
            clause(Attribute, "start_time", Op::Gt, Value::Whole(1)),
        ),
        (
            "`Run name` = 'it''s'",
            clause(Attribute, "run_name", Op::Eq, text("it's")),
        ),
        (
            "run_id IN ('a','b')",
            clause(
                Attribute,
                "run_id",
                Op::In,
                Value::List(vec!["a".into(), "b".into()]),
            ),
        ),
        (
            "run_id NOT IN ('a')",
            clause(Attribute, "run_id", Op::NotIn, Value::List(vec!["a".into()])),
        ),
        ("dataset.name = 'd'", clause(Dataset, "name", Op::Eq, text("d"))),
    ] {
        assert_eq!(one(filter), wanted, "{filter}");
    }
    let all = RUNS
        .parse("metrics.loss < 1 and params.lr = '0.1' AND tags.t='and'")
        .unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(RUNS.parse(""), Ok(vec![]));
    assert_eq!(RUNS.parse("  "), Ok(vec![]));
}

#[test]
fn models_are_also_searched_by_their_versions() {
    let read = |filter: &str| MODELS.parse(filter);
    assert_eq!(
        read("version_tags.task = 'detection' AND alias ILIKE 'prod%' and version_tag.`a b` IS NULL"),
        Ok(vec![
            clause(Entity::VersionTag, "task", Op::Eq, text("detection")),
            clause(Entity::Attribute, "alias", Op::Ilike, text("prod%")),
            clause(Entity::VersionTag, "a b", Op::IsNull, Value::None),
        ])
    );
    assert!(
        read("version_tags.task < 'a'")
            .unwrap_err()
            .contains("IS NOT NULL")
    );
    // Runs have no versions.
    assert!(RUNS.parse("version_tags.task = 'a'").is_err());
    // What people type without knowing the grammar is none.
    for words in ["digits", "team:vision", "alias:production", "name"] {
        assert!(read(words).is_err(), "{words}");
    }
}

#[test]
fn refusals_say_what_was_expected() {
    for (filter, says) in [
        (
            "metrics.loss < 'a'",
            "a number without quotes at `'a'` (character 16)",
        ),
        ("metrics.loss LIKE 'a'", "does not work with the metric `loss`"),
        ("params.lr = 0.1", "a text in quotes"),
        ("params.lr < '1'", "=, !=, LIKE"),
        ("loss < 1", "no attribute `loss`"),
        ("thing.a = 'b'", "`thing.` is not known here"),
        ("metrics.a < 1 OR metrics.b < 1", "OR is not known"),
        ("metrics.a < 1 metrics.b < 1", "needs AND"),
        ("metrics.a", "ends where a comparison"),
        ("metrics.a <", "ends where a number"),
        ("metrics.a < 1 and", "ends where a name"),
        ("metrics.`a < 1", "is not closed"),
        ("params.a = 'b", "is not closed"),
        ("metrics. < 1", "back quotes"),
        ("run_id IN ()", "text in quotes"),
        ("run_id IN 'a'", "a list such as"),
        ("metrics.a ! 1", "no comparison"),
        ("metrics.a < 1e999", "not a number"),
        ("dataset.size = '1'", "no `size`"),
        ("; DROP TABLE run", "back quotes"),
        ("ä = 'b'", "no attribute `ä`"),
    ] {
        let e = RUNS.parse(filter).expect_err(filter);
        assert!(e.contains(says), "{filter}: {e}");
    }
    assert!(RUNS.parse(&"x".repeat(MAX + 1)).is_err());
    assert!(RUNS.parse(&vec!["metrics.a < 1"; 51].join(" and ")).is_err());
}

#[test]
fn sorting() {
    let sort = |s: &str| RUNS.sort(s);
    assert_eq!(
        sort("metrics.`a b` DESC"),
        Ok(Sort {
            entity: Entity::Metric,
            key: "a b".into(),
            ascending: false
        })
    );
    assert_eq!(sort("start_time").map(|s| s.ascending), Ok(true));
    assert_eq!(
        sort("attribute.end_time asc").map(|s| s.key),
        Ok("end_time".into())
    );
    for bad in ["", "metrics.a DOWN", "metrics.a ASC 1", "dataset.name", "nothing"] {
        assert!(sort(bad).is_err(), "{bad}");
    }
}

#[test]
fn patterns() {
    for (text, pattern, yes) in [
        ("abc", "a%", true),
        ("abc", "%c", true),
        ("abc", "%b%", true),
        ("abc", "a_c", true),
        ("abc", "A%", false),
        ("abc", "_", false),
        ("", "%", true),
        ("aaab", "%a%b", true),
        ("aaa", "%b", false),
        ("ä", "_", true),
    ] {
        assert_eq!(like(text, pattern), yes, "{text} {pattern}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics(filter in ".{0,60}") {
        drop(RUNS.parse(&filter));
        drop(RUNS.sort(&filter));
    }
}
