//! Datastores: where data lives.

use super::extract::{Caller, Id, Json, Query};
use super::{Made, made};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::DatastoreId;
use limn_domain::datastore::{
    Datastore, DatastoreUsage, NewDatastore, RotateSecrets, StorePage, StorePreview, StoreTable,
    TablePreview, TestOutcome, UpdateDatastore,
};
use limn_services::Services;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(try_new))
        .routes(routes!(find))
        .routes(routes!(get, update, delete))
        .routes(routes!(test))
        .routes(routes!(rotate))
        .routes(routes!(usage))
        .routes(routes!(files))
        .routes(routes!(preview))
        .routes(routes!(tables))
        .routes(routes!(query))
}

/// List datastores
///
/// By name. Credentials are never answered.
#[utoipa::path(get, path = "/datastores", tag = "datastores", responses((status = 200, description = "Datastores", body = Vec<Datastore>)))]
async fn list(State(services): State<Services>, Caller(actor): Caller) -> Api<Json<Vec<Datastore>>> {
    Ok(Json(services.datastores.list(&actor).await?))
}

/// Set up a datastore
///
/// Tested first, and kept only when the connection works.
#[utoipa::path(post, path = "/datastores", tag = "datastores", request_body = NewDatastore, responses((status = 201, description = "Set up", body = Datastore)))]
async fn create(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<NewDatastore>,
) -> Api<Made<Datastore>> {
    Ok(made(services.datastores.create(&actor, input).await?))
}

/// Try a connection
///
/// Nothing is kept. A connection that fails answers 200 with `ok: false` and the reason.
#[utoipa::path(post, path = "/datastores/test", tag = "datastores", request_body = NewDatastore, responses((status = 200, description = "How it went", body = TestOutcome)))]
async fn try_new(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<NewDatastore>,
) -> Api<Json<TestOutcome>> {
    Ok(Json(services.datastores.try_new(&actor, &input).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Find {
    /// The datastore's name, regardless of case, or its id.
    name: String,
}

/// Find a datastore by name
#[utoipa::path(get, path = "/datastores/find", tag = "datastores", params(Find), responses((status = 200, description = "The datastore", body = Datastore)))]
async fn find(
    State(services): State<Services>,
    Caller(actor): Caller,
    Query(query): Query<Find>,
) -> Api<Json<Datastore>> {
    Ok(Json(services.datastores.find(&actor, &query.name).await?))
}

/// Get a datastore
#[utoipa::path(get, path = "/datastores/{datastore_id}", tag = "datastores", responses((status = 200, description = "The datastore", body = Datastore)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
) -> Api<Json<Datastore>> {
    Ok(Json(services.datastores.get(&actor, id).await?))
}

/// Change a datastore
///
/// Name, description, settings, and whether it is in use. Settings that say whom credentials are shown to change together
/// with those, see `rotate`.
#[utoipa::path(patch, path = "/datastores/{datastore_id}", tag = "datastores", request_body = UpdateDatastore, responses((status = 200, description = "Changed", body = Datastore)))]
async fn update(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
    Json(input): Json<UpdateDatastore>,
) -> Api<Json<Datastore>> {
    Ok(Json(services.datastores.update(&actor, id, input).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Delete {
    /// Also when projects take files from it: their sources go with it, their items stay.
    #[serde(default)]
    even_if_used: bool,
}

/// Delete a datastore
#[utoipa::path(delete, path = "/datastores/{datastore_id}", tag = "datastores", params(Delete), responses((status = 204, description = "Deleted")))]
async fn delete(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
    Query(query): Query<Delete>,
) -> Api<StatusCode> {
    services.datastores.delete(&actor, id, query.even_if_used).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Test a datastore
///
/// Notes how it is.
#[utoipa::path(post, path = "/datastores/{datastore_id}/test", tag = "datastores", responses((status = 200, description = "How it went", body = TestOutcome)))]
async fn test(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
) -> Api<Json<TestOutcome>> {
    Ok(Json(services.datastores.test(&actor, id).await?))
}

/// Rotate the credentials of a datastore
///
/// Taken once they work; jobs that run go on with them.
#[utoipa::path(post, path = "/datastores/{datastore_id}/rotate", tag = "datastores", request_body = RotateSecrets, responses((status = 200, description = "Taken", body = Datastore)))]
async fn rotate(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
    Json(input): Json<RotateSecrets>,
) -> Api<Json<Datastore>> {
    Ok(Json(services.datastores.rotate(&actor, id, input).await?))
}

/// See who uses a datastore
#[utoipa::path(get, path = "/datastores/{datastore_id}/usage", tag = "datastores", responses((status = 200, description = "Projects and datasets", body = DatastoreUsage)))]
async fn usage(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
) -> Api<Json<DatastoreUsage>> {
    Ok(Json(services.datastores.usage(&actor, id).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Folder {
    /// The root when empty.
    #[serde(default)]
    path: String,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List a folder of a datastore
#[utoipa::path(get, path = "/datastores/{datastore_id}/files", tag = "datastores", params(Folder), responses((status = 200, description = "A page of entries", body = StorePage)))]
async fn files(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
    Query(query): Query<Folder>,
) -> Api<Json<StorePage>> {
    let page = services
        .datastores
        .browse(&actor, id, &query.path, query.cursor.as_deref())
        .await?;
    Ok(Json(page))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct File {
    path: String,
}

/// Preview a file of a datastore
///
/// Of a picture its size (the picture itself is at `/media/datastores/{id}/thumb?path=`), of a text its beginning, of a CSV
/// its first rows.
#[utoipa::path(get, path = "/datastores/{datastore_id}/preview", tag = "datastores", params(File), responses((status = 200, description = "What it looks like", body = StorePreview)))]
async fn preview(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
    Query(query): Query<File>,
) -> Api<Json<StorePreview>> {
    Ok(Json(services.datastores.preview(&actor, id, &query.path).await?))
}

/// List the tables of a datastore
#[utoipa::path(get, path = "/datastores/{datastore_id}/tables", tag = "datastores", responses((status = 200, description = "Tables and views", body = Vec<StoreTable>)))]
async fn tables(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
) -> Api<Json<Vec<StoreTable>>> {
    Ok(Json(services.datastores.tables(&actor, id).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct StoreQuery {
    /// One `SELECT`.
    sql: String,
}

/// Preview a query
///
/// The first rows, read in a transaction that cannot write, within 30 seconds.
#[utoipa::path(post, path = "/datastores/{datastore_id}/query", tag = "datastores", request_body = StoreQuery, responses((status = 200, description = "The first rows", body = TablePreview)))]
async fn query(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(id): Id<DatastoreId>,
    Json(input): Json<StoreQuery>,
) -> Api<Json<TablePreview>> {
    Ok(Json(services.datastores.query(&actor, id, &input.sql).await?))
}
