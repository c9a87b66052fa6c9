//! Bytes through the services: images in, uploads in pieces, media out, the sample, and what is swept up.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod ingest;
mod media;
mod sample;
mod sweep;
mod uploads;

use bytes::Bytes;
use futures::{Stream, stream};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use limn_domain::item::{AddItemOutcome, Item};
use limn_domain::project::Task;
use limn_domain::{ApiError, Code, ProjectId, Role};
use limn_services::{Actor, Error, Result};
use limn_testkit::{Studio, TestDb, build};
use std::io::Cursor;

/// A studio with one project and one person of each kind.
struct World {
    studio: Studio,
    project: ProjectId,
    manager: Actor,
    viewer: Actor,
    outsider: Actor,
}

impl std::ops::Deref for World {
    type Target = Studio;

    fn deref(&self) -> &Studio {
        &self.studio
    }
}

async fn world(db: &TestDb) -> World {
    let studio = Studio::new(db);
    let project = build::project(db, "Raccoons", Task::Detection).await;
    let manager = studio.person("Mia", Role::Manager).await;
    let viewer = studio.person("Vic", Role::Viewer).await;
    let outsider = studio.person("Otto", Role::Manager).await;
    build::member(db, project, manager.user_id().unwrap(), Role::Manager).await;
    build::member(db, project, viewer.user_id().unwrap(), Role::Viewer).await;
    World {
        studio,
        project,
        manager,
        viewer,
        outsider,
    }
}

impl World {
    async fn add(&self, name: &str, bytes: impl Into<Bytes>) -> Result<AddItemOutcome> {
        self.ingest
            .add(&self.manager, self.project, name, body(bytes))
            .await
    }

    async fn added(&self, name: &str, bytes: impl Into<Bytes>) -> Item {
        match self.add(name, bytes).await.unwrap() {
            AddItemOutcome::Added { item } => *item,
            AddItemOutcome::Unchanged { .. } => panic!("`{name}` was there"),
        }
    }
}

/// A body in small pieces.
fn body(bytes: impl Into<Bytes>) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    let bytes = bytes.into();
    let pieces: Vec<_> = (0..bytes.len())
        .step_by(1000)
        .map(|i| bytes.slice(i..bytes.len().min(i + 1000)))
        .collect();
    stream::iter(pieces.into_iter().map(Ok))
}

/// A body that breaks off after some bytes.
fn broken(bytes: impl Into<Bytes>) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::iter([Ok(bytes.into()), Err(std::io::Error::other("connection reset"))])
}

fn picture(width: u32, height: u32, shade: u8, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_pixel(width, height, Rgb([shade, 80, 160])))
        .write_to(&mut out, format)
        .unwrap();
    out.into_inner()
}

fn png(shade: u8) -> Vec<u8> {
    picture(40, 30, shade, ImageFormat::Png)
}

/// What a client sees.
fn refusal<T: std::fmt::Debug>(result: Result<T>) -> ApiError {
    match result {
        Err(Error::Api(e)) => e,
        other => panic!("not a refusal: {other:?}"),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    refusal(result).code
}
