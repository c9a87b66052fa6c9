//! The server under test and an HTTP client for it.

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

pub struct Server {
    program: PathBuf,
    data: tempfile::TempDir,
    child: Child,
    pub url: String,
    /// From the start of the process to its first answer.
    pub started_in: Duration,
    pub admin: Client,
}

impl Server {
    /// Starts the program on a fresh SQLite data directory and makes an admin.
    pub async fn start(program: &Path) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let begin = Instant::now();
        let mut child = Command::new(program)
            .arg("serve")
            .arg("--data-dir")
            .arg(data.path())
            .args(["--addr", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let url = loop {
            let line = lines
                .next_line()
                .await?
                .context("the server ended before it was ready")?;
            if let Some(url) = line.strip_prefix("Limn is ready at ") {
                break url.trim().trim_end_matches('/').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let page = reqwest::get(format!("{url}/sign-in")).await?;
        if !page.status().is_success() {
            bail!("the first page answered {}", page.status());
        }
        page.bytes().await?;
        let started_in = begin.elapsed();
        let mut server = Self {
            program: program.to_owned(),
            data,
            child,
            admin: Client::new(&url, ""),
            url,
            started_in,
        };
        let token = server.create_user("admin@example.org", "admin").await?;
        server.admin = Client::new(&server.url, &token);
        Ok(server)
    }

    /// Makes a user by the command line and answers an API token.
    pub async fn create_user(&self, email: &str, role: &str) -> Result<String> {
        self.admin_command(
            &[
                "create-user",
                "--email",
                email,
                "--role",
                role,
                "--password-stdin",
            ],
            "correct horse battery staple\n",
        )
        .await?;
        self.admin_command(&["create-token", "--email", email, "--name", "bench"], "")
            .await
    }

    async fn admin_command(&self, args: &[&str], input: &str) -> Result<String> {
        let mut child = Command::new(&self.program)
            .arg("admin")
            .arg(args[0])
            .arg("--data-dir")
            .arg(self.data.path())
            .args(&args[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).await?;
        }
        let out = child.wait_with_output().await?;
        if !out.status.success() {
            bail!("limn admin {} failed", args[0]);
        }
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    }

    /// A field of /proc/PID/status, in MB (10^6 bytes); `None` where there is no such file.
    pub fn memory_mb(&self, field: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find(|l| l.starts_with(field))?;
        let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024.0 / 1e6)
    }

    /// Forgets the peak, so that `VmHWM` tells that of what comes next.
    pub fn reset_peak(&self) {
        if let Some(pid) = self.child.id() {
            // Only the figure suffers where this is not possible.
            drop(std::fs::write(format!("/proc/{pid}/clear_refs"), "5"));
        }
    }

    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

/// JSON over HTTP as one token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    pub fn new(url: &str, token: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            token: token.to_owned(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        let mut request = self.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(&format!("{method} {path}"), request).await
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call(Method::GET, path, None::<&()>).await
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.call(Method::POST, path, Some(body)).await
    }
}

/// The JSON answer; an error carries what the server said.
pub async fn answer<T: DeserializeOwned>(what: &str, request: reqwest::RequestBuilder) -> Result<T> {
    let response = request.send().await?;
    let status = response.status();
    let bytes = response.bytes().await?;
    if !status.is_success() {
        bail!("{what}: {status} {}", String::from_utf8_lossy(&bytes));
    }
    let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(bytes).with_context(|| format!("{what}: unexpected answer"))
}
