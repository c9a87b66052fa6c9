//! Server functions of the datastore pages.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::DatastoreId;
use limn_domain::datastore::{
    Datastore, DatastoreUsage, NewDatastore, RotateSecrets, StorePage, StorePreview, StoreTable,
    TablePreview, TestOutcome, UpdateDatastore,
};
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "datastore/list", input = Json)]
pub async fn datastore_list() -> Result<Vec<Datastore>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.list(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/get", input = Json)]
pub async fn datastore_get(datastore: DatastoreId) -> Result<Datastore, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.get(&actor, datastore).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/try", input = Json)]
pub async fn datastore_try(input: NewDatastore) -> Result<TestOutcome, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.try_new(&actor, &input).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/create", input = Json)]
pub async fn datastore_create(input: NewDatastore) -> Result<Datastore, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.create(&actor, input).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/update", input = Json)]
pub async fn datastore_update(datastore: DatastoreId, input: UpdateDatastore) -> Result<Datastore, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.update(&actor, datastore, input).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/rotate", input = Json)]
pub async fn datastore_rotate(datastore: DatastoreId, input: RotateSecrets) -> Result<Datastore, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.rotate(&actor, datastore, input).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/delete", input = Json)]
pub async fn datastore_delete(datastore: DatastoreId, even_if_used: bool) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services
        .datastores
        .delete(&actor, datastore, even_if_used)
        .await?)
}

#[server(prefix = "/ui", endpoint = "datastore/test", input = Json)]
pub async fn datastore_test(datastore: DatastoreId) -> Result<TestOutcome, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.test(&actor, datastore).await?)
}

#[server(name = GetDatastoreUsage, prefix = "/ui", endpoint = "datastore/usage", input = Json)]
pub async fn datastore_usage(datastore: DatastoreId) -> Result<DatastoreUsage, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.usage(&actor, datastore).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/browse", input = Json)]
pub async fn datastore_browse(
    datastore: DatastoreId,
    path: String,
    cursor: Option<String>,
) -> Result<StorePage, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services
        .datastores
        .browse(&actor, datastore, &path, cursor.as_deref())
        .await?)
}

#[server(prefix = "/ui", endpoint = "datastore/preview", input = Json)]
pub async fn datastore_preview(datastore: DatastoreId, path: String) -> Result<StorePreview, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.preview(&actor, datastore, &path).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/tables", input = Json)]
pub async fn datastore_tables(datastore: DatastoreId) -> Result<Vec<StoreTable>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.tables(&actor, datastore).await?)
}

#[server(prefix = "/ui", endpoint = "datastore/query", input = Json)]
pub async fn datastore_query(datastore: DatastoreId, sql: String) -> Result<TablePreview, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.query(&actor, datastore, &sql).await?)
}
