//! user, session, throttle, setting, token, invitation.

use limn_domain::token::{Token, TokenScope};
use limn_domain::user::Invitation;
use limn_domain::{InvitationId, ProjectId, Role, TokenId, UserId};
use limn_store::repo::{invitation, session, setting, throttle, token, user};
use limn_store::{Db, StoreError, Tx};
use limn_testkit::build::{self, START};
use limn_testkit::on_both;
use serde_json::json;

/// A unit of work in one line.
macro_rules! write {
    ($db:expr, $tx:ident => $body:expr) => {
        $db.write::<_, limn_store::StoreError, _>(move |$tx| Box::pin(async move { $body }))
            .await
    };
}
pub(crate) use write;

pub(crate) async fn read(db: &Db) -> Tx {
    db.read().await.unwrap()
}

fn ana() -> user::NewRow {
    user::NewRow {
        id: UserId::new(),
        email: "ana@example.org".into(),
        name: "Ana <b>".into(),
        role: Role::Admin,
        password_hash: "hash".into(),
    }
}

#[tokio::test]
async fn people_come_and_change() {
    on_both(async |db| {
        let row = ana();
        let id = row.id;
        assert!(!user::any(&mut read(&db).await).await.unwrap());
        let again = user::NewRow {
            id: UserId::new(),
            ..row.clone()
        };
        write!(db, tx => user::insert(tx, &row, START).await).unwrap();
        assert!(user::any(&mut read(&db).await).await.unwrap());
        let taken = write!(db, tx => user::insert(tx, &again, START).await);
        assert!(matches!(taken, Err(StoreError::Unique(_))), "{taken:?}");

        let found = user::get(&mut read(&db).await, id).await.unwrap().unwrap();
        assert_eq!(
            (found.name.as_str(), found.role, found.disabled),
            ("Ana <b>", Role::Admin, false)
        );
        assert_eq!(
            user::by_email(&mut read(&db).await, "ana@example.org")
                .await
                .unwrap()
                .as_ref(),
            Some(&found)
        );
        assert_eq!(
            user::by_email(&mut read(&db).await, "bo@example.org")
                .await
                .unwrap(),
            None
        );
        assert_eq!(
            user::get(&mut read(&db).await, UserId::new()).await.unwrap(),
            None
        );
        assert_eq!(user::list(&mut read(&db).await).await.unwrap(), [found]);

        let known = user::credentials_by_email(&mut read(&db).await, "ana@example.org")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (known.password_hash.as_deref(), known.epoch, known.disabled),
            (Some("hash"), 0, false)
        );
        let epoch = write!(db, tx => user::set_password(tx, id, Some("other"), "new").await).unwrap();
        assert_eq!(epoch, None, "the password was not that one");
        let epoch = write!(db, tx => user::set_password(tx, id, Some("hash"), "new").await).unwrap();
        assert_eq!(epoch, Some(1));
        assert_eq!(
            write!(db, tx => user::set_password(tx, id, None, "newer").await).unwrap(),
            Some(2)
        );
        let known = user::credentials(&mut read(&db).await, id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((known.password_hash.as_deref(), known.epoch), (Some("newer"), 2));

        assert_eq!(write!(db, tx => user::lock_admins(tx).await).unwrap(), [id]);
        write!(db, tx => user::set_name(tx, id, "Ana").await).unwrap();
        write!(db, tx => user::set_last_seen(tx, id, START.plus_seconds(5)).await).unwrap();
        write!(db, tx => user::raise_epoch(tx, id).await).unwrap();
        let standing = user::standing(&mut read(&db).await, id).await.unwrap().unwrap();
        assert_eq!(
            (standing.me.name.as_str(), standing.epoch, standing.disabled),
            ("Ana", 3, false)
        );
        assert_eq!(standing.last_seen_at, Some(START.plus_seconds(5)));
        write!(db, tx => user::update(tx, id, "Anna", Role::Viewer, Some(START)).await).unwrap();
        let standing = user::standing(&mut read(&db).await, id).await.unwrap().unwrap();
        assert_eq!((standing.me.role, standing.disabled), (Role::Viewer, true));
        assert!(
            user::standing(&mut read(&db).await, UserId::new())
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(write!(db, tx => user::lock_admins(tx).await).unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn sessions_end() {
    on_both(async |db| {
        let user = build::user(&db, "Ana", Role::Viewer).await;
        let user_id = Some(user);
        let fresh = session::Session {
            user_id: None,
            data: json!({}),
            expires_at: START.plus_seconds(60),
        };
        let row = fresh.clone();
        assert!(write!(db, tx => session::insert(tx, "a", &row).await).unwrap());
        let row = fresh.clone();
        assert!(
            !write!(db, tx => session::insert(tx, "a", &row).await).unwrap(),
            "the id is taken"
        );
        let signed_in = session::Session {
            user_id,
            data: json!({"user_id": user_id, "n": 1}),
            ..fresh.clone()
        };
        for id in ["a", "b"] {
            let row = signed_in.clone();
            write!(db, tx => session::put(tx, id, &row).await).unwrap();
        }
        let row = fresh.clone();
        write!(db, tx => session::put(tx, "c", &row).await).unwrap();
        let at = async |id: &str, seconds| {
            session::get(&mut read(&db).await, id, START.plus_seconds(seconds))
                .await
                .unwrap()
        };
        assert_eq!(at("a", 59).await, Some(signed_in));
        assert_eq!(at("a", 60).await, None, "it has ended");
        assert_eq!(
            write!(db, tx => session::delete_of_user(tx, user).await).unwrap(),
            2
        );
        assert_eq!((at("a", 0).await, at("c", 0).await), (None, Some(fresh)));
        assert_eq!(
            write!(db, tx => session::delete_expired(tx, START.plus_seconds(59)).await).unwrap(),
            0
        );
        assert_eq!(
            write!(db, tx => session::delete_expired(tx, START.plus_seconds(60)).await).unwrap(),
            1
        );
        write!(db, tx => session::delete(tx, "c").await).unwrap();
    })
    .await;
}

#[tokio::test]
async fn failures_add_up_and_are_forgotten() {
    on_both(async |db| {
        assert_eq!(throttle::get(&mut read(&db).await, "x").await.unwrap(), None);
        for n in 1..=3 {
            let now = START.plus_seconds(n);
            assert_eq!(
                write!(db, tx => throttle::fail(tx, "x", now, START).await).unwrap(),
                n
            );
        }
        write!(db, tx => throttle::block(tx, "x", START.plus_seconds(9)).await).unwrap();
        let held = throttle::get(&mut read(&db).await, "x").await.unwrap().unwrap();
        assert_eq!(
            (held.count, held.blocked_until, held.last_at),
            (3, START.plus_seconds(9), START.plus_seconds(3))
        );
        let later = START.plus_seconds(100);
        assert_eq!(
            write!(db, tx => throttle::fail(tx, "x", later, later).await).unwrap(),
            1,
            "the old ones are forgotten"
        );
        write!(db, tx => throttle::fail(tx, "y", START, START).await).unwrap();
        write!(db, tx => throttle::delete_before(tx, later).await).unwrap();
        assert_eq!(throttle::get(&mut read(&db).await, "y").await.unwrap(), None);
        write!(db, tx => throttle::clear(tx, "x").await).unwrap();
        assert_eq!(throttle::get(&mut read(&db).await, "x").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_setting_is_taken_once() {
    on_both(async |db| {
        assert_eq!(setting::get(&mut read(&db).await, "k").await.unwrap(), None);
        for value in [json!({"a": 1}), json!("text")] {
            let put = value.clone();
            write!(db, tx => setting::put(tx, "k", &put).await).unwrap();
            assert_eq!(
                setting::get(&mut read(&db).await, "k").await.unwrap(),
                Some(value)
            );
        }
        assert!(write!(db, tx => setting::take(tx, "k").await).unwrap());
        assert!(!write!(db, tx => setting::take(tx, "k").await).unwrap());
    })
    .await;
}

fn new_token(project_id: Option<ProjectId>, name: &str) -> Token {
    Token {
        id: TokenId::new(),
        name: name.into(),
        prefix: "limn_abc".into(),
        scope: TokenScope::Write,
        project_id,
        dataset_id: None,
        created_at: START,
        expires_at: Some(START.plus_seconds(60)),
        last_used_at: None,
    }
}

#[tokio::test]
async fn tokens_are_presented_by_digest() {
    on_both(async |db| {
        let ana = build::user(&db, "Ana", Role::Manager).await;
        let bo = build::user(&db, "Bo", Role::Viewer).await;
        let project = build::project(&db, "P", limn_domain::project::Task::Detection).await;
        let made = new_token(Some(project), "ci");
        let row = made.clone();
        write!(db, tx => token::insert(tx, ana, &row, "digest").await).unwrap();
        let row = new_token(None, "other");
        let clash = write!(db, tx => token::insert(tx, ana, &row, "digest").await);
        assert!(matches!(clash, Err(StoreError::Unique(_))));
        assert_eq!(
            token::list(&mut read(&db).await, ana).await.unwrap(),
            std::slice::from_ref(&made)
        );
        assert_eq!(token::list(&mut read(&db).await, bo).await.unwrap(), []);

        assert!(
            token::present(&mut read(&db).await, "unknown")
                .await
                .unwrap()
                .is_none()
        );
        let shown = token::present(&mut read(&db).await, "digest")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (shown.token_id, shown.owner.id, shown.owner.role),
            (made.id, ana, Role::Manager)
        );
        assert_eq!(
            (shown.project_id, shown.expires_at, shown.owner_disabled),
            (Some(project), made.expires_at, false)
        );
        let id = made.id;
        write!(db, tx => token::set_last_used(tx, id, START).await).unwrap();
        let shown = token::present(&mut read(&db).await, "digest")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(shown.last_used_at, Some(START));

        assert_eq!(
            write!(db, tx => token::delete(tx, bo, id).await).unwrap(),
            None,
            "not Bo's"
        );
        assert_eq!(
            write!(db, tx => token::delete(tx, ana, id).await)
                .unwrap()
                .as_deref(),
            Some("ci")
        );
        for n in ["a", "b"] {
            let row = new_token(None, n);
            write!(db, tx => token::insert(tx, ana, &row, n).await).unwrap();
        }
        assert_eq!(write!(db, tx => token::delete_of_user(tx, ana).await).unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn invitations_are_accepted_once() {
    on_both(async |db| {
        let made = Invitation {
            id: InvitationId::new(),
            email: "bo@example.org".into(),
            role: Role::Labeler,
            project_id: None,
            project_role: None,
            created_at: START,
            expires_at: START.plus_seconds(60),
            link: None,
        };
        let row = made.clone();
        write!(db, tx => invitation::insert(tx, &row, "digest", None).await).unwrap();
        assert_eq!(
            invitation::list_open(&mut read(&db).await).await.unwrap(),
            std::slice::from_ref(&made)
        );
        let open = async |secret: &str, seconds| {
            invitation::open_by_secret(&mut read(&db).await, secret, START.plus_seconds(seconds))
                .await
                .unwrap()
        };
        assert_eq!(open("digest", 59).await.as_ref(), Some(&made));
        assert_eq!(open("digest", 60).await, None, "it has expired");
        assert_eq!(open("other", 0).await, None);
        let id = made.id;
        assert!(write!(db, tx => invitation::accept(tx, id, START).await).unwrap());
        assert!(!write!(db, tx => invitation::accept(tx, id, START).await).unwrap());
        assert_eq!(open("digest", 0).await, None, "it was used");
        assert_eq!(
            write!(db, tx => invitation::delete_open(tx, id).await).unwrap(),
            None
        );

        for (n, email) in ["c@example.org", "d@example.org"].into_iter().enumerate() {
            let row = Invitation {
                id: InvitationId::new(),
                email: email.into(),
                ..made.clone()
            };
            let id = row.id;
            write!(db, tx => invitation::insert(tx, &row, &format!("d{n}"), None).await).unwrap();
            if n == 0 {
                let gone = write!(db, tx => invitation::delete_open(tx, id).await).unwrap();
                assert_eq!(gone.as_deref(), Some(email));
            } else {
                write!(db, tx => invitation::delete_open_of(tx, email).await).unwrap();
            }
        }
        assert_eq!(invitation::list_open(&mut read(&db).await).await.unwrap(), []);
    })
    .await;
}
