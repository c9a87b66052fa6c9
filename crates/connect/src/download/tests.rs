use super::*;
use crate::Guard;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What a server does at one request.
#[derive(Clone)]
enum Act {
    /// Sends the whole, or the part that is asked for, up to this many bytes of it; then the connection breaks.
    Break(usize),
    /// Sends all that is asked for.
    All,
    /// Knows no ranges.
    Whole,
    Answer(&'static str),
}

struct Server {
    url: Url,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Serves `data`, an act a request; the last one again and again.
async fn server(data: Vec<u8>, tag: &'static str, acts: Vec<Act>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/set/file.bin", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    tokio::spawn(async move {
        let mut n = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buf = [0; 4096];
            let k = stream.read(&mut buf).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&buf[..k]).to_lowercase();
            let line = |name: &str| {
                let found = text.lines().find_map(|l| l.strip_prefix(name));
                found.map(|v| v.trim().to_owned())
            };
            let from = line("range: bytes=").and_then(|r| r.trim_end_matches('-').parse::<usize>().ok());
            let same = line("if-range:").is_none_or(|t| t == tag);
            heard.lock().unwrap().push(match from {
                Some(from) => format!("from {from}"),
                None => "all".to_owned(),
            });
            let act = acts[n.min(acts.len() - 1)].clone();
            n += 1;
            let (at, most) = match act {
                Act::Answer(text) => {
                    let _ = stream.write_all(text.as_bytes()).await;
                    continue;
                }
                Act::Whole => (0, usize::MAX),
                Act::All => (from.filter(|_| same).unwrap_or(0), usize::MAX),
                Act::Break(n) => (from.filter(|_| same).unwrap_or(0), n),
            };
            let all = data.len();
            let head = if at > 0 {
                format!(
                    "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {at}-{}/{all}",
                    all - 1
                )
            } else {
                "HTTP/1.1 200 OK".to_owned()
            };
            let tag = if tag.is_empty() {
                String::new()
            } else {
                format!("etag: {tag}\r\n")
            };
            let length = all - at;
            let head = format!("{head}\r\n{tag}content-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&data[at..at + most.min(length)]).await;
        }
    });
    Server {
        url: url.parse().unwrap(),
        asked,
    }
}

fn data() -> Vec<u8> {
    (0..300_000_u32).flat_map(|n| (n % 251).to_le_bytes()).collect()
}

const WANT: Want = Want {
    bytes: None,
    limit: 1 << 30,
    resume: false,
};

async fn fetch(server: &Server, to: &Path, want: Want) -> Result<u64> {
    let http = Http::new(Guard::new(vec!["127.0.0.1".parse().unwrap()])).unwrap();
    download(&http, &server.url, to, &want, &|_| {}).await
}

#[tokio::test]
async fn a_connection_that_breaks_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a.part");
    let s = server(
        data(),
        "\"one\"",
        vec![Act::Break(400_000), Act::Break(500_000), Act::All],
    )
    .await;
    assert_eq!(fetch(&s, &to, WANT).await.unwrap(), 1_200_000);
    assert_eq!(std::fs::read(&to).unwrap(), data());
    assert_eq!(*s.asked.lock().unwrap(), ["all", "from 400000", "from 900000"]);
}

#[tokio::test]
async fn without_a_tag_or_ranges_it_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a.part");
    let s = server(data(), "", vec![Act::Break(400_000), Act::All]).await;
    assert_eq!(fetch(&s, &to, WANT).await.unwrap(), 1_200_000);
    assert_eq!(std::fs::read(&to).unwrap(), data());
    assert_eq!(*s.asked.lock().unwrap(), ["all", "all"]);
    let s = server(data(), "\"one\"", vec![Act::Break(400_000), Act::Whole]).await;
    assert_eq!(fetch(&s, &to, WANT).await.unwrap(), 1_200_000);
    assert_eq!(std::fs::read(&to).unwrap(), data());
}

#[tokio::test]
async fn what_an_earlier_attempt_left_is_gone_on_with_where_a_digest_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a.part");
    let want = Want {
        bytes: Some(1_200_000),
        resume: true,
        ..WANT
    };
    std::fs::write(&to, &data()[..700_000]).unwrap();
    let s = server(data(), "", vec![Act::All]).await;
    assert_eq!(fetch(&s, &to, want).await.unwrap(), 1_200_000);
    assert_eq!(std::fs::read(&to).unwrap(), data());
    assert_eq!(*s.asked.lock().unwrap(), ["from 700000"]);
    // All of it: nothing is asked for.
    assert_eq!(fetch(&s, &to, want).await.unwrap(), 1_200_000);
    assert_eq!(s.asked.lock().unwrap().len(), 1);
    // Longer than the file: begun anew.
    std::fs::write(&to, [data(), data()].concat()).unwrap();
    let s = server(
        data(),
        "",
        vec![
            Act::Answer(
                "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            ),
            Act::All,
        ],
    )
    .await;
    assert_eq!(fetch(&s, &to, want).await.unwrap(), 1_200_000);
    assert_eq!(std::fs::read(&to).unwrap(), data());
}

#[tokio::test]
async fn sizes_are_held_to() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a.part");
    let s = server(data(), "", vec![Act::All]).await;
    let error = fetch(
        &s,
        &to,
        Want {
            limit: 1_000_000,
            ..WANT
        },
    )
    .await
    .unwrap_err();
    assert!(matches!(error, ConnectError::TooMuch(_)), "{error:?}");
    for bytes in [1_199_999, 1_200_001] {
        let want = Want {
            bytes: Some(bytes),
            ..WANT
        };
        let error = fetch(&s, &to, want).await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Wrong(m) if m.contains(&bytes.to_string())),
            "{error:?}"
        );
    }
    // Without a length there is no end to it but the limit.
    let s = server(
        Vec::new(),
        "",
        vec![Act::Answer(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nmany many bytes",
        )],
    )
    .await;
    let error = fetch(&s, &to, Want { limit: 5, ..WANT }).await.unwrap_err();
    assert!(matches!(error, ConnectError::TooMuch(_)), "{error:?}");
}

#[tokio::test]
async fn refusals_and_redirects() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a.part");
    let one = |text: &'static str| server(Vec::new(), "", vec![Act::Answer(text)]);
    let s = one("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let error = fetch(&s, &to, WANT).await.unwrap_err();
    assert!(
        matches!(&error, ConnectError::NotFound(m) if m.contains("/set/file.bin")),
        "{error:?}"
    );
    for target in [
        "http://169.254.169.254/latest/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
    ] {
        let text = format!(
            "HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let s = server(
            Vec::new(),
            "",
            vec![Act::Answer(Box::leak(text.into_boxed_str()))],
        )
        .await;
        let error = fetch(&s, &to, WANT).await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused(_)), "{target}: {error:?}");
    }
    assert_eq!(std::fs::metadata(&to).unwrap().len(), 0);
}
