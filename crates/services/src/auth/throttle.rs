//! Slowing down guesses: each failure beyond the first few doubles the wait, by address and by client.

use super::secret;
use crate::{Context, Error, Result};
use limn_domain::{Code, Timestamp};
use limn_store::{StoreError, Tx, repo};
use std::net::{IpAddr, Ipv6Addr};

/// Failures without a wait, and the longest wait in seconds. An address waits shortly: otherwise anybody could lock its
/// owner out. A client may be many people behind one router.
const ADDRESS: Rule = Rule { free: 5, longest: 60 };
const CLIENT: Rule = Rule {
    free: 30,
    longest: 900,
};
/// Seconds after the last failure when it is all forgotten.
const MEMORY: i64 = 3_600;

#[derive(Debug, Clone, Copy)]
struct Rule {
    free: i64,
    longest: i64,
}

impl Rule {
    /// Seconds to wait after this many failures.
    fn wait(self, failures: i64) -> i64 {
        match failures - self.free {
            n if n < 0 => 0,
            n => self.longest.min(1 << n.min(20)),
        }
    }
}

/// What failures are held against.
#[derive(Debug, Clone)]
pub(super) struct Subjects {
    address: String,
    client: Option<String>,
}

impl Subjects {
    /// Of somebody who signs in with this address from this client (its IP address).
    pub fn new(email: &str, client: &str) -> Self {
        Self {
            client: Some(client_key(client)),
            ..Self::of_address(email)
        }
    }

    /// Of somebody known already.
    pub fn of_address(email: &str) -> Self {
        // A digest, because people type all sorts of things into this field.
        Self {
            address: format!("address:{}", secret::digest(email)),
            client: None,
        }
    }

    fn rules(&self) -> impl Iterator<Item = (&str, Rule)> {
        let client = self.client.as_deref().map(|c| (c, CLIENT));
        std::iter::once((self.address.as_str(), ADDRESS)).chain(client)
    }

    /// Refuses while one of them has to wait.
    pub async fn check(&self, ctx: &Context) -> Result<()> {
        let mut tx = ctx.db.read().await?;
        let now = ctx.now();
        let mut until = Timestamp(0);
        for (subject, _) in self.rules() {
            if let Some(held) = repo::throttle::get(&mut tx, subject).await? {
                until = until.max(held.blocked_until);
            }
        }
        if until <= now {
            return Ok(());
        }
        let seconds = (until.0 - now.0 + Timestamp::SECOND - 1) / Timestamp::SECOND;
        let unit = if seconds == 1 { "second" } else { "seconds" };
        Err(Error::new(
            Code::TooManyRequests,
            format!("Too many failed sign-ins. Try again in {seconds} {unit}."),
        ))
    }

    /// Notes a failure.
    pub async fn fail(self, ctx: &Context) -> Result<()> {
        let now = ctx.now();
        let forget = now.plus_seconds(-MEMORY);
        ctx.db
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    for (subject, rule) in self.rules() {
                        let failures = repo::throttle::fail(tx, subject, now, forget).await?;
                        repo::throttle::block(tx, subject, now.plus_seconds(rule.wait(failures))).await?;
                    }
                    repo::throttle::delete_before(tx, forget).await
                })
            })
            .await?;
        Ok(())
    }

    /// The address is its owner's again; the client's failures with other addresses stay.
    pub async fn succeed(&self, tx: &mut Tx) -> Result<()> {
        Ok(repo::throttle::clear(tx, &self.address).await?)
    }
}

/// One key a client: an IPv6 client has a whole /64 to itself.
fn client_key(client: &str) -> String {
    let address = match client.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        Ok(v4) => v4,
        Err(_) => return format!("client:{}", secret::digest(client)),
    };
    match address {
        IpAddr::V4(v4) => format!("client:{v4}"),
        IpAddr::V6(v6) => {
            let network = Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX));
            format!("client:{network}/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit() {
        let waits: Vec<i64> = (4..=12).map(|n| ADDRESS.wait(n)).collect();
        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(CLIENT.wait(i64::MAX), 900);
    }

    #[test]
    fn a_client_is_its_network() {
        assert_eq!(client_key("2001:db8::1"), client_key("2001:db8::ffff"));
        assert_ne!(client_key("2001:db8::1"), client_key("2001:db8:0:1::1"));
        assert_eq!(client_key("::ffff:192.0.2.1"), client_key("192.0.2.1"));
        assert!(client_key(&"x".repeat(9_999)).len() < 100);
    }
}
