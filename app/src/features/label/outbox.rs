//! What the server has not confirmed yet, in the browser's database (IndexedDB). Small JSON records by user and item.

use js_sys::{Array, Promise};
use leptos::prelude::window;
use limn_domain::{ItemId, ProjectId, UserId};
use limn_editor::LocalState;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbKeyRange, IdbObjectStore, IdbRequest, IdbTransactionMode};

const DATABASE: &str = "limn";
const STORE: &str = "outbox";
/// Records without pending work (undo logs) are dropped after this many days.
const KEEP_DAYS: f64 = 7.0;

/// One kept item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub user: UserId,
    pub project: ProjectId,
    /// For messages about it.
    pub name: String,
    /// When it was written, in milliseconds since 1970.
    pub at: f64,
    pub state: LocalState,
}

thread_local! {
    static OPEN: RefCell<Option<IdbDatabase>> = const { RefCell::new(None) };
}

fn key(user: UserId, item: ItemId) -> String {
    format!("{user}:{item}")
}

/// Resolves when a request has succeeded, with its result.
fn done(request: &IdbRequest) -> JsFuture {
    let request = request.clone();
    JsFuture::from(Promise::new(&mut |ok, fail| {
        let ask = request.clone();
        let success = Closure::once_into_js(move || {
            let _ = ok.call1(&JsValue::NULL, &ask.result().unwrap_or(JsValue::UNDEFINED));
        });
        let error = Closure::once_into_js(move || {
            let _ = fail.call1(&JsValue::NULL, &"the browser's database refused".into());
        });
        request.set_onsuccess(Some(success.unchecked_ref()));
        request.set_onerror(Some(error.unchecked_ref()));
    }))
}

async fn database() -> Result<IdbDatabase, JsValue> {
    if let Some(db) = OPEN.with_borrow(Clone::clone) {
        return Ok(db);
    }
    let factory = window().indexed_db()?.ok_or("this browser has no database")?;
    let request = factory.open_with_u32(DATABASE, 1)?;
    let ask = request.clone();
    let upgrade = Closure::once_into_js(move || {
        if let Ok(db) = ask.result().and_then(JsCast::dyn_into::<IdbDatabase>)
            && !db.object_store_names().contains(STORE)
        {
            let _ = db.create_object_store(STORE);
        }
    });
    request.set_onupgradeneeded(Some(upgrade.unchecked_ref()));
    let db: IdbDatabase = done(&request).await?.dyn_into()?;
    let forget = Closure::<dyn Fn()>::new(|| OPEN.set(None));
    db.set_onclose(Some(forget.as_ref().unchecked_ref()));
    db.set_onversionchange(Some(forget.as_ref().unchecked_ref()));
    forget.forget();
    OPEN.set(Some(db.clone()));
    Ok(db)
}

async fn store(mode: IdbTransactionMode) -> Result<IdbObjectStore, JsValue> {
    let db = database().await?;
    if let Ok(tx) = db.transaction_with_str_and_mode(STORE, mode) {
        return tx.object_store(STORE);
    }
    // The browser closed the connection meanwhile: once more on a fresh one.
    OPEN.set(None);
    database()
        .await?
        .transaction_with_str_and_mode(STORE, mode)?
        .object_store(STORE)
}

/// Keeps a record; it is safe when this returns.
pub async fn put(record: &Record) -> Result<(), JsValue> {
    let text = serde_json::to_string(record).map_err(|e| JsValue::from_str(&e.to_string()))?;
    let key = key(record.user, record.state.item_id);
    let request = store(IdbTransactionMode::Readwrite)
        .await?
        .put_with_key(&text.into(), &key.into())?;
    done(&request).await.map(drop)
}

/// The record of one item, if there is one. A record that cannot be read counts as none.
pub async fn get(user: UserId, item: ItemId) -> Option<Record> {
    let request = store(IdbTransactionMode::Readonly)
        .await
        .ok()?
        .get(&key(user, item).into())
        .ok()?;
    let text = done(&request).await.ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}

pub async fn remove(user: UserId, item: ItemId) {
    if let Ok(store) = store(IdbTransactionMode::Readwrite).await
        && let Ok(request) = store.delete(&key(user, item).into())
    {
        let _ = done(&request).await;
    }
}

/// Everything kept for a user, oldest first. Old records without pending work are cleared away.
pub async fn all(user: UserId) -> Vec<Record> {
    let Ok(records) = read_all(user).await else {
        return Vec::new();
    };
    let now = js_sys::Date::now();
    let (old, mut fresh): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|r| !r.state.is_pending() && now - r.at > KEEP_DAYS * 86_400_000.0);
    for r in old {
        remove(user, r.state.item_id).await;
    }
    fresh.sort_by(|a, b| a.at.total_cmp(&b.at));
    fresh
}

async fn read_all(user: UserId) -> Result<Vec<Record>, JsValue> {
    let range = IdbKeyRange::bound(&format!("{user}:").into(), &format!("{user}:\u{ffff}").into())?;
    let request = store(IdbTransactionMode::Readonly)
        .await?
        .get_all_with_key(&range.into())?;
    let rows: Array = done(&request).await?.dyn_into()?;
    Ok(rows
        .iter()
        .filter_map(|v| serde_json::from_str(&v.as_string()?).ok())
        .collect())
}
