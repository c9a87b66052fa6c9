//! SQL Server, from the connection to a dataset, and Azure's kinds as far as the services tell them apart.

use super::datasets::{kinds, measured};
use super::secrets::nowhere;
use super::{new, texts, world};
use crate::refusal;
use limn_domain::datastore::{DatastoreKind, Health, RotateSecrets};
use limn_domain::project::Task;
use limn_services::Actor;
use limn_testkit::on_both;
use limn_testkit::tds::{Answer, Cell, DATABASE, End, Rules, SqlServer, Type, USER};

const PASSWORD: &str = "hunter2-of-the-warehouse";
const OTHER: &str = "hunter3-of-the-warehouse";
const SQL: &str = "SELECT id, big, price, at, fine, name FROM [dbo].[parts] ORDER BY id";

fn rules() -> Rules {
    let number = |n: i128| vec![Cell::Int(0), Cell::Int(0), Cell::Int(n)];
    let rights = Answer {
        columns: ["admin", "owner", "tables"].map(|n| (n, Type::Int(4))).to_vec(),
        rows: vec![number(3)],
        end: End::Well,
    };
    let tables = Answer {
        columns: vec![
            ("schema", Type::NVarChar),
            ("name", Type::NVarChar),
            ("view", Type::Int(4)),
        ],
        rows: vec![vec![Cell::from("dbo"), Cell::from("parts"), Cell::Int(0)]],
        end: End::Well,
    };
    let parts = Answer {
        columns: vec![
            ("id", Type::Int(4)),
            ("big", Type::Int(8)),
            ("price", Type::Decimal(10, 2)),
            ("at", Type::DateTime2(7)),
            ("fine", Type::Bit),
            ("name", Type::NVarChar),
        ],
        rows: (0..120_u32)
            .map(|n| {
                let name = if n % 10 == 0 {
                    Cell::Null
                } else {
                    Cell::Text(format!("part {n} ü"))
                };
                vec![
                    Cell::Int(n.into()),
                    Cell::Int(i128::from(n) * 4_000_000_000),
                    Cell::Int(i128::from(n) * 100 + 10),
                    Cell::Moment(738_944, u64::from(n) * 10_000_000, 0),
                    Cell::Int(i128::from(n % 2)),
                    name,
                ]
            })
            .collect(),
        end: End::Well,
    };
    Rules {
        answers: vec![
            ("IS_SRVROLEMEMBER", rights),
            ("sys.objects", tables),
            ("[dbo].[parts]", parts),
        ],
        ..Rules::new(PASSWORD)
    }
}

#[tokio::test]
async fn a_query_of_sql_server_becomes_a_table_and_its_password_is_nowhere() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let server = SqlServer::start(rules()).await;
        let port = server.port().to_string();
        let settings = [
            ("host", "127.0.0.1"),
            ("port", port.as_str()),
            ("database", DATABASE),
            ("username", USER),
        ];
        let input = new(
            "Warehouse",
            DatastoreKind::SqlServer,
            &settings,
            &[("password", PASSWORD)],
        );
        let mut replies = vec![format!("{input:?}")];
        let store = w.datastores.create(&Actor::System, input).await.unwrap();
        assert_eq!(store.health, Health::Ok);
        assert_eq!(store.secrets, ["password"]);
        assert!(
            store.warnings[0].contains("can write to 3 tables"),
            "{:?}",
            store.warnings
        );
        let tables = w.datastores.tables(&w.manager, store.id).await.unwrap();
        assert_eq!(tables[0].name, "[dbo].[parts]");
        let shown = w.datastores.query(&w.manager, store.id, SQL).await.unwrap();
        assert!(shown.cut && shown.rows.len() == 50);
        let row: Vec<Option<&str>> = shown.rows[1].iter().map(Option::as_deref).collect();
        let wanted = [
            "1",
            "4000000000",
            "1.10",
            "2024-02-29 00:00:01.0000000",
            "1",
            "part 1 ü",
        ];
        assert_eq!(row, wanted.map(Some));
        let table = measured(&w, &store, SQL).await;
        assert_eq!(table["rows"].as_u64(), Some(120), "{table}");
        let names: Vec<String> = kinds(&table).into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["id", "big", "price", "at", "fine", "name"]);
        let usage = w.datastores.usage(&w.manager, store.id).await.unwrap();
        assert_eq!(usage.datasets[0].what, SQL);
        let two = w
            .datastores
            .query(&w.manager, store.id, "SELECT 1 DELETE FROM [dbo].[parts]")
            .await;
        assert!(refusal(two).message.contains("DELETE is not run"));

        // Another password there: the kept one stops working, and is kept until a new one works.
        server.rules().password = OTHER.to_owned();
        let test = w.datastores.test(&Actor::System, store.id).await.unwrap();
        assert!(
            !test.ok && test.message.contains("does not accept"),
            "{}",
            test.message
        );
        replies.push(serde_json::to_string(&test).unwrap());
        let rotate = |password: &str| RotateSecrets {
            secrets: texts(&[("password", password)]),
            settings: texts(&[]),
        };
        let wrong = w
            .datastores
            .rotate(&Actor::System, store.id, rotate("hunter9"))
            .await;
        let wrong = refusal(wrong);
        assert!(wrong.message.contains("does not accept"), "{}", wrong.message);
        replies.push(wrong.message);
        let store = w
            .datastores
            .rotate(&Actor::System, store.id, rotate(OTHER))
            .await
            .unwrap();
        assert_eq!(store.health, Health::Ok);
        replies.push(serde_json::to_string(&store).unwrap());
        for reply in &replies {
            assert!(!reply.contains("hunter"), "{reply}");
        }
        nowhere(&db, &[PASSWORD, OTHER]).await;
    })
    .await;
}

#[tokio::test]
async fn new_kinds_are_checked_field_by_field() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let attempt = async |kind: DatastoreKind, settings: &[(&str, &str)], secrets: &[(&str, &str)]| {
            let input = new("N", kind, settings, secrets);
            refusal(w.datastores.try_new(&Actor::System, &input).await)
        };
        let lake = [
            ("account", "street"),
            ("filesystem", "photos"),
            ("endpoint", "http://10.0.0.1"),
        ];
        let share = [
            ("account", "street"),
            ("share", "photos"),
            ("endpoint", "http://10.0.0.1"),
        ];
        let sql = [("host", "db"), ("database", "d"), ("username", "u")];
        for (e, field) in [
            (
                attempt(DatastoreKind::AzureLake, &lake[..1], &[]).await,
                "settings.filesystem",
            ),
            (
                attempt(DatastoreKind::AzureLake, &lake, &[]).await,
                "secrets.sas_token",
            ),
            (
                attempt(DatastoreKind::AzureLake, &lake, &[("account_key", "no base64!")]).await,
                "secrets.account_key",
            ),
            (
                attempt(DatastoreKind::AzureFiles, &share[..1], &[]).await,
                "settings.share",
            ),
            (
                attempt(DatastoreKind::AzureFiles, &share, &[]).await,
                "secrets.sas_token",
            ),
            (
                attempt(DatastoreKind::AzureFiles, &lake, &[("sas_token", "sig=s")]).await,
                "settings.filesystem",
            ),
            (
                attempt(DatastoreKind::SqlServer, &sql[..1], &[]).await,
                "settings.database",
            ),
            (
                attempt(
                    DatastoreKind::SqlServer,
                    &[sql[1], sql[2], ("host", "db\\X")],
                    &[],
                )
                .await,
                "settings.host",
            ),
            (
                attempt(
                    DatastoreKind::SqlServer,
                    &[sql[0], sql[1], sql[2], ("port", "x")],
                    &[],
                )
                .await,
                "settings.port",
            ),
        ] {
            assert!(e.for_field(field).is_some(), "{field}: {e:?}");
        }
        // What is a matter of the network is an outcome.
        for (kind, settings) in [
            (DatastoreKind::AzureLake, lake),
            (DatastoreKind::AzureFiles, share),
        ] {
            let input = new("N", kind, &settings, &[("sas_token", "sv=1&sig=hunter2")]);
            let outcome = w.datastores.try_new(&Actor::System, &input).await.unwrap();
            assert!(
                !outcome.ok
                    && outcome.message.contains("network.allow")
                    && !outcome.message.contains("hunter"),
                "{}",
                outcome.message
            );
        }
    })
    .await;
}
