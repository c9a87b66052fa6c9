//! `serve`, `worker`, `migrate`: processes on the server's own machine.

use crate::compose::{self, Background};
use crate::config::{Config, Log};
use crate::{app, cli};
use anyhow::{Context as _, Result};
use axum::serve::ListenerExt as _;
use limn_services::Services;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Longest that answers under way may take when the server stops.
const FINISH: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or Ctrl-C.
pub async fn serve(config: Config) -> Result<()> {
    start_log(&config.log);
    let _claimed = compose::claim(&config)?;
    let services = compose::open(&config).await?;
    compose::fits_in(&services).await?;
    if config.job_workers > 0 {
        compose::open_processor(&config).await?;
    }
    let listener = TcpListener::bind(config.addr)
        .await
        .with_context(|| format!("cannot listen on {}; choose another with --addr", config.addr))?;
    let url = config.public_url.clone().unwrap_or_else(|| {
        format!(
            "http://{}",
            reachable(listener.local_addr().unwrap_or(config.addr))
        )
    });
    let workers = config.job_workers;
    let (state, router) = app::build(services.clone(), config);
    let background = Background::start(&services, workers);
    let stop = stop_signal();

    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    // Else the end of a small reply waits for the client to acknowledge its beginning: 40 ms.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let server = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut server = tokio::spawn(server.into_future());
    announce(&services, &url).await?;

    tokio::select! {
        ended = &mut server => ended.context("the server ended")?.context("the server ended")?,
        () = stop.cancelled() => {
            eprintln!("Stopping; what is under way is finished or handed back.");
            state.stop();
            let (served, ()) = tokio::join!(tokio::time::timeout(FINISH, &mut server), background.stop());
            if served.is_err() {
                tracing::warn!("some requests did not end in time and were cut off");
                server.abort();
            }
        }
    }
    close(services).await;
    Ok(())
}

/// The lines that people and scripts wait for.
async fn announce(services: &Services, url: &str) -> Result<()> {
    cli::print(&format!("Limn is ready at {url}"))?;
    if let Some(secret) = services.auth.new_setup_secret().await? {
        cli::print(&format!(
            "Nobody has an account yet. Create the admin's with this link, which works once:\n{url}/setup?token={secret}"
        ))?;
    }
    Ok(())
}

/// Runs jobs until SIGTERM or Ctrl-C; answers whether it lives at `health`, if that is given.
pub async fn worker(config: Config, health: Option<SocketAddr>) -> Result<()> {
    start_log(&config.log);
    let _claimed = compose::claim(&config)?;
    let services = compose::open(&config).await?;
    compose::fits_in(&services).await?;
    compose::open_processor(&config).await?;
    let stop = stop_signal();
    if let Some(addr) = health {
        let listener = TcpListener::bind(addr)
            .await
            .with_context(|| format!("cannot listen on {addr}; choose another with --health"))?;
        let at = listener.local_addr().unwrap_or(addr);
        let router = crate::health::of_worker(services.clone(), stop.clone());
        // Ends with the process.
        tokio::spawn(axum::serve(listener, router).into_future());
        cli::print(&format!("Limn's worker answers at http://{at}/readyz"))?;
    }
    let background = Background::start(&services, config.job_workers.max(1));
    cli::print("Limn's worker is ready")?;
    stop.cancelled().await;
    eprintln!("Stopping; running jobs are handed back.");
    background.stop().await;
    close(services).await;
    Ok(())
}

/// Brings the database up to date.
pub async fn migrate(config: Config) -> Result<()> {
    start_log(&config.log);
    let services = compose::open(&config).await?;
    close(services).await;
    cli::print("The database is up to date.")
}

async fn close(services: Services) {
    let closing = services.context.db.close();
    if tokio::time::timeout(Duration::from_secs(3), closing)
        .await
        .is_err()
    {
        tracing::warn!("the database did not close in time");
    }
}

/// Ends with the first SIGTERM or Ctrl-C; the second one ends the process at once.
fn stop_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let told = token.clone();
    tokio::spawn(async move {
        signal().await;
        told.cancel();
        signal().await;
        std::process::exit(1);
    });
    token
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// An address to put into a link: "any" becomes this machine.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// Logs to stderr; `RUST_LOG` wins over the configuration.
pub(super) fn start_log(log: &Log) {
    let mut filter = std::env::var("RUST_LOG").unwrap_or_else(|_| log.filter.clone());
    if !filter.contains("tiberius") {
        // Says as an error of ours what a database answers to somebody's query.
        filter.push_str(",tiberius=off");
    }
    let filter = filter
        .parse::<EnvFilter>()
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first.
    let started = if log.json {
        builder.json().try_init()
    } else {
        builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init()
    };
    drop(started);
}
