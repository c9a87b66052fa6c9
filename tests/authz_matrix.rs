//! Who may do what, over HTTP: every operation of the API, every server function and every other address with somebody's
//! data, called as everybody. One that is missing from the tables fails the test.

use crate::support::{png, text};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use limn_domain::authz::{Action, allowed};
use limn_domain::export::NewExport;
use limn_domain::project::Task;
use limn_domain::token::{NewToken, TokenScope};
use limn_domain::upload::NewUpload;
use limn_domain::user::{Me, NewInvitation, User};
use limn_domain::{ProjectId, Role, UserId};
use limn_services::Actor;
use limn_testkit::{Client, TestApp, app_on_both, build};
use std::collections::{BTreeMap, BTreeSet};

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
    /// To be the member who made it (the manager).
    Maker,
    /// To be allowed to import somewhere.
    Importer,
}

use Action as A;
use Rule::{Account, Importer, In, Maker, Public, SignedIn, Studio};

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
            (Studio(_), Who::ReadToken | Who::OtherProjectToken) => false,
            (Studio(action), _) => allowed(role, action),
            (In(_), Who::Outsider | Who::OtherProjectToken) => false,
            (In(action), Who::ReadToken) => reads(action),
            (In(action), _) => allowed(role, action),
            (Maker, _) => who == Who::Member(Role::Manager),
            (Importer, Who::ReadToken) => false,
            (Importer, _) => allowed(role, A::ImportData),
        }
    }
}

/// Method and path below `/api/v1`, rule, body. Names in braces are filled in.
const API: &[(&str, Rule, &str)] = &[
    ("GET /me", SignedIn, ""),
    ("PATCH /me", Account, r#"{"name":"New"}"#),
    (
        "POST /me/password",
        Account,
        r#"{"current":"wrong password","new":"another password"}"#,
    ),
    ("POST /session", Public, r#"{"email":5}"#),
    ("DELETE /session", Public, ""),
    ("GET /users", Studio(A::ManagePeople), ""),
    (
        "POST /users",
        Studio(A::ManagePeople),
        r#"{"email":"{unique}@example.org","name":"N","password":"long enough","role":"viewer"}"#,
    ),
    (
        "PATCH /users/{user_id}",
        Studio(A::ManagePeople),
        r#"{"name":"Renamed"}"#,
    ),
    ("GET /invitations", Studio(A::ManagePeople), ""),
    (
        "POST /invitations",
        Studio(A::ManagePeople),
        r#"{"email":"{unique}@example.org","role":"viewer"}"#,
    ),
    ("DELETE /invitations/{invitation_id}", Studio(A::ManagePeople), ""),
    ("GET /tokens", Account, ""),
    ("POST /tokens", Account, r#"{"name":"t","scope":"read"}"#),
    ("DELETE /tokens/{token_id}", Maker, ""),
    ("GET /projects", SignedIn, ""),
    (
        "POST /projects",
        Studio(A::CreateProject),
        r#"{"name":"{unique}"}"#,
    ),
    ("GET /projects/find?name={project_id}", In(A::ViewProject), ""),
    ("POST /projects/sample", Studio(A::CreateProject), ""),
    ("GET /projects/{project_id}", In(A::ViewProject), ""),
    (
        "PATCH /projects/{project_id}",
        In(A::ManageProject),
        r#"{"description":"d"}"#,
    ),
    ("DELETE /projects/{project_id}", In(A::DeleteProject), ""),
    ("POST /instructions/preview", SignedIn, r##"{"text":"# A"}"##),
    (
        "POST /projects/{project_id}/assets?name=a.png",
        In(A::ManageProject),
        "{png}",
    ),
    ("GET /projects/{project_id}/members", In(A::ViewProject), ""),
    (
        "GET /projects/{project_id}/members/candidates",
        In(A::ManageMembers),
        "",
    ),
    (
        "PUT /projects/{project_id}/members/{user_id}",
        In(A::ManageMembers),
        r#"{"role":"labeler"}"#,
    ),
    (
        "DELETE /projects/{project_id}/members/{user_id}",
        In(A::ManageMembers),
        "",
    ),
    ("GET /projects/{project_id}/categories", In(A::ViewProject), ""),
    (
        "POST /projects/{project_id}/categories",
        In(A::ManageCategories),
        r#"{"name":"{unique}"}"#,
    ),
    (
        "PATCH /categories/{category_id}",
        In(A::ManageCategories),
        r#"{"name":"{unique}"}"#,
    ),
    ("DELETE /categories/{category_id}", In(A::ManageCategories), ""),
    (
        "GET /categories/{category_id}/impact",
        In(A::ManageCategories),
        "",
    ),
    (
        "POST /categories/{category_id}/merge",
        In(A::ManageCategories),
        r#"{"into":"{other_category_id}"}"#,
    ),
    ("GET /projects/{project_id}/items", In(A::ViewItems), ""),
    (
        "POST /projects/{project_id}/items?name={unique}.png",
        In(A::ManageItems),
        "{png}",
    ),
    (
        "POST /projects/{project_id}/items/form",
        In(A::ManageItems),
        "{form}",
    ),
    (
        "POST /projects/{project_id}/items/check",
        In(A::ManageItems),
        r#"{"files":[{"name":"a.png","size":1}]}"#,
    ),
    (
        "POST /projects/{project_id}/items/bulk",
        In(A::ManageItems),
        r#"{"selection":{"ids":["{item_id}"]},"action":"requeue"}"#,
    ),
    ("GET /items/{item_id}", In(A::ViewItems), ""),
    ("GET /items/{item_id}/annotations", In(A::ViewItems), ""),
    (
        "PUT /items/{item_id}/annotations",
        In(A::Label),
        r#"{"change_id":"{change_id}","base_revision":0}"#,
    ),
    ("GET /queue", SignedIn, ""),
    ("GET /projects/{project_id}/queue", In(A::ViewProject), ""),
    (
        "POST /projects/{project_id}/queue/take",
        In(A::Label),
        r#"{"count":1}"#,
    ),
    (
        "POST /projects/{project_id}/queue/heartbeat",
        In(A::Label),
        r#"{"items":["{item_id}"]}"#,
    ),
    (
        "POST /projects/{project_id}/queue/release",
        In(A::Label),
        r#"{"items":["{item_id}"]}"#,
    ),
    ("GET /projects/{project_id}/queue/history", In(A::ViewItems), ""),
    ("POST /items/{item_id}/open", In(A::ViewItems), ""),
    ("POST /items/{item_id}/submit", In(A::Label), r#"{"revision":0}"#),
    (
        "POST /items/{item_id}/skip",
        In(A::Label),
        r#"{"reason":"blurred"}"#,
    ),
    ("POST /uploads", Importer, r#"{"name":"a.zip","size":3}"#),
    ("GET /uploads/{upload_id}", Maker, ""),
    ("PATCH /uploads/{upload_id}", Maker, "{bytes}"),
    ("DELETE /uploads/{upload_id}", Maker, ""),
    (
        "POST /projects/{project_id}/imports",
        In(A::ImportData),
        r#"{"format":"coco","uploads":["{upload_id}"]}"#,
    ),
    ("POST /projects/{project_id}/exports", In(A::ExportData), "{}"),
    ("GET /exports/{job_id}/file", In(A::ExportData), ""),
    ("GET /jobs", SignedIn, ""),
    ("GET /jobs/{job_id}", In(A::ViewProject), ""),
    ("GET /jobs/{job_id}/log", In(A::ViewProject), ""),
    ("POST /jobs/{job_id}/cancel", In(A::ManageProject), ""),
    ("POST /jobs/{job_id}/retry", In(A::ManageProject), ""),
    ("GET /activities", SignedIn, ""),
    ("GET /search?text=a", SignedIn, ""),
];

/// Addresses beside the API that give out somebody's data.
const OTHER: &[(&str, Rule, &str)] = &[
    ("GET /media/items/{item_id}/thumb", In(A::ViewItems), ""),
    ("GET /media/items/{item_id}/screen", In(A::ViewItems), ""),
    ("GET /media/items/{item_id}/full", In(A::ViewItems), ""),
    ("GET /media/items/{item_id}/original", In(A::ViewItems), ""),
    ("GET /media/assets/{asset_id}", In(A::ViewProject), ""),
    (
        "GET /api/v1/activities?project_id={project_id}",
        In(A::ViewProject),
        "",
    ),
    ("GET /api/v1/jobs?project_id={project_id}", In(A::ViewProject), ""),
    ("GET /metrics", Studio(A::SeeServer), ""),
    ("GET /healthz", Public, ""),
    ("GET /readyz", Public, ""),
    ("GET /api/docs", Public, ""),
    ("GET /api/docs/style.css", Public, ""),
    ("GET /api/v1/openapi.json", Public, ""),
];

/// Server functions: path below `/ui`, rule, arguments.
const FUNCTIONS: &[(&str, Rule, &str)] = &[
    (
        "account/create_token",
        Account,
        r#"{"input":{"name":"t","scope":"read"}}"#,
    ),
    (
        "account/password",
        Account,
        r#"{"input":{"current":"wrong password","new":"another password"}}"#,
    ),
    ("account/projects", SignedIn, "{}"),
    ("account/rename", Account, r#"{"name":"New"}"#),
    ("account/revoke_token", Maker, r#"{"token":"{token_id}"}"#),
    ("account/tokens", Account, "{}"),
    (
        "annotation/save",
        In(A::Label),
        r#"{"item":"{item_id}","change":{"change_id":"{change_id}","base_revision":0}}"#,
    ),
    (
        "auth/accept_invitation",
        Public,
        r#"{"secret":"none","user":{"email":"x@example.org","name":"X","password":"long enough"}}"#,
    ),
    ("auth/invitation", Public, r#"{"secret":"none"}"#),
    ("auth/needs_setup", Public, "{}"),
    (
        "auth/set_up",
        Public,
        r#"{"secret":"none","user":{"email":"x@example.org","name":"X","password":"long enough"}}"#,
    ),
    ("auth/sign_in", Public, r#"{"input":{"email":5}}"#),
    (
        "category/create",
        In(A::ManageCategories),
        r#"{"project":"{project_id}","input":{"name":"{unique}"}}"#,
    ),
    (
        "category/impact",
        In(A::ManageCategories),
        r#"{"category":"{category_id}"}"#,
    ),
    (
        "category/list",
        In(A::ViewProject),
        r#"{"project":"{project_id}"}"#,
    ),
    (
        "category/merge",
        In(A::ManageCategories),
        r#"{"category":"{category_id}","into":"{other_category_id}"}"#,
    ),
    (
        "category/remove",
        In(A::ManageCategories),
        r#"{"category":"{category_id}"}"#,
    ),
    (
        "category/update",
        In(A::ManageCategories),
        r#"{"category":"{category_id}","input":{"name":"{unique}"}}"#,
    ),
    (
        "export/start",
        In(A::ExportData),
        r#"{"project":"{project_id}","input":{}}"#,
    ),
    ("home/activity", SignedIn, "{}"),
    ("home/projects", SignedIn, "{}"),
    ("home/queue", SignedIn, "{}"),
    ("home/sample", Studio(A::CreateProject), "{}"),
    (
        "import/start",
        In(A::ImportData),
        r#"{"project":"{project_id}","input":{"format":"coco","uploads":["{upload_id}"]}}"#,
    ),
    (
        "item/bulk",
        In(A::ManageItems),
        r#"{"project":"{project_id}","selection":{"ids":["{item_id}"]},"action":"requeue"}"#,
    ),
    (
        "item/check",
        In(A::ManageItems),
        r#"{"project":"{project_id}","files":{"files":[{"name":"a.png","size":1}]}}"#,
    ),
    (
        "item/list",
        In(A::ViewItems),
        r#"{"project":"{project_id}","query":{}}"#,
    ),
    ("job/get", In(A::ViewProject), r#"{"job":"{job_id}"}"#),
    ("job/list", SignedIn, r#"{"cursor":null}"#),
    ("job/log", In(A::ViewProject), r#"{"job":"{job_id}","after":0}"#),
    ("job/retry", In(A::ManageProject), r#"{"job":"{job_id}"}"#),
    (
        "label/categories",
        In(A::ViewProject),
        r#"{"project":"{project_id}"}"#,
    ),
    (
        "label/project",
        In(A::ViewProject),
        r#"{"project":"{project_id}"}"#,
    ),
    (
        "member/candidates",
        In(A::ManageMembers),
        r#"{"project":"{project_id}"}"#,
    ),
    ("member/list", In(A::ViewProject), r#"{"project":"{project_id}"}"#),
    (
        "member/remove",
        In(A::ManageMembers),
        r#"{"project":"{project_id}","user":"{user_id}"}"#,
    ),
    (
        "member/set",
        In(A::ManageMembers),
        r#"{"project":"{project_id}","user":"{user_id}","role":"labeler"}"#,
    ),
    ("people/invitations", Studio(A::ManagePeople), "{}"),
    (
        "people/invite",
        Studio(A::ManagePeople),
        r#"{"input":{"email":"{unique}@example.org","role":"viewer"}}"#,
    ),
    ("people/list", Studio(A::ManagePeople), "{}"),
    (
        "people/revoke_invitation",
        Studio(A::ManagePeople),
        r#"{"invitation":"{invitation_id}"}"#,
    ),
    (
        "people/update",
        Studio(A::ManagePeople),
        r#"{"user":"{user_id}","input":{"name":"Renamed"}}"#,
    ),
    (
        "project/activity",
        In(A::ViewProject),
        r#"{"project":"{project_id}","limit":10}"#,
    ),
    (
        "project/create",
        Studio(A::CreateProject),
        r#"{"input":{"name":"{unique}"}}"#,
    ),
    (
        "project/delete",
        In(A::DeleteProject),
        r#"{"project":"{project_id}"}"#,
    ),
    ("project/get", In(A::ViewProject), r#"{"project":"{project_id}"}"#),
    ("project/job", In(A::ViewProject), r#"{"job":"{job_id}"}"#),
    ("project/list", SignedIn, "{}"),
    ("project/render_markdown", SignedIn, r##"{"text":"# A"}"##),
    ("project/sample", Studio(A::CreateProject), "{}"),
    (
        "project/update",
        In(A::ManageProject),
        r#"{"project":"{project_id}","input":{"description":"d"}}"#,
    ),
    ("pulse/cancel", In(A::ManageProject), r#"{"job":"{job_id}"}"#),
    ("pulse/job", In(A::ViewProject), r#"{"job":"{job_id}"}"#),
    ("pulse/jobs", SignedIn, "{}"),
    ("pulse/queue", SignedIn, "{}"),
    (
        "queue/heartbeat",
        In(A::Label),
        r#"{"project":"{project_id}","items":["{item_id}"]}"#,
    ),
    (
        "queue/history",
        In(A::ViewItems),
        r#"{"project":"{project_id}","cursor":null}"#,
    ),
    ("queue/mine", SignedIn, "{}"),
    (
        "queue/my_history",
        In(A::ViewItems),
        r#"{"project":"{project_id}","cursor":null}"#,
    ),
    ("queue/open", In(A::ViewItems), r#"{"item":"{item_id}"}"#),
    (
        "queue/release",
        In(A::Label),
        r#"{"project":"{project_id}","items":["{item_id}"]}"#,
    ),
    (
        "queue/skip",
        In(A::Label),
        r#"{"item":"{item_id}","skip":{"reason":"blurred"}}"#,
    ),
    ("queue/state", In(A::ViewProject), r#"{"project":"{project_id}"}"#),
    (
        "queue/submit",
        In(A::Label),
        r#"{"item":"{item_id}","submit":{"revision":0}}"#,
    ),
    (
        "queue/take",
        In(A::Label),
        r#"{"project":"{project_id}","count":1}"#,
    ),
    ("shell/search", SignedIn, r#"{"text":"a"}"#),
    ("shell/sign_in_again", Public, r#"{"input":{"email":5}}"#),
    ("shell/sign_out", Public, "{}"),
];

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
        let names = BTreeMap::from([
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

/// Calls one route as one person and says what is wrong with the answer.
async fn call(
    client: &Client,
    scene: &Scene,
    who: Who,
    method: &str,
    path: &str,
    rule: Rule,
    body: &str,
) -> Option<String> {
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
        (true, _) if matches!(reply.status.as_u16(), 401 | 404) && !matches!(rule, In(_) | Studio(_)) => {
            matches!(
                reply.code().as_str(),
                "wrong_credentials" | "not_found" | "link_expired"
            )
        }
        (true, _) => !refused,
        (false, Who::Anonymous) => reply.status == StatusCode::UNAUTHORIZED,
        (false, Who::Outsider) if matches!(rule, In(_)) => reply.status == StatusCode::NOT_FOUND,
        (false, _) => refused && reply.status != StatusCode::UNAUTHORIZED,
    };
    (!right).then(|| {
        let wanted = if rule.allows(who) { "allowed" } else { "refused" };
        let text: String = reply.text().chars().take(160).collect();
        format!(
            "{method} {path} as {who:?} should be {wanted} ({rule:?}), was {}: {text}",
            reply.status
        )
    })
}

async fn check(app: &TestApp, rows: impl Iterator<Item = (String, String, Rule, String)>) {
    let people = People::new(app).await;
    let mut wrong = Vec::new();
    let mut scene = Scene::new(app, &people, 0, None).await;
    let mut number = 0;
    for (method, path, rule, body) in rows {
        // Those who are refused change nothing, so they share a scene; whoever may change something gets a fresh one.
        let (may, may_not): (Vec<Who>, Vec<Who>) = EVERYBODY.iter().partition(|w| rule.allows(**w));
        for who in may_not.into_iter().chain(may) {
            wrong.extend(call(people.client(who), &scene, who, &method, &path, rule, &body).await);
            if rule.allows(who) && method != "GET" && !matches!(rule, Public | SignedIn) {
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
                let sees = ["Scene 0", "one.png"].iter().any(|secret| html.contains(secret));
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
