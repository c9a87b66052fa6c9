//! Invitation links, for admins.

use super::extract::{Caller, Id, Json};
use super::{Made, made};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::InvitationId;
use limn_domain::user::{Invitation, NewInvitation};
use limn_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// List open invitations
#[utoipa::path(get, path = "/invitations", tag = "invitations", responses((status = 200, description = "Not accepted yet", body = Vec<Invitation>)))]
async fn list(State(services): State<Services>, Caller(actor): Caller) -> Api<Json<Vec<Invitation>>> {
    Ok(Json(services.users.invitations(&actor).await?))
}

/// Invite somebody
///
/// The answer holds the link, this once only.
#[utoipa::path(post, path = "/invitations", tag = "invitations", request_body = NewInvitation, responses((status = 201, description = "Invited", body = Invitation)))]
async fn create(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<NewInvitation>,
) -> Api<Made<Invitation>> {
    Ok(made(services.users.invite(&actor, input).await?))
}

/// Take an invitation back
#[utoipa::path(delete, path = "/invitations/{invitation_id}", tag = "invitations", responses((status = 204, description = "Revoked")))]
async fn revoke(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(invitation): Id<InvitationId>,
) -> Api<StatusCode> {
    services.users.revoke_invitation(&actor, invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}
