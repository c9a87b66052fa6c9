//! Pictures for a project's instructions.

use super::extract::{Caller, Id, Query, stream};
use super::{Made, made};
use crate::error::{Api, Failure};
use crate::state::AppState;
use axum::body::Body;
use axum::extract::State;
use bytes::BytesMut;
use futures::StreamExt as _;
use limn_domain::{Code, ProjectId};
use limn_services::Services;
use serde::{Deserialize, Serialize};
use std::pin::pin;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest picture in instructions, in bytes.
const LARGEST: usize = 10 << 20;

/// Routes whose bodies are streams.
pub fn streams() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(add))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AddAsset {
    /// The file's name.
    name: String,
}

/// A stored picture.
#[derive(Debug, Serialize, ToSchema)]
struct AssetAdded {
    /// Path to use in the instructions' Markdown: `![](/media/assets/...)`.
    url: String,
}

/// Add a picture for the instructions
///
/// The body is the file itself, at most 10 MB.
#[utoipa::path(post, path = "/projects/{project_id}/assets", tag = "projects", params(AddAsset),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 201, description = "Stored", body = AssetAdded)))]
async fn add(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Query(query): Query<AddAsset>,
    body: Body,
) -> Api<Made<AssetAdded>> {
    // Nobody without an account gets to fill our memory.
    actor.me()?;
    let mut body = pin!(stream(body));
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece
            .map_err(|e| Failure::new(Code::BadRequest, format!("The file did not arrive whole: {e}.")))?;
        if bytes.len() + piece.len() > LARGEST {
            return Err(Failure::new(
                Code::TooLarge,
                format!(
                    "The picture is larger than {} MB; make it smaller.",
                    LARGEST >> 20
                ),
            ));
        }
        bytes.extend_from_slice(&piece);
    }
    let url = services
        .assets
        .add(&actor, project, &query.name, bytes.freeze())
        .await?;
    Ok(made(AssetAdded { url }))
}
