//! What every operation of the API has in common, filled in once.

use limn_domain::{ApiError, Code, FieldError, Keyframe, Shape};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required, ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};

const ABOUT: &str = "Everything Limn does, for programs.\n\n\
    Send an API token as `Authorization: Bearer limn_...`; make one on the account page or with \
    `limn admin create-token`. Ids are UUIDs, times RFC 3339 in UTC, coordinates pixels of the image as displayed. \
    Lists are paged: pass `next` of one page as `cursor` of the next.\n\n\
    Every error has one shape: a stable `code`, a `message` that names the thing and the mend, and the `fields` at \
    fault. Every answer carries `X-Request-Id`, under which the server's log knows it.";

/// The document before any route is in it.
pub(super) fn base() -> OpenApi {
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Limn")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(
                    LicenseBuilder::new()
                        .name("Apache-2.0")
                        .identifier(Some("Apache-2.0"))
                        .build(),
                ))
                .build(),
        )
        .components(Some(
            ComponentsBuilder::new()
                .schema("ApiError", ApiError::schema())
                .schema("Code", Code::schema())
                .schema("FieldError", FieldError::schema())
                // Each names the other, which stops them from being gathered.
                .schema("Keyframe", Keyframe::schema())
                .schema("Shape", Shape::schema())
                .security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
                .security_scheme(
                    "session",
                    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::session::COOKIE))),
                )
                .build(),
        ))
        .build()
}

/// Adds to every operation the parameters its path names, the shape of errors, a unique id and how to authenticate.
pub(super) fn finish(mut spec: OpenApi) -> OpenApi {
    for (path, item) in &mut spec.paths.paths {
        for operation in operations(item) {
            for name in path_parameters(path) {
                add_parameter(operation, name);
            }
            let tag = operation
                .tags
                .as_ref()
                .and_then(|t| t.first())
                .cloned()
                .unwrap_or_default();
            if let Some(id) = &mut operation.operation_id {
                *id = format!("{tag}_{id}");
            }
            let error = ResponseBuilder::new()
                .description("What went wrong")
                .content(
                    "application/json",
                    ContentBuilder::new()
                        .schema(Some(RefOr::Ref(Ref::from_schema_name(ApiError::name()))))
                        .build(),
                )
                .build();
            operation
                .responses
                .responses
                .insert("default".to_owned(), RefOr::T(error));
            if operation.security.is_none() {
                operation.security = Some(vec![
                    SecurityRequirement::new("token", Vec::<String>::new()),
                    SecurityRequirement::new("session", Vec::<String>::new()),
                ]);
            }
        }
    }
    spec
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.head,
        &mut item.put,
        &mut item.post,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn add_parameter(operation: &mut Operation, name: &str) {
    let parameters = operation.parameters.get_or_insert_default();
    let known = |p: &RefOr<Parameter>| match p {
        RefOr::T(p) => p.name == name && p.parameter_in == ParameterIn::Path,
        RefOr::Ref(_) => false,
    };
    if parameters.iter().any(known) {
        return;
    }
    let noun = name.trim_end_matches("_id").replace('_', " ");
    let (what, format) = if name.ends_with("_id") {
        ("id", Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
    } else {
        ("name", None)
    };
    parameters.insert(
        0,
        RefOr::T(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some(format!("The {noun}'s {what}")))
                .schema(Some(Schema::Object(
                    ObjectBuilder::new()
                        .schema_type(Type::String)
                        .format(format)
                        .build(),
                )))
                .build(),
        ),
    );
}
