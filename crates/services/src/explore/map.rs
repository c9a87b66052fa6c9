//! Pictures of a version as points of a map, alike ones together. A job describes the pictures and lays them out; where each lies is kept
//! in a file beside the index. What passes a filter and which colour it has is said when it is asked.

use super::similar::{NO_MODELS, describe};
use super::{Explore, Payload, check, entries};
use crate::assist::port::{Described, Engine, EngineError, StopCheck};
use crate::jobs::kind;
use crate::versions::visible;
use crate::{Actor, Context, Error, Result};
use limn_domain::dataset::Version;
use limn_domain::explore::{ExploreFilter, ExploreQuery};
use limn_domain::job::Job;
use limn_domain::map::{
    CORNERS_MAX, FILES_MAX, MapArea, MapAsk, MapFile, MapHead, MapPoints, PASSES, POINTS_MAX,
};
use limn_domain::{Action, Code, VersionId};
use limn_explore::{Bits, Colors, Index, Layer, Looks, Map};
use limn_jobs::{Cancelled, Handler, Permanent, Progress};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The column that pictures alone have.
const OF_PICTURES: &str = "width";
/// What the job says while it works.
const LAYING: &str = "Laying out the map";

/// Names what made a map: other descriptions, or another way to lay them out, make another one.
fn key(engine: &dyn Engine) -> String {
    format!("{} {}", engine.look_version(), engine.plane_version())
}

/// Lays out the pictures of a version. Safe to run again.
pub(crate) struct MapJob(pub Context);

#[async_trait::async_trait]
impl Handler for MapJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let engine = self
            .0
            .engine
            .clone()
            .ok_or_else(|| Permanent(NO_MODELS.to_owned()))?;
        let version = Payload::version(&self.0, payload).await?;
        let key = key(engine.as_ref());
        // Asked for twice while it waited.
        if self.0.maps.get(version.id, &key).await?.is_some() {
            return Ok(None);
        }
        let known = self.0.looks.get(version.id, engine.look_version()).await?;
        let looks = if let Some(looks) = known {
            looks
        } else {
            let (new, _) = describe(&self.0, &version, &engine, &progress).await?;
            self.0.looks.put(version.id, new).await?
        };
        let map = lay_out(engine, looks, key, &progress).await?;
        let (files, pictures) = (map.rows(), map.placed().count());
        self.0.maps.put(version.id, map).await?;
        progress
            .log(format!("{pictures} of {files} files are pictures on the map."))
            .await?;
        Ok(None)
    }
}

async fn lay_out(
    engine: Arc<dyn Engine>,
    looks: Arc<Looks>,
    key: String,
    progress: &Progress,
) -> anyhow::Result<Map> {
    let rows: Vec<u32> = looks
        .described()
        .iter()
        .filter_map(|row| u32::try_from(row).ok())
        .collect();
    let total = rows.len() as i64;
    progress.report(0, total, LAYING).await?;
    let (token, teller) = (progress.token().clone(), progress.clone());
    let work = move || -> std::result::Result<Map, EngineError> {
        let things = Described {
            bytes: looks.bytes(),
            dims: looks.dims(),
            rows: &rows,
        };
        let tell = |share: f32| teller.note((f64::from(share) * total as f64) as i64, total, LAYING);
        let stop: StopCheck = Arc::new(move || token.is_cancelled());
        let places = engine.plane(things, &tell, &stop)?;
        let mut map = Map::new(&key, looks.rows());
        for (row, at) in rows.iter().zip(places) {
            map.place(*row as usize, at);
        }
        Ok(map)
    };
    match tokio::task::spawn_blocking(work).await? {
        Ok(map) => Ok(map),
        Err(EngineError::Stopped) => Err(Cancelled.into()),
        Err(EngineError::Refused(why) | EngineError::Broken(why)) => Err(Permanent(why).into()),
    }
}

/// The points of a map, or the job that prepares for them.
#[derive(Debug)]
pub enum MapAnswer {
    Points(MapPoints),
    Waits(Box<Job>),
}

/// A version that is indexed and laid out.
struct Laid {
    version: Version,
    index: Arc<Index>,
    layer: Arc<Layer>,
    map: Arc<Map>,
}

enum State {
    Laid(Box<Laid>),
    Waits(Box<Job>),
}

impl Explore {
    /// The map of a version's pictures, with what passes a filter and the colours of a facet. Errors: `WrongState` where there are no
    /// pictures, and on a server without models.
    pub async fn map(
        &self,
        actor: &Actor,
        version: VersionId,
        filter: ExploreFilter,
        color: Option<String>,
    ) -> Result<MapAnswer> {
        let filter = checked(filter)?;
        let laid = match self.laid_out(actor, version).await? {
            State::Laid(laid) => laid,
            State::Waits(job) => return Ok(MapAnswer::Waits(job)),
        };
        let points = tokio::task::spawn_blocking(move || laid.points(&filter, color.as_deref()));
        Ok(MapAnswer::Points(points.await.map_err(anyhow::Error::from)??))
    }

    /// The files of a version by their places in the order of paths, and by their paths; those that are not there are left out.
    pub async fn map_files(&self, actor: &Actor, version: VersionId, ask: MapAsk) -> Result<Vec<MapFile>> {
        if ask.rows.len() + ask.paths.len() > FILES_MAX {
            return Err(Error::field(
                "rows",
                format!("Ask about at most {FILES_MAX} files at once."),
            ));
        }
        let (found, index, _) = self.tagged(actor, version, Action::ViewDataset).await?;
        let by_path = ask
            .paths
            .iter()
            .filter_map(|path| index.row(&limn_versions::key(path)));
        let by_row = ask.rows.iter().map(|row| *row as usize);
        let rows: BTreeSet<usize> = by_row.filter(|row| *row < index.rows()).chain(by_path).collect();
        self.named(&found, &index, rows.into_iter().collect()).await
    }

    /// The files that lie in an area of the map. Errors: `WrongState` while there is no map yet, a field where they are too many.
    pub async fn map_area(
        &self,
        actor: &Actor,
        version: VersionId,
        mut area: MapArea,
    ) -> Result<Vec<MapFile>> {
        area.filter = checked(area.filter)?;
        if !(3..=CORNERS_MAX).contains(&area.corners.len()) {
            return Err(Error::field(
                "corners",
                format!("An area has 3 to {CORNERS_MAX} corners."),
            ));
        }
        let laid = match self.laid_out(actor, version).await? {
            State::Laid(laid) => laid,
            State::Waits(job) => {
                return Err(Error::new(
                    Code::WrongState,
                    format!(
                        "The map is being made; ask again when the job {} is done.",
                        job.id
                    ),
                ));
            }
        };
        let (found, index) = (laid.version.clone(), Arc::clone(&laid.index));
        let rows = tokio::task::spawn_blocking(move || laid.rows_in(&area));
        let rows = rows.await.map_err(anyhow::Error::from)??;
        if rows.len() > FILES_MAX {
            return Err(Error::field(
                "corners",
                format!(
                    "The area holds {} files; {FILES_MAX} are the most at once. Draw a smaller one, or filter first.",
                    rows.len()
                ),
            ));
        }
        self.named(&found, &index, rows).await
    }

    async fn laid_out(&self, actor: &Actor, version: VersionId) -> Result<State> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let Some(index) = self.0.indexes.get(version).await? else {
            drop(tx);
            return Ok(State::Waits(Box::new(self.prepare(&found).await?)));
        };
        let layer = self.0.layers.over(&mut tx, &found, &index).await?;
        drop(tx);
        if !index.has_numbers(OF_PICTURES) {
            return Err(Error::new(
                Code::WrongState,
                "This version holds no pictures. A map lays out pictures by what they look like; other files are in the list.",
            ));
        }
        let Some(engine) = &self.0.engine else {
            return Err(Error::new(Code::WrongState, NO_MODELS));
        };
        let map = self.0.maps.get(version, &key(engine.as_ref())).await?;
        let Some(map) = map.filter(|m| m.rows() == index.rows()) else {
            let job = self.start(&found, kind::MAP, "Map the pictures of").await?;
            return Ok(State::Waits(Box::new(job)));
        };
        Ok(State::Laid(Box::new(Laid {
            version: found,
            index,
            layer,
            map,
        })))
    }

    async fn named(&self, version: &Version, index: &Index, rows: Vec<usize>) -> Result<Vec<MapFile>> {
        let keys: Vec<String> = rows.iter().map(|row| index.key(*row).to_owned()).collect();
        let mut tx = self.0.db.read().await?;
        let found = entries(&mut tx, version, &keys).await?;
        let files = rows.into_iter().zip(found).map(|(row, entry)| MapFile {
            row: row as u32,
            path: entry.path,
        });
        Ok(files.collect())
    }
}

impl Laid {
    fn passing(&self, filter: &ExploreFilter) -> Result<Bits> {
        let passing = self.index.passing(std::slice::from_ref(&*self.layer), filter);
        passing.map_err(|e| Error::field("filter", e))
    }

    fn colors(&self, name: Option<&str>) -> Result<Colors> {
        let Some(name) = name else {
            return Ok(Colors::none(self.index.rows()));
        };
        let colors = self.index.colors(std::slice::from_ref(&*self.layer), name);
        colors.map_err(|e| Error::field("color", e))
    }

    fn points(&self, filter: &ExploreFilter, color: Option<&str>) -> Result<MapPoints> {
        let passing = self.passing(filter)?;
        let colors = self.colors(color)?;
        let placed = self.map.placed();
        let mut matched = placed.clone();
        matched.and(&passing);
        let (legend, others, without) = colors.legend(&matched);
        let shown = self.map.thinned(&passing, POINTS_MAX);
        let mut points = MapPoints {
            head: MapHead {
                total: self.index.rows() as i64,
                placed: placed.count() as i64,
                matched: matched.count() as i64,
                label: colors.label,
                legend,
                others,
                without,
            },
            ..MapPoints::default()
        };
        for row in shown.iter() {
            let (Some(at), Some(color)) = (self.map.at(row), colors.of.get(row)) else {
                continue;
            };
            points.rows.push(row as u32);
            points.at.push(at);
            let passes = if passing.contains(row) { PASSES } else { 0 };
            points.marks.push(color | passes);
        }
        Ok(points)
    }

    fn rows_in(&self, area: &MapArea) -> Result<Vec<usize>> {
        let corners: Vec<[f32; 2]> = area.corners.iter().map(|c| [c.x as f32, c.y as f32]).collect();
        let mut rows = self.map.within(&corners);
        rows.and(&self.passing(&area.filter)?);
        if area.hidden.is_empty() || area.color.is_none() {
            return Ok(rows.iter().collect());
        }
        let colors = self.colors(area.color.as_deref())?;
        // However long the list is: it is looked at once, not for every file.
        let mut hidden = [false; 256];
        for color in &area.hidden {
            hidden[usize::from(*color)] = true;
        }
        let is_hidden = |row: &usize| colors.of.get(*row).is_some_and(|c| hidden[usize::from(*c)]);
        Ok(rows.iter().filter(|row| !is_hidden(row)).collect())
    }
}

/// A filter that is not too large.
fn checked(filter: ExploreFilter) -> Result<ExploreFilter> {
    let query = ExploreQuery {
        filter,
        ..ExploreQuery::default()
    };
    check(&query)?;
    Ok(query.filter)
}
