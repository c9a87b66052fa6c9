//! Who works in a project.

use super::extract::{Caller, Id, Ids, Json};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::project::Member;
use limn_domain::user::User;
use limn_domain::{ProjectId, Role, UserId};
use limn_services::Services;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(candidates))
        .routes(routes!(set, remove))
}

/// List members
#[utoipa::path(get, path = "/projects/{project_id}/members", tag = "members", responses((status = 200, description = "Members", body = Vec<Member>)))]
async fn list(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<Vec<Member>>> {
    Ok(Json(services.members.list(&actor, project).await?))
}

/// List people who could be added
#[utoipa::path(get, path = "/projects/{project_id}/members/candidates", tag = "members", responses((status = 200, description = "Enabled people who are no members yet", body = Vec<User>)))]
async fn candidates(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<Vec<User>>> {
    Ok(Json(services.members.candidates(&actor, project).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct SetMember {
    /// `manager`, `reviewer`, `labeler` or `viewer`.
    role: Role,
}

/// Add a member or change the role
#[utoipa::path(put, path = "/projects/{project_id}/members/{user_id}", tag = "members", request_body = SetMember, responses((status = 200, description = "The member", body = Member)))]
async fn set(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(project, user): Ids<ProjectId, UserId>,
    Json(input): Json<SetMember>,
) -> Api<Json<Member>> {
    Ok(Json(
        services.members.set(&actor, project, user, input.role).await?,
    ))
}

/// Remove a member
///
/// What they hold returns to the queue, what they labeled stays.
#[utoipa::path(delete, path = "/projects/{project_id}/members/{user_id}", tag = "members", responses((status = 204, description = "Removed")))]
async fn remove(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(project, user): Ids<ProjectId, UserId>,
) -> Api<StatusCode> {
    services.members.remove(&actor, project, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
