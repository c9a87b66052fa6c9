//! Which file is which point: asked of the server when somebody wants to know.

use super::super::super::api;
use super::super::super::shape::file_url;
use super::Board;
use crate::fmt;
use crate::ui::use_toasts;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::Point;
use limn_domain::map::{CORNERS_MAX, FILES_MAX, MapArea, MapAsk, MapFile};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Paths by row and rows by path, as far as they are known.
#[derive(Debug, Clone, Default)]
pub struct Names {
    paths: HashMap<u32, String>,
    rows: HashMap<String, u32>,
    /// Paths that were asked about: those that are still unknown are not here.
    asked: HashSet<String>,
}

impl Names {
    pub fn path(&self, row: u32) -> Option<&String> {
        self.paths.get(&row)
    }

    pub fn row(&self, path: &str) -> Option<u32> {
        self.rows.get(path).copied()
    }

    fn learn(&mut self, files: &[MapFile]) {
        for f in files {
            self.paths.insert(f.row, f.path.clone());
            self.rows.insert(f.path.clone(), f.row);
        }
    }

    /// Those of some paths that are unknown, which then count as asked about.
    fn unknown(&mut self, paths: &BTreeSet<String>) -> Vec<String> {
        let fresh = |p: &&String| !self.rows.contains_key(*p) && !self.asked.contains(*p);
        let unknown: Vec<String> = paths.iter().filter(fresh).take(FILES_MAX).cloned().collect();
        self.asked.extend(unknown.iter().cloned());
        unknown
    }
}

/// Finds the points of files that are selected elsewhere.
pub fn use_selected(board: Board) {
    Effect::new(move |_| {
        let unknown = board
            .e
            .selected
            .with(|s| board.names.try_update_untracked(|n| n.unknown(s)))
            .unwrap_or_default();
        if !unknown.is_empty() {
            board.learn(MapAsk {
                paths: unknown,
                ..MapAsk::default()
            });
        }
    });
}

impl Board {
    /// Asks for names. One that does not come is asked for again when it is wanted again.
    fn learn(self, ask: MapAsk) {
        spawn_local(async move {
            if let Ok(files) = api::version_map_files(self.e.version, ask).await {
                self.names.try_update(|n| n.learn(&files));
            }
        });
    }

    /// Asks for the names of some points that have none yet.
    pub fn name(self, points: &[u32]) {
        let all = self.points.get_untracked();
        let rows = points.iter().filter_map(|p| all.row(*p));
        let rows: Vec<u32> = self
            .names
            .with_untracked(|n| rows.filter(|r| n.path(*r).is_none()).collect());
        if !rows.is_empty() {
            self.learn(MapAsk {
                rows,
                ..MapAsk::default()
            });
        }
    }

    /// The path of a point, when it is known; follows changes.
    pub fn path(self, point: u32) -> Option<String> {
        let row = self.points.with(|p| p.row(point))?;
        self.names.with(|n| n.path(row).cloned())
    }

    /// Runs something with the path of a point, as soon as it is known.
    pub fn with_path(self, point: u32, run: impl FnOnce(String) + 'static) {
        let Some(row) = self.points.with_untracked(|p| p.row(point)) else {
            return;
        };
        if let Some(path) = self.names.with_untracked(|n| n.path(row).cloned()) {
            run(path);
            return;
        }
        let toasts = use_toasts();
        spawn_local(async move {
            let ask = MapAsk {
                rows: vec![row],
                ..MapAsk::default()
            };
            match api::version_map_files(self.e.version, ask).await {
                Ok(files) => {
                    self.names.try_update(|n| n.learn(&files));
                    if let Some(file) = files.into_iter().next() {
                        run(file.path);
                    }
                }
                Err(error) => toasts.error(&error),
            }
        });
    }

    /// Opens a point's file, as a click on it in the grid does.
    pub fn open(self, point: u32) {
        self.with_path(point, move |path| {
            let _ = window().location().assign(&file_url(self.e.version, &path));
        });
    }

    /// Selects a point's file, or no longer.
    pub fn toggle(self, point: u32) {
        self.with_path(point, move |path| {
            self.e.selected.try_update(|s| {
                if !s.remove(&path) {
                    s.insert(path);
                }
            });
        });
    }

    /// Selects the files in what is seen of the map.
    pub fn select_in_view(self) {
        let (w, h) = self.camera.with_untracked(|c| c.screen());
        self.select(&[(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)], false);
    }

    /// Adds the files in an area of the screen to those that are selected, or takes them out.
    pub fn select(self, outline: &[(f64, f64)], takes_out: bool) {
        let camera = self.camera.get_untracked();
        let step = outline.len().div_ceil(CORNERS_MAX).max(1);
        let corners: Vec<Point> = outline
            .iter()
            .step_by(step)
            .map(|at| camera.to_plane(*at))
            .map(|(x, y)| Point::new(x, y))
            .collect();
        if corners.len() < 3 {
            return;
        }
        let facet = self.facet.get_untracked();
        let area = MapArea {
            filter: self.e.query.with_untracked(|q| q.filter.clone()),
            corners,
            color: Some(facet).filter(|f| !f.is_empty()),
            hidden: self.hidden.get_untracked().list(),
        };
        let toasts = use_toasts();
        self.busy.set(true);
        spawn_local(async move {
            let answer = api::version_map_area(self.e.version, area).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(files) if files.is_empty() => toasts.info("No file lies there."),
                Ok(files) => {
                    self.names.update(|n| n.learn(&files));
                    let count = files.len() as i64;
                    self.e.selected.update(|s| {
                        for f in files {
                            if takes_out {
                                s.remove(&f.path);
                            } else {
                                s.insert(f.path);
                            }
                        }
                    });
                    if takes_out {
                        let files = fmt::counted(count, "file", "files");
                        toasts.info(format!("{files} there are no longer selected."));
                    }
                }
                Err(error) => toasts.error(&error),
            }
        });
    }
}
