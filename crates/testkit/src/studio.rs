//! All use cases over a test database.

use crate::TestDb;
use crate::build::{self, START};
use limn_domain::user::Me;
use limn_domain::{Role, UserId};
use limn_services::reach::Reach;
use limn_services::{Actor, Clock, Context, Limits, Services};
use std::ops::Deref;

/// Datastores may reach this machine, and the folder `stores` beside the database.
pub fn reach(db: &TestDb) -> Reach {
    let folder = db.dir().join("stores");
    std::fs::create_dir_all(&folder).expect("the folder of stores is made");
    let networks = ["127.0.0.0/8", "::1"].map(|n| n.parse().expect("a network"));
    Reach {
        networks: networks.to_vec(),
        folders: vec![folder],
        ..Reach::default()
    }
}

/// The services with a clock that stands at [`START`] until the test moves it. Jobs run only when the test runs them.
#[derive(Clone)]
pub struct Studio {
    pub services: Services,
    pub clock: Clock,
    pub db: TestDb,
}

impl Deref for Studio {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Studio {
    /// Over a test database; the data directory lies beside it.
    pub fn new(db: &TestDb) -> Self {
        Self::with(db, |_| {})
    }

    /// With other limits.
    pub fn with(db: &TestDb, change: impl FnOnce(&mut Limits)) -> Self {
        let clock = Clock::fixed(START);
        let mut limits = Limits {
            reach: reach(db),
            ..Limits::default()
        };
        change(&mut limits);
        let context = Context::open(db.db(), db.dir().join("data"), limits, clock.clone())
            .expect("the data directory opens");
        Self {
            services: Services::new(context),
            clock,
            db: db.clone(),
        }
    }

    /// Somebody signed in.
    pub async fn person(&self, name: &str, role: Role) -> Actor {
        let id = build::user(&self.db, name, role).await;
        Self::actor(id, name, role)
    }

    /// The actor of a person who has an account already.
    pub fn actor(id: UserId, name: &str, role: Role) -> Actor {
        Actor::User(Me {
            id,
            email: format!("{}@example.org", name.to_lowercase()),
            name: name.to_owned(),
            role,
        })
    }
}
