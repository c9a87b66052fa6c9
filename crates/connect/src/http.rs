//! HTTP through the guard: every request and every redirect is judged, and goes to an address that was.

use crate::{ConnectError, Guard, Result};
use bytes::Bytes;
use futures::StreamExt as _;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};
use std::net::IpAddr;
use std::time::Duration;

/// Attempts at a request that fails for a passing reason.
const ATTEMPTS: u32 = 4;
/// The first wait between two of them; the next ones are twice as long each.
const WAIT: Duration = Duration::from_millis(250);
/// Longest wait that a store may ask for.
const WAIT_MAX: Duration = Duration::from_secs(15);
/// Redirects followed.
const REDIRECTS: usize = 5;
/// Silence after which an answer has ended.
const SILENCE: Duration = Duration::from_secs(30);
/// Most bytes of a list or an error.
pub const TEXT_MAX: usize = 16 << 20;

/// Longest that a list or an error may take to come: a byte now and then is no silence.
const TEXT_TIME: Duration = Duration::from_mins(3);

/// A client that connects where the guard permits. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    guard: Guard,
    /// Another machine connects in our place: names are judged before it is asked.
    proxied: bool,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A proxy's address may hold a password.
        f.debug_struct("Http")
            .field("proxied", &self.proxied)
            .finish_non_exhaustive()
    }
}

/// A request.
#[derive(Clone)]
pub struct Ask {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
    /// Whether redirects are followed; signed requests are not.
    pub follow: bool,
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Queries hold signatures, headers hold passwords.
        f.debug_struct("Ask")
            .field("method", &self.method)
            .field("host", &host(&self.url))
            .field("path", &self.url.path())
            .finish_non_exhaustive()
    }
}

impl Ask {
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            follow: false,
        }
    }
}

struct Resolver {
    guard: Guard,
    /// The host of the proxy, which the configuration names.
    proxy: Option<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        let is_proxy = self.proxy.as_deref() == Some(name.as_str());
        Box::pin(async move {
            if is_proxy {
                let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            // The port is the URL's.
            let found = guard.resolve(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Reads the address of a proxy: `http://host:port`, with a user name and password where it asks for them.
pub fn proxy(text: &str) -> Result<Url> {
    // What cannot be read may hold a password, so it is not repeated.
    let wrong =
        || ConnectError::Wrong("The proxy's address is not one; write it as http://proxy:3128.".to_owned());
    let url: Url = text.trim().parse().map_err(|_| wrong())?;
    if url.scheme() == "http" && url.host_str().is_some_and(|h| !h.is_empty()) {
        Ok(url)
    } else {
        Err(wrong())
    }
}

impl Http {
    pub fn new(guard: Guard) -> Result<Self> {
        Self::through(guard, None)
    }

    /// The same through a proxy, if there is one. It connects in our place, so that names are judged by the addresses they
    /// have here, as far as they have any.
    pub fn through(guard: Guard, proxy: Option<Url>) -> Result<Self> {
        Self::with(guard, proxy, SILENCE)
    }

    /// One for requests with large bodies: the silence after which an answer has ended counts from when a request begins to be sent.
    pub fn sending(guard: Guard, silence: Duration) -> Result<Self> {
        Self::with(guard, None, silence)
    }

    fn with(guard: Guard, proxy: Option<Url>, silence: Duration) -> Result<Self> {
        // The first one in the process stays; a second call says so and that is fine.
        #[cfg(feature = "tls")]
        drop(rustls::crypto::ring::default_provider().install_default());
        let no_client = |e| ConnectError::Wrong(format!("No HTTP client can be made: {}.", chain(&e)));
        let resolver = Resolver {
            guard: guard.clone(),
            proxy: proxy.as_ref().and_then(Url::host_str).map(str::to_owned),
        };
        let builder = reqwest::Client::builder()
            .user_agent(concat!("limn/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(std::sync::Arc::new(resolver))
            .redirect(reqwest::redirect::Policy::none())
            // One of the environment would connect in our place, to wherever it likes.
            .no_proxy();
        let proxied = proxy.is_some();
        let builder = match proxy {
            Some(url) => builder.proxy(reqwest::Proxy::all(url).map_err(no_client)?),
            None => builder,
        };
        let client = builder
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(silence)
            .pool_idle_timeout(Duration::from_secs(20))
            .build()
            .map_err(no_client)?;
        Ok(Self {
            client,
            guard,
            proxied,
        })
    }

    /// Sends a request until there is an answer, whatever its status; 429 and the passing ones of 500 and above are tried
    /// again.
    pub async fn send(&self, mut ask: Ask) -> Result<Response> {
        for _ in 0..=REDIRECTS {
            let response = self.patiently(&ask).await?;
            if !ask.follow || !response.status().is_redirection() {
                return Ok(response);
            }
            let Some(to) = response.headers().get(LOCATION).and_then(|l| l.to_str().ok()) else {
                return Ok(response);
            };
            let to = ask.url.join(to).map_err(|_| {
                ConnectError::Wrong(format!(
                    "{} sends on to something that is no address.",
                    host(&ask.url)
                ))
            })?;
            if to.scheme() == "http" && ask.url.scheme() == "https" {
                return Err(ConnectError::Refused(format!(
                    "{} sends on to an address without TLS, which is not followed.",
                    host(&ask.url)
                )));
            }
            if to.origin() != ask.url.origin() {
                // What is for one host is for no other.
                ask.headers.remove(AUTHORIZATION);
                ask.headers.remove(COOKIE);
            }
            ask.url = to;
        }
        Err(ConnectError::Wrong(format!(
            "{} sends on and on, more than {REDIRECTS} times.",
            host(&ask.url)
        )))
    }

    async fn patiently(&self, ask: &Ask) -> Result<Response> {
        self.judge(&ask.url)?;
        if self.proxied {
            self.judge_name(&ask.url).await?;
        }
        let mut wait = WAIT;
        for attempt in 1.. {
            let sent = self.once(ask).await;
            let last = attempt >= ATTEMPTS;
            match sent {
                Ok(response) if last || !is_passing(response.status()) => return Ok(response),
                Ok(response) => {
                    if let Some(asked) = retry_after(response.headers()) {
                        wait = wait.max(asked.min(WAIT_MAX));
                    }
                }
                Err(e) if last || !e.is_passing() => return Err(e),
                Err(_) => {}
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
        Err(ConnectError::Unreachable(format!(
            "{} does not answer.",
            host(&ask.url)
        )))
    }

    /// Whether a name may be asked for through the proxy. One that has no address here is the proxy's to resolve.
    async fn judge_name(&self, url: &Url) -> Result<()> {
        let host = url.host_str().unwrap_or_default();
        match self.guard.resolve(host, 0).await {
            Err(e @ ConnectError::Refused(_)) => Err(e),
            _ => Ok(()),
        }
    }

    async fn once(&self, ask: &Ask) -> Result<Response> {
        let mut request = self
            .client
            .request(ask.method.clone(), ask.url.clone())
            .headers(ask.headers.clone());
        if let Some(body) = &ask.body {
            request = request.body(body.clone());
        }
        request.send().await.map_err(|e| failed(&ask.url, e))
    }

    /// Whether a request may go there at all; names are judged when they are resolved.
    fn judge(&self, url: &Url) -> Result<()> {
        address(url)?;
        let bare = url
            .host_str()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']');
        if let Ok(ip) = bare.parse::<IpAddr>() {
            self.guard.permits(ip).map_err(|kind| {
                ConnectError::Refused(format!(
                    "This server does not connect to `{bare}`: it is {kind}. An admin of the server can open the network \
                     with `network.allow`."
                ))
            })?;
        }
        Ok(())
    }
}

/// Whether it is an address that can be asked: `http` or `https`, a host, no password in it.
pub fn address(url: &Url) -> Result<()> {
    if url.scheme() == "https" && !cfg!(feature = "tls") {
        return Err(ConnectError::Wrong(
            "This `limn` was built without TLS, so it reaches no https:// address: use a release build."
                .to_owned(),
        ));
    }
    plain_address(url)
}

/// The same, whether or not this build can reach it.
pub fn plain_address(url: &Url) -> Result<()> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ConnectError::Refused(format!(
            "An address starts with https:// or http://, not with {}:.",
            url.scheme()
        )));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(ConnectError::Wrong("The address names no host.".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConnectError::Refused(
            "An address holds no user name and password; give them in their own fields.".to_owned(),
        ));
    }
    Ok(())
}

/// Host and port, for messages.
pub fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"))
}

fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn failed(url: &Url, e: reqwest::Error) -> ConnectError {
    // Addresses of requests may hold a signature.
    let e = e.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&e);
    while let Some(now) = cause {
        if let Some(own) = now.downcast_ref::<ConnectError>() {
            return own.clone();
        }
        cause = now.source();
    }
    let host = host(url);
    let what = if e.is_timeout() {
        format!("{host} did not answer in time")
    } else if e.is_connect() {
        format!("{host} cannot be reached")
    } else {
        format!("The connection to {host} broke")
    };
    ConnectError::Unreachable(format!("{what} ({}).", chain(&e)))
}

/// The innermost reason, which says the most.
fn chain(e: &dyn std::error::Error) -> String {
    let mut last = e;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

/// The body as text, of at most [`TEXT_MAX`] bytes.
pub async fn text(url: &Url, response: Response) -> Result<String> {
    text_within(TEXT_TIME, url, response).await
}

async fn text_within(time: Duration, url: &Url, response: Response) -> Result<String> {
    tokio::time::timeout(time, whole_text(url, response))
        .await
        .unwrap_or_else(|_| {
            Err(ConnectError::Unreachable(format!(
                "{} did not send a list within {} seconds.",
                host(url),
                time.as_secs()
            )))
        })
}

async fn whole_text(url: &Url, response: Response) -> Result<String> {
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|e| failed(url, e))?;
        if bytes.len() + chunk.len() > TEXT_MAX {
            return Err(ConnectError::TooMuch(format!(
                "A list of {} is larger than {} MB.",
                host(url),
                TEXT_MAX >> 20
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The body as a stream.
pub fn body(url: Url, response: Response) -> futures::stream::BoxStream<'static, Result<Bytes>> {
    response
        .bytes_stream()
        .map(move |chunk| chunk.map_err(|e| failed(&url, e)))
        .boxed()
}

/// A path as part of an address: each part between slashes encoded as S3 and Azure want it.
pub fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

/// All but letters, digits and `-._~`.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([b]));
        }
    }
    out
}

/// Undoes `%41`; `None` when that gives no text.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((b, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| *b == b'%');
        if let Some(byte) = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*b);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    async fn get(http: &Http, url: &str) -> Result<Response> {
        let mut ask = Ask::new(Method::GET, url.parse().unwrap());
        ask.follow = true;
        http.send(ask).await
    }

    #[tokio::test]
    async fn addresses_in_every_spelling_are_refused_before_anything_is_sent() {
        let http = Http::new(Guard::default()).unwrap();
        for bad in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/latest/meta-data/",
            "http://169.254.169.254/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:7f00:1::]/",
            "http://localhost/",
            "http://0/",
            "http://10.0.0.1/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "gopher://example.org/",
            "http://user:pass@example.org/",
        ] {
            let error = get(&http, bad).await.unwrap_err();
            assert!(matches!(error, ConnectError::Refused(_)), "{bad}: {error:?}");
        }
    }

    /// Answers every connection once, and counts them.
    async fn server(answer: &'static str) -> (u16, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = served.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 2048];
                let _ = stream.read(&mut asked).await;
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (port, served)
    }

    #[tokio::test]
    async fn a_name_that_comes_to_mean_another_machine_is_refused() {
        let (port, served) =
            server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
        // The metadata service, this machine, and one of each: as a name server of an attacker would answer the second time.
        for second in [&["169.254.169.254"][..], &["127.0.0.2"], &["127.0.0.1", "::1"]] {
            let before = served.load(std::sync::atomic::Ordering::SeqCst);
            let (guard, names) = Guard::with_names(&["127.0.0.1"], &[&["127.0.0.1"], second]);
            let http = Http::new(guard).unwrap();
            let url = format!("http://rebind.example:{port}/");
            assert_eq!(get(&http, &url).await.unwrap().text().await.unwrap(), "ok");
            assert_eq!(
                names.left(),
                1,
                "asked once a connection: what was judged is dialled"
            );
            let error = get(&http, &url).await.unwrap_err();
            assert!(matches!(error, ConnectError::Refused(_)), "{second:?}: {error:?}");
            assert_eq!(served.load(std::sync::atomic::Ordering::SeqCst), before + 1);
        }
    }

    #[tokio::test]
    async fn a_redirect_to_a_name_is_judged_by_its_addresses() {
        let (port, served) = server("HTTP/1.1 302 Found\r\nlocation: http://metadata.example/latest/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        let (guard, names) = Guard::with_names(&["127.0.0.1"], &[&["127.0.0.1"], &["169.254.169.254"]]);
        let http = Http::new(guard).unwrap();
        let error = get(&http, &format!("http://harmless.example:{port}/"))
            .await
            .unwrap_err();
        assert!(matches!(error, ConnectError::Refused(_)), "{error:?}");
        assert_eq!(
            (names.left(), served.load(std::sync::atomic::Ordering::SeqCst)),
            (0, 1)
        );
    }

    #[tokio::test]
    async fn a_proxy_is_asked_for_names_that_may_be_and_for_no_others() {
        let (port, served) =
            server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
        // The proxy lies where nothing else may: the configuration names it.
        let url = proxy(&format!("http://user:secret@localhost:{port}")).unwrap();
        let (guard, _) = Guard::with_names(
            &[],
            &[&[], &["8.8.8.8"], &["10.0.0.1"], &["169.254.169.254", "8.8.8.8"]],
        );
        let http = Http::through(guard, Some(url)).unwrap();
        for name in ["only-the-proxy-knows.example", "public.example"] {
            let answer = get(&http, &format!("http://{name}/file")).await.unwrap();
            assert_eq!(answer.text().await.unwrap(), "ok");
        }
        for bad in [
            "http://private.example/",
            "http://metadata.example/",
            "http://127.0.0.1/",
            "http://[::1]/",
        ] {
            let error = get(&http, bad).await.unwrap_err();
            assert!(matches!(error, ConnectError::Refused(_)), "{bad}: {error:?}");
        }
        assert_eq!(served.load(std::sync::atomic::Ordering::SeqCst), 2);
        for bad in ["", "proxy:3128", "socks5://proxy", "http://"] {
            assert!(proxy(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_list_that_trickles_is_given_up() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 2048]).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
                .await;
            while stream.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let http = Http::new(Guard::new(vec!["127.0.0.1".parse().unwrap()])).unwrap();
        let url: Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
        let response = http.send(Ask::new(Method::GET, url.clone())).await.unwrap();
        let error = text_within(Duration::from_millis(200), &url, response)
            .await
            .unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    }

    #[test]
    fn requests_and_clients_do_not_print_credentials() {
        let url = "https://a.example/c/x.png?sv=1&sig=hunter2".parse().unwrap();
        let mut ask = Ask::new(Method::GET, url);
        ask.headers
            .insert(AUTHORIZATION, "Bearer hunter2".parse().unwrap());
        let printed = format!("{ask:?}");
        assert!(
            printed.contains("a.example") && !printed.contains("hunter2"),
            "{printed}"
        );
        let proxy = proxy("http://user:hunter2@proxy.example:3128").unwrap();
        let http = Http::through(Guard::default(), Some(proxy)).unwrap();
        assert!(!format!("{http:?}").contains("hunter2"));
    }

    #[test]
    fn encoding_is_undone() {
        assert_eq!(encode_path("a b/ü+.png"), "a%20b/%C3%BC%2B.png");
        assert_eq!(decode("a%20b/%C3%BC%2B.png").as_deref(), Some("a b/ü+.png"));
        assert_eq!(decode("100%"), Some("100%".to_owned()));
        assert_eq!(decode("%ff"), None);
    }
}
