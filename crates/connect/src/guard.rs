//! Where this server may connect: the one place that decides.
//!
//! Somebody who may name an address could otherwise have the server ask machines that only the server reaches: itself, its
//! neighbours, the cloud's metadata service. So names are resolved here, every address they have is judged, and what is
//! dialled is one of those, not what the name says a moment later.

use crate::{ConnectError, Result, Secret};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// Longest a name or a connection may take.
const DIAL: Duration = Duration::from_secs(10);

/// What the server's configuration lets datastores reach.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Networks that are open on purpose though they are not public.
    pub networks: Vec<Network>,
    /// Folders of this machine that datastores may lie in.
    pub folders: Vec<PathBuf>,
    /// The key for credentials; from the key file when empty.
    pub key: Secret,
}

/// A network, as `10.1.0.0/16` or `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(
                u128::from(u32::from(a)) << 96,
                u128::from(u32::from(b)) << 96,
                self.bits,
            ),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), self.bits),
            _ => false,
        }
    }

    const fn is_single(&self) -> bool {
        self.bits == if self.address.is_ipv4() { 32 } else { 128 }
    }
}

const fn same(a: u128, b: u128, bits: u8) -> bool {
    bits == 0 || (a ^ b) >> (128 - bits as u32) == 0
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network; write it as 10.1.0.0/16, fd12::/16 or 10.1.2.3");
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(b) => b.trim().parse().ok().filter(|b| *b <= most).ok_or_else(wrong)?,
        };
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Judges addresses. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    networks: Arc<Vec<Network>>,
    #[cfg(test)]
    names: Option<Arc<Names>>,
}

impl Guard {
    pub fn new(networks: Vec<Network>) -> Self {
        Self {
            networks: Arc::new(networks),
            #[cfg(test)]
            names: None,
        }
    }

    /// Whether this server may connect there.
    pub fn permits(&self, ip: IpAddr) -> Result<(), &'static str> {
        let ip = plain(ip);
        let Some(kind) = kind(ip) else { return Ok(()) };
        let open = self.networks.iter().any(|n| {
            // Opening a wide network opens no metadata service by the way.
            n.contains(ip) && (kind != METADATA || n.is_single())
        });
        if open { Ok(()) } else { Err(kind) }
    }

    /// The addresses of a host, each of which is permitted. Errors say which is not.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<SocketAddr> = if let Ok(ip) = bare.parse::<IpAddr>() {
            vec![SocketAddr::new(ip, port)]
        } else {
            match tokio::time::timeout(DIAL, self.look_up(bare, port)).await {
                Ok(Ok(found)) => found,
                Ok(Err(_)) => Vec::new(),
                Err(_) => {
                    return Err(ConnectError::Unreachable(format!(
                        "The name `{bare}` could not be looked up in time."
                    )));
                }
            }
        };
        if found.is_empty() {
            return Err(ConnectError::Unreachable(format!(
                "There is no machine called `{bare}`; check the name."
            )));
        }
        for address in &found {
            self.permits(address.ip())
                .map_err(|kind| refused(bare, address.ip(), kind))?;
        }
        Ok(found)
    }

    async fn look_up(&self, name: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        #[cfg(test)]
        if let Some(names) = &self.names {
            return Ok(names.next(port));
        }
        Ok(tokio::net::lookup_host((name, port)).await?.collect())
    }

    /// Connects to a host, for what does not speak HTTP.
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream> {
        let addresses = self.resolve(host, port).await?;
        let dialled = tokio::time::timeout(DIAL, TcpStream::connect(addresses.as_slice())).await;
        match dialled {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(e)) => Err(ConnectError::Unreachable(format!(
                "`{host}` does not take connections at port {port} ({e})."
            ))),
            Err(_) => Err(ConnectError::Unreachable(format!(
                "`{host}` does not answer at port {port}; a firewall may be in between."
            ))),
        }
    }
}

fn refused(host: &str, ip: IpAddr, kind: &str) -> ConnectError {
    let at = if host == ip.to_string() {
        String::new()
    } else {
        format!(" ({ip})")
    };
    ConnectError::Refused(format!(
        "This server does not connect to `{host}`{at}: it is {kind}. An admin of the server can open the network with \
         `network.allow`."
    ))
}

const METADATA: &str = "the metadata service of a cloud";

/// The address that is meant by one of the forms in which IPv6 carries IPv4: mapped, compatible, translated (NAT64), 6to4
/// and Teredo.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    let s = six.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // ::1 and :: are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => ip,
        [0, 0, 0, 0, 0 | 0xffff, 0, h, l]
        | [0, 0, 0, 0, 0, 0xffff, h, l]
        | [0x64, 0xff9b, 0, 0, 0, 0, h, l]
        | [0x2002, h, l, ..] => v4(h, l),
        // A translator's own prefix: the address is in the last part.
        [0x64, 0xff9b, 1, _, _, _, h, l] => v4(h, l),
        [0x2001, 0, _, _, _, _, h, l] => v4(!h, !l),
        _ => ip,
    }
}

/// What makes an address one that nobody outside is meant to be sent to; `None` for the public ones.
fn kind(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => kind_v4(ip),
        IpAddr::V6(ip) => kind_v6(ip),
    }
}

fn kind_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let o = ip.octets();
    Some(match o {
        [169, 254, 169, 254]
        | [169, 254, 170, 2]
        | [100, 100, 100, 200]
        | [192, 0, 0, 192]
        | [168, 63, 129, 16] => METADATA,
        [127, ..] => "this machine itself (loopback)",
        [0, ..] => "no address of a machine",
        [169, 254, ..] => "a link-local address",
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => "in a private network",
        [100, 64..=127, ..] => "in a provider's private network",
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18 | 19, ..] | [192, 88, 99, _] => {
            "in a network kept for special purposes"
        }
        [224..=239, ..] => "a multicast address",
        [240..=255, ..] => "in a network kept for special purposes",
        _ => return None,
    })
}

fn kind_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let s = ip.segments();
    Some(match s {
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => METADATA,
        [0, 0, 0, 0, 0, 0, 0, 1] => "this machine itself (loopback)",
        [0, 0, 0, 0, 0, 0, 0, 0] => "no address of a machine",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xfec0..=0xfeff | 0xfc00..=0xfdff, ..] => "in a private network",
        [0xff00..=0xffff, ..] => "a multicast address",
        // Only 2000::/3 is given out; what is not is nowhere.
        [0x2001, 0xdb8 | 0..=0x1ff, ..] | [0x3fff, 0..=0xfff, ..] => "in a network kept for special purposes",
        [0x2000..=0x3fff, ..] => return None,
        _ => "in a network kept for special purposes",
    })
}

/// A name server that says something else each time, for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Names(std::sync::Mutex<std::collections::VecDeque<Vec<IpAddr>>>);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
impl Names {
    fn next(&self, port: u16) -> Vec<SocketAddr> {
        let answer = self.0.lock().unwrap().pop_front().unwrap_or_default();
        answer.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()
    }

    /// Answers that nobody has asked for yet.
    pub fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
impl Guard {
    /// Any name has these addresses: those of the first list at the first question, and so on.
    pub(crate) fn with_names(networks: &[&str], answers: &[&[&str]]) -> (Self, Arc<Names>) {
        let addresses = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        let names = Arc::new(Names(std::sync::Mutex::new(
            answers.iter().map(addresses).collect(),
        )));
        let mut guard = Self::new(networks.iter().map(|n| n.parse().unwrap()).collect());
        guard.names = Some(names.clone());
        (guard, names)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn permits(guard: &Guard, ip: &str) -> bool {
        guard.permits(ip.parse().unwrap()).is_ok()
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_form() {
        let guard = Guard::default();
        for bad in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "100.64.0.1",
            "168.63.129.16",
            "192.0.0.192",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "ff02::1",
            "2001:db8::1",
            "100::1",
            // IPv4 inside IPv6: mapped, compatible, translated, NAT64, local NAT64, 6to4, Teredo.
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b:1::192.168.0.1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:c0a8:101::",
            "2001:0:1:2:3:4:5601:5601",
        ] {
            assert!(!permits(&guard, bad), "{bad}");
        }
        for good in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::",
            "192.0.1.1",
        ] {
            assert!(permits(&guard, good), "{good}");
        }
    }

    #[test]
    fn networks_are_opened_on_purpose() {
        let open = |list: &[&str]| Guard::new(list.iter().map(|n| n.parse().unwrap()).collect());
        let guard = open(&["10.1.0.0/16", "fd12::/16"]);
        assert!(permits(&guard, "10.1.2.3"));
        assert!(permits(&guard, "::ffff:10.1.2.3"));
        assert!(permits(&guard, "fd12::1"));
        assert!(!permits(&guard, "10.2.0.1"));
        assert!(!permits(&guard, "127.0.0.1"));
        // A wide network opens no metadata service; naming it does.
        let guard = open(&["0.0.0.0/0", "::/0"]);
        assert!(permits(&guard, "127.0.0.1"));
        assert!(permits(&guard, "169.254.1.1"));
        assert!(!permits(&guard, "169.254.169.254"));
        assert!(!permits(&guard, "::ffff:169.254.169.254"));
        assert!(!permits(&guard, "fd00:ec2::254"));
        assert!(permits(&open(&["169.254.169.254"]), "169.254.169.254"));
    }

    #[test]
    fn networks_are_read() {
        assert_eq!("10.0.0.0/8".parse::<Network>().unwrap().to_string(), "10.0.0.0/8");
        assert_eq!("::1".parse::<Network>().unwrap().to_string(), "::1/128");
        for bad in ["", "10.0.0.0/33", "::/129", "x", "10.0.0/8", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_by_their_addresses() {
        let error = Guard::default().resolve("localhost", 80).await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Refused(m) if m.contains("localhost") && m.contains("network.allow")),
            "{error}"
        );
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]);
        assert!(!guard.resolve("localhost", 80).await.unwrap().is_empty());
        assert!(guard.resolve("[::ffff:10.0.0.1]", 80).await.is_err());
    }

    #[tokio::test]
    async fn one_bad_address_among_good_ones_is_enough_to_refuse() {
        let (guard, _) = Guard::with_names(&[], &[&["1.1.1.1", "10.0.0.1"], &["1.1.1.1", "2606:4700::1111"]]);
        assert!(guard.resolve("two.example", 80).await.is_err());
        assert_eq!(guard.resolve("two.example", 80).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn what_was_judged_is_dialled_though_the_name_means_something_else_by_then() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (guard, names) = Guard::with_names(&["127.0.0.1"], &[&["127.0.0.1"], &["127.0.0.2"]]);
        let stream = guard.dial("db.example", port).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().ip().to_string(), "127.0.0.1");
        assert_eq!(names.left(), 1, "asked once a connection");
        assert!(matches!(
            guard.dial("db.example", port).await,
            Err(ConnectError::Refused(_))
        ));
    }
}
