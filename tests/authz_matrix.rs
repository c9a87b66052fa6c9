//! Who may do what, over HTTP: every operation of the API, every server function and every other address with somebody's
//! data, called as everybody. One that is missing from the tables fails the test.

#[path = "authz_matrix/mlflow.rs"]
mod mlflow;
#[path = "authz_matrix/tables.rs"]
mod tables;

use crate::support::{png, text};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use limn_domain::authz::{Action, allowed};
use limn_domain::datastore::{AddSource, DatastoreKind, NewDatastore};
use limn_domain::export::NewExport;
use limn_domain::project::Task;
use limn_domain::token::{NewToken, TokenScope};
use limn_domain::upload::NewUpload;
use limn_domain::user::{Me, NewInvitation, User};
use limn_domain::{ProjectId, Role, UserId};
use limn_services::Actor;
use limn_testkit::{Client, TestApp, app_on_both, build};
use std::collections::{BTreeMap, BTreeSet};
use tables::{API, FUNCTIONS, OTHER};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Anonymous,
    /// A manager of the studio who is no member of the project.
    Outsider,
    /// A member in this role, who has the same role in the studio.
    Member(Role),
    Admin,
    /// A token of the admin's that may only read.
    ReadToken,
    /// A token of the admin's for another project.
    OtherProjectToken,
}

const EVERYBODY: [Who; 9] = [
    Who::Anonymous,
    Who::Outsider,
    Who::ReadToken,
    Who::OtherProjectToken,
    Who::Member(Role::Viewer),
    Who::Member(Role::Labeler),
    Who::Member(Role::Reviewer),
    Who::Member(Role::Manager),
    Who::Admin,
];

/// What a call asks of the caller.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Nothing.
    Public,
    /// To be signed in.
    SignedIn,
    /// To be signed in, with more than a token for reading or for one project.
    Account,
    /// An action of the studio.
    Studio(Action),
    /// An action in the project.
    In(Action),
    /// An action in the dataset.
    InData(Action),
    /// To see the dataset and to log runs.
    Trains,
    /// To be the member who made it (the manager).
    Maker,
    /// To be allowed to import somewhere.
    Importer,
}

use Action as A;
use Rule::{Account, Importer, In, InData, Maker, Public, SignedIn, Studio, Trains};

impl Rule {
    fn allows(self, who: Who) -> bool {
        let role = match who {
            Who::Anonymous => return matches!(self, Public),
            Who::Outsider => Role::Manager,
            Who::Member(role) => role,
            Who::Admin | Who::ReadToken | Who::OtherProjectToken => Role::Admin,
        };
        let reads = |action| matches!(action, A::ViewProject | A::ViewItems | A::ExportData);
        match (self, who) {
            (Public | SignedIn, _) => true,
            (Account, Who::ReadToken | Who::OtherProjectToken) => false,
            (Account, _) => true,
            (Studio(action), Who::ReadToken) => action == A::ViewRuns,
            (Studio(_), Who::OtherProjectToken) => false,
            (Studio(action), _) => allowed(role, action),
            (In(_), Who::Outsider | Who::OtherProjectToken) => false,
            (In(action), Who::ReadToken) => reads(action),
            (In(action), _) => allowed(role, action),
            (InData(_), Who::Outsider | Who::OtherProjectToken) => false,
            (InData(action), Who::ReadToken) => action == A::ViewDataset,
            (Trains, Who::Outsider | Who::OtherProjectToken | Who::ReadToken) => false,
            (Trains, _) => true,
            // The manager is one of the dataset too, the others are its viewers.
            (InData(action), Who::Member(role)) if role != Role::Manager => allowed(Role::Viewer, action),
            (InData(action), _) => allowed(role, action),
            (Maker, _) => who == Who::Member(Role::Manager),
            (Importer, Who::ReadToken) => false,
            (Importer, _) => allowed(role, A::ImportData),
        }
    }

    /// Whether what is asked for may change something that the next one needs as it was. Seeing does not, unless it takes an item in hand.
    fn changes(self, path: &str) -> bool {
        match self {
            Public | SignedIn => false,
            Studio(A::ViewRuns | A::UseDatastores) | InData(A::ViewDataset) => false,
            In(A::ViewProject | A::ViewItems) => path.ends_with("/open"),
            Account | Studio(_) | In(_) | InData(_) | Trains | Maker | Importer => true,
        }
    }
}

/// A project with one of everything, and what the names in braces stand for.
struct Scene {
    names: BTreeMap<&'static str, String>,
}

impl Scene {
    /// Takes the place of the last one, so that nobody runs into a limit.
    async fn new(app: &TestApp, people: &People, number: usize, last: Option<&Self>) -> Self {
        let manager = people.actor(Who::Member(Role::Manager));
        if let Some(last) = last {
            drop(
                app.services
                    .tokens
                    .revoke(&manager, last.names["token_id"].parse().unwrap())
                    .await,
            );
            drop(
                app.services
                    .uploads
                    .delete(&manager, last.names["upload_id"].parse().unwrap())
                    .await,
            );
        }
        let db = app.db.db();
        let project = build::project(&db, &format!("Scene {number}"), Task::Detection).await;
        for role in [Role::Viewer, Role::Labeler, Role::Reviewer, Role::Manager] {
            build::member(&db, project, people.id(Who::Member(role)), role).await;
        }
        build::member(&db, project, people.extra.id, Role::Labeler).await;
        let categories = build::categories(&db, project, &["cat", "dog"]).await;
        let s = &app.services;
        let pixels = futures::stream::iter([Ok::<_, std::io::Error>(png(1))]);
        let added = s.ingest.add(&manager, project, "one.png", pixels).await.unwrap();
        let added = serde_json::to_value(added).unwrap();
        let job = s
            .exports
            .start(&manager, project, NewExport::default())
            .await
            .unwrap();
        let asset = s.assets.add(&manager, project, "help.png", png(2)).await.unwrap();
        let upload = s
            .uploads
            .create(
                &manager,
                NewUpload {
                    name: "a.json".into(),
                    size: 3,
                },
            )
            .await
            .unwrap();
        let token = NewToken {
            name: "t".into(),
            scope: TokenScope::Read,
            project_id: None,
            dataset_id: None,
            expires_in_days: None,
        };
        let token = s.tokens.create(&manager, token).await.unwrap();
        let invitation = NewInvitation {
            email: format!("invited{number}@example.org"),
            role: Role::Viewer,
            project_id: None,
            project_role: None,
        };
        let invitation = s.users.invite(&Actor::System, invitation).await.unwrap();
        let dataset = build::dataset(
            &db,
            &format!("Data {number}"),
            people.id(Who::Member(Role::Manager)),
        )
        .await;
        for role in [Role::Viewer, Role::Labeler, Role::Reviewer] {
            build::dataset_member(&db, dataset, people.id(Who::Member(role)), Role::Viewer).await;
        }
        build::dataset_member(&db, dataset, people.extra.id, Role::Viewer).await;
        let blob = limn_domain::Digest::parse(&text(&added["item"]["digest"])).unwrap();
        let version = build::version(&db, dataset, "one.png", &blob).await;
        let other_version = build::version(&db, dataset, "other.png", &blob).await;
        s.datasets
            .set_alias(&manager, dataset, "production", Some(other_version))
            .await
            .unwrap();
        let view = limn_domain::explore::NewView {
            name: "View".to_owned(),
            ..Default::default()
        };
        let views = s.explore.save_view(&manager, dataset, view).await.unwrap();
        let view = limn_domain::explore::NewView {
            name: "View".to_owned(),
            ..Default::default()
        };
        let item_views = s.explore.save_item_view(&manager, project, view).await.unwrap();
        let (tag, change) = build::file_tag(&db, dataset, "tagged", "one.png").await;
        let export = s
            .exports
            .start_of_version(&manager, version, limn_domain::export::VersionExport::default())
            .await
            .unwrap();
        let tracked = mlflow::tracked(app, &manager, number).await;
        let folder = app.db.dir().join("stores");
        std::fs::write(folder.join("stored.png"), png(1)).unwrap();
        let store = NewDatastore {
            name: format!("Store {number}"),
            kind: DatastoreKind::Folder,
            description: String::new(),
            settings: BTreeMap::from([("path".to_owned(), folder.display().to_string())]),
            secrets: BTreeMap::new(),
        };
        let store = s.datastores.create(&Actor::System, store).await.unwrap();
        let source = AddSource {
            datastore_id: Some(store.id),
            ..AddSource::default()
        };
        let source = s.sources.add(&manager, project, source).await.unwrap();
        let mut names = BTreeMap::from([
            ("datastore_id", store.id.to_string()),
            ("source_id", source.id.to_string()),
            ("store_path", folder.display().to_string()),
            ("dataset_id", dataset.to_string()),
            ("version_id", version.to_string()),
            ("other_version_id", other_version.to_string()),
            ("alias", "production".to_owned()),
            ("slug", "iris".to_owned()),
            ("view_id", views[0].id.to_string()),
            ("item_view_id", item_views[0].id.to_string()),
            ("tag_id", tag.to_string()),
            ("tag_change_id", change.to_string()),
            ("version_job_id", export.id.to_string()),
            ("project_id", project.to_string()),
            ("category_id", categories[0].to_string()),
            ("other_category_id", categories[1].to_string()),
            ("item_id", text(&added["item"]["id"])),
            ("job_id", job.id.to_string()),
            ("asset_id", asset.rsplit('/').next().unwrap().to_owned()),
            ("upload_id", upload.id.to_string()),
            ("token_id", token.token.id.to_string()),
            ("invitation_id", invitation.id.to_string()),
            ("user_id", people.extra.id.to_string()),
            ("unique", format!("unique{number}")),
            ("change_id", limn_domain::ChangeId::new().to_string()),
        ]);
        names.extend(tracked);
        Self { names }
    }

    fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |t, (name, value)| {
            t.replace(&format!("{{{name}}}"), value)
        })
    }
}

struct People {
    users: Vec<(Who, User)>,
    clients: Vec<(Who, Client)>,
    /// Somebody to act upon.
    extra: User,
}

impl People {
    async fn new(app: &TestApp) -> Self {
        let mut users = Vec::new();
        let mut clients = vec![(Who::Anonymous, app.anonymous())];
        for (who, name, role) in [
            (Who::Outsider, "outsider", Role::Manager),
            (Who::Member(Role::Viewer), "viewer", Role::Viewer),
            (Who::Member(Role::Labeler), "labeler", Role::Labeler),
            (Who::Member(Role::Reviewer), "reviewer", Role::Reviewer),
            (Who::Member(Role::Manager), "manager", Role::Manager),
            (Who::Admin, "admin", Role::Admin),
        ] {
            let user = app.user(name, role).await;
            clients.push((who, app.token(&user, TokenScope::Admin).await));
            users.push((who, user));
        }
        let admin = users.last().unwrap().1.clone();
        clients.push((Who::ReadToken, app.token(&admin, TokenScope::Read).await));
        let other: ProjectId = build::project(&app.db.db(), "Another project", Task::Detection).await;
        let token = NewToken {
            name: "o".into(),
            scope: TokenScope::Admin,
            project_id: Some(other),
            dataset_id: None,
            expires_in_days: None,
        };
        let token = app.services.tokens.create(&actor(&admin), token).await.unwrap();
        clients.push((Who::OtherProjectToken, app.bearer(&token.secret)));
        let extra = app.user("extra", Role::Labeler).await;
        Self {
            users,
            clients,
            extra,
        }
    }

    fn user(&self, who: Who) -> &User {
        &self.users.iter().find(|(w, _)| *w == who).unwrap().1
    }

    fn id(&self, who: Who) -> UserId {
        self.user(who).id
    }

    fn actor(&self, who: Who) -> Actor {
        actor(self.user(who))
    }

    fn client(&self, who: Who) -> &Client {
        &self.clients.iter().find(|(w, _)| *w == who).unwrap().1
    }
}

fn actor(user: &User) -> Actor {
    Actor::User(Me {
        id: user.id,
        email: user.email.clone(),
        name: user.name.clone(),
        role: user.role,
    })
}

/// Calls one route as one person; the answer's status, and what is wrong with it.
async fn call(
    client: &Client,
    scene: &Scene,
    who: Who,
    method: &str,
    path: &str,
    rule: Rule,
    body: &str,
) -> (StatusCode, Option<String>) {
    let path = scene.fill(path);
    let request = client.request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
    let request = match body {
        "{png}" => request.body(Body::from(png(3))),
        "{bytes}" => request.header("upload-offset", "0").body(Body::from("abc")),
        "{form}" => request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=B").body(Body::from(
            "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.png\"\r\n\r\nx\r\n--B--\r\n",
        )),
        "" => request.body(Body::empty()),
        json => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(scene.fill(json))),
    };
    let reply = client.send(request.unwrap()).await;
    let refused = matches!(
        reply.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    );
    let right = match (rule.allows(who), who) {
        _ if reply.status.is_server_error() => false,
        // A wrong password or an unknown link is no question of permission.
        (true, _)
            if matches!(reply.status.as_u16(), 401 | 404)
                && !matches!(rule, In(_) | InData(_) | Studio(_) | Trains) =>
        {
            matches!(
                reply.code().as_str(),
                "wrong_credentials" | "not_found" | "link_expired" | "RESOURCE_DOES_NOT_EXIST"
            )
        }
        (true, _) => !refused,
        (false, Who::Anonymous) => reply.status == StatusCode::UNAUTHORIZED,
        (false, Who::Outsider) if matches!(rule, In(_) | InData(_) | Trains) => {
            reply.status == StatusCode::NOT_FOUND
        }
        (false, _) => refused && reply.status != StatusCode::UNAUTHORIZED,
    };
    let wrong = (!right).then(|| {
        let wanted = if rule.allows(who) { "allowed" } else { "refused" };
        let text: String = reply.text().chars().take(160).collect();
        format!(
            "{method} {path} as {who:?} should be {wanted} ({rule:?}), was {}: {text}",
            reply.status
        )
    });
    (reply.status, wrong)
}

async fn check(app: &TestApp, rows: impl Iterator<Item = (String, String, Rule, String)>) {
    let people = People::new(app).await;
    let mut wrong = Vec::new();
    let mut scene = Scene::new(app, &people, 0, None).await;
    let mut number = 0;
    for (method, path, rule, body) in rows {
        // Those who are refused change nothing, so they share a scene; after somebody who did change something there is a fresh one.
        let (may, may_not): (Vec<Who>, Vec<Who>) = EVERYBODY.iter().partition(|w| rule.allows(**w));
        for who in may_not.into_iter().chain(may) {
            let (status, mistake) = call(people.client(who), &scene, who, &method, &path, rule, &body).await;
            wrong.extend(mistake);
            if status.is_success() && method != "GET" && rule.changes(&path) {
                number += 1;
                scene = Scene::new(app, &people, number, Some(&scene)).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn split(row: &str) -> (String, String) {
    let (method, path) = row.split_once(' ').unwrap();
    (method.to_owned(), path.to_owned())
}

#[tokio::test]
async fn every_api_operation_is_in_the_table() {
    let app = TestApp::over(limn_testkit::TestDb::sqlite().await);
    let spec = app.anonymous().get("/api/v1/openapi.json").await.ok().json();
    let mut there = BTreeSet::new();
    for (path, item) in spec["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            there.insert(format!(
                "{} {}",
                method.to_uppercase(),
                path.trim_start_matches("/api/v1")
            ));
        }
    }
    let table: BTreeSet<String> = API
        .iter()
        .map(|(row, _, _)| row.split('?').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        there.difference(&table).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "missing from the table"
    );
    assert_eq!(
        table.difference(&there).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "in the table, but no such operation"
    );
}

#[tokio::test]
async fn every_server_function_is_in_the_table() {
    // Building the application links the functions in.
    drop(TestApp::over(limn_testkit::TestDb::sqlite().await));
    let there: BTreeSet<String> = limn_server::app::server_functions()
        .map(|(path, method)| {
            assert_eq!(
                method,
                Method::POST,
                "{path}: only POST is guarded against other sites"
            );
            path.strip_prefix("/ui/")
                .unwrap_or_else(|| panic!("{path} does not lie below /ui"))
                .to_owned()
        })
        .collect();
    let table: BTreeSet<String> = FUNCTIONS.iter().map(|(path, _, _)| (*path).to_owned()).collect();
    assert_eq!(
        there.difference(&table).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "missing from the table"
    );
    assert_eq!(
        table.difference(&there).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "in the table, but no such function"
    );
}

#[tokio::test]
async fn the_api_as_everybody() {
    app_on_both(async |app: TestApp| {
        let rows = API.iter().map(|(row, rule, body)| {
            let (method, path) = split(row);
            (method, format!("/api/v1{path}"), *rule, (*body).to_owned())
        });
        check(&app, rows).await;
    })
    .await;
}

#[tokio::test]
async fn other_addresses_as_everybody() {
    app_on_both(async |app: TestApp| {
        let rows = OTHER.iter().map(|(row, rule, body)| {
            let (method, path) = split(row);
            (method, path, *rule, (*body).to_owned())
        });
        check(&app, rows).await;
    })
    .await;
}

#[tokio::test]
async fn server_functions_as_everybody() {
    app_on_both(async |app: TestApp| {
        let rows = FUNCTIONS.iter().map(|(path, rule, body)| {
            (
                "POST".to_owned(),
                format!("/ui/{path}"),
                *rule,
                (*body).to_owned(),
            )
        });
        check(&app, rows).await;
    })
    .await;
}

/// Pages for people who have not signed in.
const OPEN_PAGES: [&str; 3] = ["/sign-in", "/setup", "/invite"];

#[tokio::test]
async fn pages_as_everybody() {
    app_on_both(async |app: TestApp| {
        let people = People::new(&app).await;
        let scene = Scene::new(&app, &people, 0, None).await;
        let mut wrong = Vec::new();
        for page in limn_server::app::page_paths(&app.services) {
            let id = if page.starts_with("/jobs") {
                "{job_id}"
            } else if page.starts_with("/datastores") {
                "{datastore_id}"
            } else if page.starts_with("/data") {
                "{dataset_id}"
            } else if page.starts_with("/experiments") {
                "{experiment_id}"
            } else if page.starts_with("/runs") {
                "{run_id}"
            } else {
                "{project_id}"
            };
            let path = scene.fill(&page.replace("{id}", id).replace("{item}", "{item_id}"));
            assert!(
                !path.contains('{'),
                "{page}: say here what its parameters stand for"
            );
            for who in EVERYBODY {
                let client = people.client(who);
                let request = client
                    .request(Method::GET, &path)
                    .header(header::ACCEPT, "text/html");
                let reply = client.send(request.body(Body::empty()).unwrap()).await;
                let html = reply.text();
                let open = OPEN_PAGES.contains(&page.as_str());
                if reply.status.is_server_error() {
                    wrong.push(format!("{path} as {who:?}: {}", reply.status));
                }
                let sent_away =
                    reply.status.is_redirection() && reply.header("location").starts_with("/sign-in");
                if who == Who::Anonymous && !open && !sent_away {
                    wrong.push(format!(
                        "{path} does not send {who:?} to sign in: {}",
                        reply.status
                    ));
                }
                let sees = ["Scene 0", "one.png", "Data 0"]
                    .iter()
                    .any(|secret| html.contains(secret));
                if sees && matches!(who, Who::Anonymous | Who::Outsider | Who::OtherProjectToken) {
                    wrong.push(format!("{path} shows the project to {who:?}"));
                }
                if who == Who::Admin && !open && reply.status != StatusCode::OK {
                    wrong.push(format!("{path} as {who:?}: {}", reply.status));
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    })
    .await;
}
