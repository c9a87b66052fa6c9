//! People, invitations, tokens, the audit log.

use crate::sign_in::{PASSWORD, new_user};
use crate::{code, refusal};
use limn_domain::project::{NewProject, Task};
use limn_domain::token::{NewToken, TokenScope};
use limn_domain::user::{NewInvitation, SignIn, UpdateUser};
use limn_domain::{Action, Code, ProjectId, Role, TokenId};
use limn_services::{Actor, authz};
use limn_testkit::{Studio, build, on_both};

fn set_role(role: Role) -> UpdateUser {
    UpdateUser {
        role: Some(role),
        ..UpdateUser::default()
    }
}

const DISABLE: UpdateUser = UpdateUser {
    name: None,
    role: None,
    disabled: Some(true),
};

fn token(name: &str, scope: TokenScope, project_id: Option<ProjectId>) -> NewToken {
    NewToken {
        name: name.into(),
        scope,
        project_id,
        dataset_id: None,
        expires_in_days: None,
    }
}

#[tokio::test]
async fn the_last_enabled_admin_stays_one() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let ana = studio
            .users
            .create(&Actor::System, new_user("ana"), Role::Admin)
            .await
            .unwrap();
        let bo = studio
            .users
            .create(&Actor::System, new_user("bo"), Role::Admin)
            .await
            .unwrap();
        let actor = Studio::actor(ana.id, "ana", Role::Admin);
        let twice = refusal(studio.users.create(&actor, new_user("ANA"), Role::Viewer).await);
        assert_eq!(twice.code, Code::AlreadyExists);

        // The last two cannot both go, also when it happens at once.
        let (x, y) = tokio::join!(
            studio.users.update(&actor, ana.id, set_role(Role::Viewer)),
            studio.users.update(&actor, bo.id, DISABLE),
        );
        assert_eq!(usize::from(x.is_ok()) + usize::from(y.is_ok()), 1, "{x:?} {y:?}");
        let people = studio.users.list(&actor).await.unwrap();
        let admins: Vec<_> = people
            .iter()
            .filter(|u| u.role == Role::Admin && !u.disabled)
            .collect();
        assert_eq!(admins.len(), 1);
        for change in [DISABLE, set_role(Role::Manager)] {
            assert_eq!(
                code(studio.users.update(&actor, admins[0].id, change).await),
                Code::WrongState
            );
        }
        let renamed = UpdateUser {
            name: Some("Anna".into()),
            ..UpdateUser::default()
        };
        assert_eq!(
            studio
                .users
                .update(&actor, admins[0].id, renamed)
                .await
                .unwrap()
                .name,
            "Anna"
        );
    })
    .await;
}

#[tokio::test]
async fn disabling_ends_sessions_tokens_and_work_in_hand() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let admin = studio.person("Root", Role::Admin).await;
        let bo = studio
            .users
            .create(&admin, new_user("bo"), Role::Labeler)
            .await
            .unwrap();
        let actor = Studio::actor(bo.id, "bo", Role::Labeler);
        let made = studio
            .tokens
            .create(&actor, token("ci", TokenScope::Write, None))
            .await
            .unwrap();
        assert!(made.secret.starts_with(&made.token.prefix));
        assert_eq!(made.secret.len(), 69);
        let as_token = studio.auth.token_actor(&made.secret).await.unwrap();
        assert_eq!(as_token.user_id(), Some(bo.id));

        let project = build::project(&db, "P", Task::Detection).await;
        build::member(&db, project, bo.id, Role::Labeler).await;
        build::items(&db, project, "a", 2).await;
        let taken = studio.queue.take(&actor, project, 1).await.unwrap();
        assert_eq!(taken.items.len(), 1);

        studio.users.update(&admin, bo.id, DISABLE).await.unwrap();
        assert_eq!(
            code(studio.auth.token_actor(&made.secret).await),
            Code::SignInRequired
        );
        assert_eq!(
            studio.auth.session_actor(bo.id, 0).await.unwrap(),
            Actor::Anonymous
        );
        let input = SignIn {
            email: "bo@example.org".into(),
            password: PASSWORD.into(),
        };
        let e = refusal(studio.auth.sign_in("::1", input.clone()).await);
        assert_eq!(e.code, Code::WrongCredentials);
        assert!(e.message.contains("disabled"), "{}", e.message);
        let state = studio.queue.state(&admin, project).await.unwrap();
        assert_eq!((state.todo, state.held_by_others), (2, 0));

        let enable = UpdateUser {
            disabled: Some(false),
            ..UpdateUser::default()
        };
        studio.users.update(&admin, bo.id, enable).await.unwrap();
        assert_eq!(
            code(studio.auth.token_actor(&made.secret).await),
            Code::SignInRequired,
            "gone for good"
        );
        assert_eq!(
            studio.auth.session_actor(bo.id, 0).await.unwrap(),
            Actor::Anonymous,
            "the old session too"
        );
        studio.auth.sign_in("::1", input).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn invitations_are_used_once_and_within_their_time() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let admin = studio.person("Root", Role::Admin).await;
        let project = build::project(&db, "P", Task::Detection).await;
        let invite = |email: &str| NewInvitation {
            email: email.into(),
            role: Role::Labeler,
            project_id: Some(project),
            project_role: Some(Role::Reviewer),
        };
        let secret = |link: Option<String>| link.unwrap().rsplit('=').next().unwrap().to_owned();
        let replaced = studio
            .users
            .invite(&admin, invite("bo@example.org"))
            .await
            .unwrap();
        let made = studio
            .users
            .invite(&admin, invite(" Bo@example.org"))
            .await
            .unwrap();
        assert_eq!(
            studio.users.invitations(&admin).await.unwrap().len(),
            1,
            "one open a person"
        );
        let (old, good) = (secret(replaced.link), secret(made.link));
        assert_eq!(code(studio.auth.invitation(&old).await), Code::LinkExpired);
        let offer = studio.auth.invitation(&good).await.unwrap();
        assert_eq!((offer.email.as_str(), offer.link), ("bo@example.org", None));

        // The address is the invitation's, whatever is sent.
        let (a, b) = tokio::join!(
            studio.auth.accept_invitation(&good, new_user("eve")),
            studio.auth.accept_invitation(&good, new_user("mallory")),
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
        let (me, _) = a.or(b).unwrap();
        assert_eq!((me.email.as_str(), me.role), ("bo@example.org", Role::Labeler));
        let members = studio.members.list(&admin, project).await.unwrap();
        assert_eq!((members[0].user_id, members[0].role), (me.id, Role::Reviewer));
        assert_eq!(
            code(studio.auth.accept_invitation(&good, new_user("eve")).await),
            Code::LinkExpired,
            "used"
        );
        let again = refusal(studio.users.invite(&admin, invite("bo@example.org")).await);
        assert_eq!(again.code, Code::AlreadyExists);

        let late = studio
            .users
            .invite(&admin, invite("cy@example.org"))
            .await
            .unwrap();
        studio.clock.advance_seconds(7 * 24 * 3600);
        let late_secret = secret(late.link);
        assert_eq!(
            code(studio.auth.accept_invitation(&late_secret, new_user("cy")).await),
            Code::LinkExpired
        );
        studio.users.revoke_invitation(&admin, late.id).await.unwrap();
        assert_eq!(
            code(studio.users.revoke_invitation(&admin, late.id).await),
            Code::NotFound
        );
        let bad = NewInvitation {
            project_id: Some(ProjectId::new()),
            ..invite("dee@example.org")
        };
        assert!(
            refusal(studio.users.invite(&admin, bad).await)
                .for_field("project_id")
                .is_some()
        );
        let bad = NewInvitation {
            project_role: Some(Role::Admin),
            ..invite("dee@example.org")
        };
        assert!(
            refusal(studio.users.invite(&admin, bad).await)
                .for_field("project_role")
                .is_some()
        );
    })
    .await;
}

#[tokio::test]
async fn tokens_end_and_stay_within_their_scope() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let ana = studio.person("Ana", Role::Admin).await;
        let (p, q) = (
            build::project(&db, "P", Task::Detection).await,
            build::project(&db, "Q", Task::Detection).await,
        );
        let short = NewToken {
            expires_in_days: Some(1),
            ..token("short", TokenScope::Admin, None)
        };
        let short = studio.tokens.create(&ana, short).await.unwrap();
        studio.auth.token_actor(&short.secret).await.unwrap();
        studio.clock.advance_seconds(24 * 3600);
        assert_eq!(
            code(studio.auth.token_actor(&short.secret).await),
            Code::SignInRequired
        );
        for unknown in ["", "limn_", "limn_0", "x", &short.secret[..68]] {
            assert_eq!(
                code(studio.auth.token_actor(unknown).await),
                Code::SignInRequired,
                "{unknown}"
            );
        }
        for days in [0, -1, 4_000] {
            let bad = NewToken {
                expires_in_days: Some(days),
                ..token("x", TokenScope::Read, None)
            };
            assert!(
                refusal(studio.tokens.create(&ana, bad).await)
                    .for_field("expires_in_days")
                    .is_some()
            );
        }

        let bound = studio
            .tokens
            .create(&ana, token("p only", TokenScope::Write, Some(p)))
            .await
            .unwrap();
        let bound = studio.auth.token_actor(&bound.secret).await.unwrap();
        assert_eq!(studio.projects.list(&bound).await.unwrap().len(), 1);
        studio.projects.get(&bound, p).await.unwrap();
        assert_eq!(code(studio.projects.get(&bound, q).await), Code::NotFound);
        assert_eq!(code(studio.projects.find(&bound, "Q").await), Code::NotFound);
        assert_eq!(
            code(studio.projects.create(&bound, NewProject::default()).await),
            Code::Forbidden
        );
        assert_eq!(code(studio.tokens.list(&bound).await), Code::Forbidden);
        assert_eq!(code(studio.users.list(&bound).await), Code::Forbidden);
        let read = studio
            .tokens
            .create(&ana, token("read", TokenScope::Read, None))
            .await
            .unwrap();
        let read_id = read.token.id;
        let read = studio.auth.token_actor(&read.secret).await.unwrap();
        assert!(authz::require(&read, Action::CreateProject).is_err());
        assert_eq!(
            code(
                studio
                    .tokens
                    .create(&read, token("more", TokenScope::Admin, None))
                    .await
            ),
            Code::Forbidden
        );

        // Somebody else's token is none of Bo's business.
        let bo = studio.person("Bo", Role::Admin).await;
        assert_eq!(code(studio.tokens.revoke(&bo, read_id).await), Code::NotFound);
        studio.tokens.revoke(&ana, read_id).await.unwrap();
        assert_eq!(
            code(studio.tokens.revoke(&ana, TokenId::new()).await),
            Code::NotFound
        );
        let elsewhere = token("x", TokenScope::Read, Some(ProjectId::new()));
        assert!(
            refusal(studio.tokens.create(&ana, elsewhere).await)
                .for_field("project_id")
                .is_some()
        );
    })
    .await;
}

#[tokio::test]
async fn last_used_is_noted_once_a_minute() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let ana = studio.person("Ana", Role::Admin).await;
        let made = studio
            .tokens
            .create(&ana, token("ci", TokenScope::Read, None))
            .await
            .unwrap();
        let noted = async |since| {
            // Nobody waits for the note but this test.
            for _ in 0..200 {
                let last = studio.tokens.list(&ana).await.unwrap()[0].last_used_at;
                if last != since {
                    return last;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            since
        };
        studio.auth.token_actor(&made.secret).await.unwrap();
        let first = noted(None).await;
        assert_eq!(first, Some(build::START));
        studio.clock.advance_seconds(59);
        studio.auth.token_actor(&made.secret).await.unwrap();
        studio.clock.advance_seconds(1);
        studio.auth.token_actor(&made.secret).await.unwrap();
        assert_eq!(noted(first).await, Some(build::START.plus_seconds(60)));
    })
    .await;
}

#[tokio::test]
async fn only_admins_manage_people() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        studio.person("Root", Role::Admin).await;
        for role in [Role::Manager, Role::Reviewer, Role::Labeler, Role::Viewer] {
            let actor = studio.person(role.as_str(), role).await;
            assert_eq!(code(studio.users.list(&actor).await), Code::Forbidden);
            assert_eq!(
                code(studio.users.create(&actor, new_user("x"), Role::Admin).await),
                Code::Forbidden
            );
            let own = actor.user_id().unwrap();
            assert_eq!(
                code(studio.users.update(&actor, own, set_role(Role::Admin)).await),
                Code::Forbidden
            );
            assert_eq!(code(studio.users.invitations(&actor).await), Code::Forbidden);
        }
        assert_eq!(
            code(studio.users.list(&Actor::Anonymous).await),
            Code::SignInRequired
        );
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_tells_what_one_may_know() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let root = studio.person("Root", Role::Admin).await;
        let (mo, vi) = (
            studio.person("Mo", Role::Manager).await,
            studio.person("Vi", Role::Viewer).await,
        );
        for name in ["First", "Second", "Third"] {
            studio.clock.advance_seconds(1);
            let input = NewProject {
                name: name.into(),
                ..NewProject::default()
            };
            studio
                .projects
                .create(if name == "Third" { &root } else { &mo }, input)
                .await
                .unwrap();
        }
        let words = async |actor: &Actor| {
            let page = studio.activities.list(actor, None, None, None).await.unwrap();
            page.rows.into_iter().map(|l| l.summary).collect::<Vec<_>>()
        };
        assert_eq!(
            words(&mo).await,
            ["created the project “Second”", "created the project “First”"]
        );
        assert_eq!(words(&vi).await, Vec::<String>::new());
        assert_eq!(words(&root).await.len(), 3);
        let first = studio.activities.list(&root, None, None, Some(2)).await.unwrap();
        let rest = studio
            .activities
            .list(&root, None, first.next, Some(2))
            .await
            .unwrap();
        assert_eq!((rest.rows.len(), rest.next), (1, None));
        assert_eq!(rest.rows[0].actor_name, "Mo");
        let made_up = studio.activities.list(&root, None, Some("zz".into()), None).await;
        assert_eq!(code(made_up), Code::InvalidInput);
        let third = studio.projects.find(&root, "third").await.unwrap().summary.id;
        assert_eq!(
            code(studio.activities.list(&mo, Some(third), None, None).await),
            Code::NotFound
        );
    })
    .await;
}
