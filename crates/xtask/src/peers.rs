//! `peers`: the field's own tools (pycocotools, torchvision, datumaro, Ultralytics, pandas, polars, MLflow, servers of datastores) against
//! the running server.

use crate::setup::{ffmpeg, postgres};
use crate::{serve, sh, ws};
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

pub fn run(args: Vec<String>) -> Result<ExitCode> {
    let python = ensure()?;
    ffmpeg::ensure()?;
    serve::build(false)?;
    let cluster = postgres::start()?;
    let own = if args.iter().any(|a| a == "--camvid") {
        &["outlines_journey.py", "formats_journey.py"][..]
    } else if args.iter().any(|a| a == "--voc") {
        &["coco_journey.py"][..]
    } else if args.iter().any(|a| a == "--mlflow") {
        &["mlflow_journey.py"][..]
    } else if args.iter().any(|a| a == "--mlflow-race") {
        &["mlflow_race.py"][..]
    } else if args.iter().any(|a| a == "--killed") {
        &["killed.py"][..]
    } else if args.iter().any(|a| a == "--lightning") {
        &["lightning_journey.py"][..]
    } else if args.iter().any(|a| a == "--coco") {
        &["samples_journey.py"][..]
    } else {
        &[
            "coco_journey.py",
            "outlines_journey.py",
            "keypoints_journey.py",
            "formats_journey.py",
            "videos_journey.py",
            "datasets_journey.py",
            "profile_journey.py",
            "mlflow_journey.py",
            "datastores_journey.py",
        ][..]
    };
    for (n, script) in own.iter().enumerate() {
        let database = format!("peers_{}_{n}", std::process::id());
        cluster.psql(&format!("CREATE DATABASE {database}"))?;
        let url = cluster.url_of(&database);
        let mut databases = vec![("SQLite", None), ("PostgreSQL", Some(url))];
        if matches!(*script, "profile_journey.py" | "mlflow_race.py" | "killed.py") {
            // By the command line alone, on local files; beside a peer on SQLite.
            databases.truncate(1);
        }
        for (name, extra) in databases {
            sh::step(&format!("{script}, on {name}"));
            let mut journey = Command::new(&python);
            ws::clean_env(&mut journey);
            journey
                .arg(ws::root().join("tests/peers").join(script))
                .arg("--limn")
                .arg(ws::server_bin(false))
                .args(&args);
            if let Some(url) = extra {
                journey.arg("--database-url").arg(url);
            }
            sh::run(&mut journey)?;
        }
        cluster.psql(&format!("DROP DATABASE {database} WITH (FORCE)"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Python with the peers installed, in a virtual environment under the target directory.
fn ensure() -> Result<PathBuf> {
    let dir = ws::target().join("peers");
    let python = dir.join("bin/python");
    let wanted = std::fs::read_to_string(ws::root().join("tests/peers/requirements.txt"))?;
    let stamp = dir.join("limn-stamp");
    if std::fs::read_to_string(&stamp).is_ok_and(|s| s == wanted) {
        return Ok(python);
    }
    if sh::which("python3").is_none() {
        bail!("the peers are Python packages: install python3 (3.10 or newer) with venv and run again");
    }
    sh::step(
        "set-up: a Python environment with pycocotools, torchvision, datumaro, Ultralytics, polars and MLflow (large)",
    );
    sh::run(Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
    sh::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(ws::root().join("tests/peers/requirements.txt")),
    )?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}
