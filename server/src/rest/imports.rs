//! Imports.

use super::extract::{Caller, Id, Json};
use super::{Made, accepted};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_domain::ProjectId;
use limn_domain::import::{ImportReport, NewImport};
use limn_domain::job::Job;
use limn_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::new().routes(routes!(start));
    super::describe::<ImportReport>(router.get_openapi_mut());
    router
}

/// Import uploaded files
///
/// A job; its result is an `ImportReport`. Files: annotation files, pictures, and zip archives of either, uploaded
/// before. Nothing is refused as a whole because of one bad record.
#[utoipa::path(post, path = "/projects/{project_id}/imports", tag = "imports", request_body = NewImport, responses((status = 202, description = "Queued", body = Job)))]
async fn start(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<NewImport>,
) -> Api<Made<Job>> {
    Ok(accepted(services.imports.start(&actor, project, input).await?))
}
