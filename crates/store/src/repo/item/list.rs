//! Lists of items: filters, sort orders and keyset pages.

use super::{COLUMNS, ItemRow};
use crate::dialect::Dialect;
use crate::{StoreError, Tx, on_tx};
use limn_domain::item::{Item, ItemSort, ItemStatus};
use limn_domain::{CategoryId, ProjectId, Timestamp, UserId, validate};

/// Up to this many labels of a category it is quicker to start from the labels than from the items.
const FEW: i64 = 5_000;

/// Which items of a project; absent fields do not filter.
#[derive(Debug, Clone)]
pub struct Filter {
    pub project: ProjectId,
    pub status: Option<ItemStatus>,
    /// Items with a label or proposal of this category.
    pub category: Option<CategoryId>,
    /// Items submitted or skipped by this person.
    pub annotator: Option<UserId>,
    /// Part of the name, regardless of case; taken literally.
    pub text: Option<String>,
}

impl Filter {
    /// Every item of the project.
    pub const fn all(project: ProjectId) -> Self {
        Self {
            project,
            status: None,
            category: None,
            annotator: None,
            text: None,
        }
    }

    /// The text as a `LIKE` pattern with `\` as its escape.
    pub(super) fn pattern(&self) -> Option<String> {
        let text = validate::name_key(self.text.as_deref()?);
        let mut pattern = String::with_capacity(text.len() + 2);
        pattern.push('%');
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        Some(pattern)
    }
}

/// Where a page ends: the sort key of its last row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Export id.
    Added(i64),
    /// Lower-case name.
    Name(String),
    /// Time and export id.
    Updated(Timestamp, i64),
    /// Number of labels and export id.
    Annotations(i64, i64),
}

impl Key {
    /// The key of an item in this order.
    pub fn of(sort: ItemSort, item: &Item) -> Self {
        match sort {
            ItemSort::Added => Self::Added(item.export_id),
            ItemSort::Name => Self::Name(validate::name_key(&item.name)),
            ItemSort::Updated => Self::Updated(item.updated_at, item.export_id),
            ItemSort::Annotations => Self::Annotations(item.annotation_count, item.export_id),
        }
    }

    const fn sort(&self) -> ItemSort {
        match self {
            Self::Added(_) => ItemSort::Added,
            Self::Name(_) => ItemSort::Name,
            Self::Updated(..) => ItemSort::Updated,
            Self::Annotations(..) => ItemSort::Annotations,
        }
    }
}

/// Appends the conditions of a filter to a query over `item`.
macro_rules! push_filter {
    ($q:expr, $filter:expr, $columns:expr) => {{
        let (q, f) = (&mut $q, $filter);
        q.push(" WHERE ")
            .push($columns.project)
            .push(" = ")
            .push_bind(f.project);
        if let Some(status) = f.status {
            q.push(" AND ")
                .push($columns.status)
                .push(" = ")
                .push_bind(status);
        }
        if let Some(category) = f.category {
            if $columns.few {
                q.push(" AND id IN (SELECT a.item_id FROM annotation a WHERE a.category_id = ")
                    .push_bind(category)
                    .push(")");
            } else {
                // All sources by name, so that the index on category, source and item serves.
                q.push(
                    " AND EXISTS (SELECT 1 FROM annotation a WHERE a.item_id = item.id AND a.category_id = ",
                )
                .push_bind(category)
                .push(" AND a.source IN ('human', 'import', 'prelabel'))");
            }
        }
        if let Some(user) = f.annotator {
            q.push(" AND done_by = ").push_bind(user);
        }
        if let Some(pattern) = f.pattern() {
            q.push(" AND name_key LIKE ")
                .push_bind(pattern)
                .push(" ESCAPE '\\'");
        }
    }};
}
pub(super) use push_filter;

/// A page of items after `after` (which must be of this sort order, else it is ignored), at most `limit`.
pub async fn page(
    tx: &mut Tx,
    filter: &Filter,
    sort: ItemSort,
    after: Option<&Key>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Item>, StoreError> {
    let columns = Columns::choose(tx, filter, sort).await?;
    let rows: Vec<ItemRow> = on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new("SELECT ");
        q.push(COLUMNS).push(" FROM item");
        push_filter!(q, filter, columns);
        match after.filter(|k| k.sort() == sort) {
            Some(Key::Added(id)) => {
                q.push(" AND export_id > ").push_bind(*id);
            }
            Some(Key::Name(name)) => {
                q.push(" AND name_key > ").push_bind(name);
            }
            Some(Key::Updated(at, id)) => {
                q.push(" AND (updated_at, export_id) < (").push_bind(*at).push(", ").push_bind(*id).push(")");
            }
            Some(Key::Annotations(n, id)) => {
                q.push(" AND (annotation_count, export_id) < (").push_bind(*n).push(", ").push_bind(*id).push(")");
            }
            None => {}
        }
        q.push(match sort {
            ItemSort::Added => " ORDER BY export_id",
            ItemSort::Name => " ORDER BY name_key",
            ItemSort::Updated => " ORDER BY updated_at DESC, export_id DESC",
            ItemSort::Annotations => " ORDER BY annotation_count DESC, export_id DESC",
        });
        q.push(" LIMIT ").push_bind(limit);
        q.build_query_as().fetch_all(conn).await?
    });
    Ok(rows.into_iter().map(|r| r.into_item(now)).collect())
}

/// How many items match. Reads them all unless only `status` or `annotator` filters.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let columns = Columns::choose(tx, filter, ItemSort::Added).await?;
    Ok(on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new("SELECT count(*) FROM item");
        push_filter!(q, filter, columns);
        q.build_query_scalar().fetch_one(conn).await?
    }))
}

/// How the columns of a filter are written so that the right index is taken: on SQLite a `+` keeps a column from
/// choosing one (PostgreSQL knows its rows and chooses itself).
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub project: &'static str,
    pub status: &'static str,
    /// The category has so few labels that it is quicker to start from them.
    pub few: bool,
}

impl Columns {
    pub async fn choose(tx: &mut Tx, filter: &Filter, sort: ItemSort) -> Result<Self, StoreError> {
        let few = has_few(tx, filter).await?;
        let sqlite = Dialect::of(tx) == Dialect::Sqlite;
        Ok(Self {
            project: if sqlite && few {
                "+project_id"
            } else {
                "project_id"
            },
            // In other orders than that of the index on status all items of the status would be sorted for each page.
            status: if sqlite && (few || sort != ItemSort::Added) {
                "+status"
            } else {
                "status"
            },
            few,
        })
    }
}

/// Whether the filter's category has few labels.
async fn has_few(tx: &mut Tx, filter: &Filter) -> Result<bool, StoreError> {
    let Some(category) = filter.category else {
        return Ok(false);
    };
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM annotation WHERE category_id = $1 LIMIT $2) AS few",
        )
        .bind(category)
        .bind(FEW + 1)
        .fetch_one(conn)
        .await?
    });
    Ok(n <= FEW)
}
