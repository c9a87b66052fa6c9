//! The set-up link, signing in, throttling, sessions and passwords.

use crate::{code, refusal};
use limn_domain::user::{ChangePassword, NewUser, SignIn};
use limn_domain::{Code, Role, UserId};
use limn_services::Actor;
use limn_testkit::{Studio, on_both};

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) fn new_user(name: &str) -> NewUser {
    NewUser {
        email: format!(" {name}@Example.ORG "),
        name: name.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

fn input(name: &str, password: &str) -> SignIn {
    SignIn {
        email: format!("{name}@example.org"),
        password: password.to_owned(),
    }
}

#[tokio::test]
async fn the_set_up_link_works_once() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        assert!(studio.auth.needs_setup().await.unwrap());
        assert_eq!(
            code(studio.auth.set_up("", new_user("eve")).await),
            Code::LinkExpired,
            "before there is a link"
        );
        let first = studio.auth.new_setup_secret().await.unwrap().unwrap();
        let second = studio.auth.new_setup_secret().await.unwrap().unwrap();
        for wrong in ["", "0", first.as_str(), &second[1..], &second.to_uppercase()] {
            let said = code(studio.auth.set_up(wrong, new_user("eve")).await);
            assert_eq!(said, Code::LinkExpired, "{wrong}");
        }
        let weak = NewUser {
            password: "short".into(),
            name: String::new(),
            email: "no address".into(),
        };
        let e = refusal(studio.auth.set_up(&second, weak).await);
        assert_eq!(e.code, Code::InvalidInput);
        assert_eq!(
            e.fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(),
            ["email", "name", "password"]
        );

        // Two at once: one gets it.
        let (a, b) = tokio::join!(
            studio.auth.set_up(&second, new_user("ana")),
            studio.auth.set_up(&second, new_user("bo")),
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
        let (me, epoch) = a.or(b).unwrap();
        assert_eq!((me.role, epoch), (Role::Admin, 0));
        assert!(me.email == "ana@example.org" || me.email == "bo@example.org");
        assert_eq!(
            code(studio.auth.set_up(&second, new_user("eve")).await),
            Code::LinkExpired,
            "it was used"
        );
        assert!(!studio.auth.needs_setup().await.unwrap());
        assert_eq!(studio.auth.new_setup_secret().await.unwrap(), None);
        assert_eq!(
            studio.auth.session_actor(me.id, 0).await.unwrap(),
            Actor::User(me)
        );
    })
    .await;
}

#[tokio::test]
async fn wrong_sign_ins_look_alike_and_slow_down() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        studio
            .users
            .create(&Actor::System, new_user("ana"), Role::Labeler)
            .await
            .unwrap();
        let (me, _) = studio
            .auth
            .sign_in("192.0.2.1", input("ANA", PASSWORD))
            .await
            .unwrap();
        assert_eq!((me.name.as_str(), me.role), ("ana", Role::Labeler));

        for n in 0..5 {
            // A new client each time: the address alone is what is guessed at.
            let client = format!("192.0.2.{n}");
            let known = refusal(studio.auth.sign_in(&client, input("ana", "wrong")).await);
            let unknown = refusal(studio.auth.sign_in(&client, input("nobody", "wrong")).await);
            assert_eq!(known.code, Code::WrongCredentials);
            assert_eq!(known, unknown);
        }
        let (right, unknown) = (input("ana", PASSWORD), input("nobody", "wrong"));
        let e = refusal(studio.auth.sign_in("192.0.2.9", right.clone()).await);
        assert_eq!(e.code, Code::TooManyRequests);
        assert!(e.message.contains("1 second"), "{}", e.message);
        assert_eq!(refusal(studio.auth.sign_in("192.0.2.9", unknown).await), e);
        // The wait doubles.
        for seconds in [1, 2, 4] {
            studio.clock.advance_seconds(seconds);
            assert_eq!(
                code(studio.auth.sign_in("192.0.2.9", input("ana", "wrong")).await),
                Code::WrongCredentials
            );
            let e = refusal(studio.auth.sign_in("192.0.2.9", right.clone()).await);
            assert!(
                e.message.contains(&format!("{} seconds", seconds * 2)),
                "{}",
                e.message
            );
        }
        studio.clock.advance_seconds(8);
        studio.auth.sign_in("192.0.2.9", right.clone()).await.unwrap();
        // Success forgets the failures.
        assert_eq!(
            code(studio.auth.sign_in("192.0.2.9", input("ana", "wrong")).await),
            Code::WrongCredentials
        );
        studio.auth.sign_in("192.0.2.9", right).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_client_that_tries_many_addresses_slows_down() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        for n in 0..30 {
            let tried = studio
                .auth
                .sign_in("2001:db8::1", input(&format!("n{n}"), "wrong"))
                .await;
            assert_eq!(code(tried), Code::WrongCredentials, "{n}");
        }
        let same_network = studio.auth.sign_in("2001:db8::2", input("other", "wrong")).await;
        assert_eq!(code(same_network), Code::TooManyRequests);
        let elsewhere = studio
            .auth
            .sign_in("2001:db8:1::1", input("other", "wrong"))
            .await;
        assert_eq!(code(elsewhere), Code::WrongCredentials);
    })
    .await;
}

#[tokio::test]
async fn hostile_sign_ins_are_wrong_credentials() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        for (n, (email, password)) in [
            ("", ""),
            ("a\0b@example.org", "x"),
            ("' OR 1=1 --", "x"),
            (&*"x".repeat(100_000), "x"),
            ("a@b.c", &*"y".repeat(1_000_000)),
        ]
        .into_iter()
        .enumerate()
        {
            let input = SignIn {
                email: email.to_owned(),
                password: password.to_owned(),
            };
            let tried = studio.auth.sign_in(&format!("not an address {n}\0"), input).await;
            assert_eq!(code(tried), Code::WrongCredentials);
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_other_sessions() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        studio
            .users
            .create(&Actor::System, new_user("ana"), Role::Labeler)
            .await
            .unwrap();
        let (me, epoch) = studio.auth.sign_in("::1", input("ana", PASSWORD)).await.unwrap();
        let actor = studio.auth.session_actor(me.id, epoch).await.unwrap();
        let change = |current: &str, new: &str| ChangePassword {
            current: current.into(),
            new: new.into(),
        };
        let e = refusal(
            studio
                .auth
                .change_password(&actor, change("wrong", "another horse"))
                .await,
        );
        assert!(e.for_field("current").is_some(), "{e:?}");
        let e = refusal(
            studio
                .auth
                .change_password(&actor, change(PASSWORD, "short"))
                .await,
        );
        assert!(e.for_field("new").is_some(), "{e:?}");
        let fresh = studio
            .auth
            .change_password(&actor, change(PASSWORD, "another horse"))
            .await
            .unwrap();
        assert_eq!(fresh, epoch + 1);
        assert_eq!(
            studio.auth.session_actor(me.id, epoch).await.unwrap(),
            Actor::Anonymous
        );
        assert!(matches!(
            studio.auth.session_actor(me.id, fresh).await.unwrap(),
            Actor::User(_)
        ));
        assert_eq!(
            code(studio.auth.sign_in("::1", input("ana", PASSWORD)).await),
            Code::WrongCredentials
        );
        studio
            .auth
            .sign_in("::1", input("ana", "another horse"))
            .await
            .unwrap();
        let renamed = studio.auth.rename(&actor, " <i>Ana</i> ").await.unwrap();
        assert_eq!(renamed.name, "<i>Ana</i>");
        assert_eq!(code(studio.auth.rename(&actor, "a\nb").await), Code::InvalidInput);
    })
    .await;
}

#[tokio::test]
async fn a_session_of_another_server_is_nobody() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let ana = studio.person("Ana", Role::Admin).await;
        assert_eq!(
            studio.auth.session_actor(UserId::new(), 0).await.unwrap(),
            Actor::Anonymous
        );
        let id = ana.user_id().unwrap();
        assert_eq!(
            studio.auth.session_actor(id, 7).await.unwrap(),
            Actor::Anonymous,
            "another epoch"
        );
        assert_eq!(studio.auth.session_actor(id, 0).await.unwrap(), ana);
    })
    .await;
}
