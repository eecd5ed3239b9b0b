//! The first admin, made with a secret that the service printed when it started without any user.

use super::failure::Failure;
use super::{Api, json_body, openapi};
use crate::{clock, secrets};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::Store;
use store::accounts::Role;
use utoipa::ToSchema;

/// How long a secret is good, in milliseconds: a day.
const GOOD_FOR: i64 = 86_400_000;

const HOW: &str = "\
This service has no user yet. Open the link that it printed when it started, or make the first admin with the link's secret,
within a day of the start:

  curl -H 'Content-Type: application/json' -d '{\"secret\": \"…\", \"name\": \"…\", \"password\": \"…\"}' ADDRESS/api/v1/first-admin

or, on the machine of the database: seatledger user add NAME --role admin
";

/// Who is to be the first admin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"secret": "first_0123abcd", "name": "amara", "password": "correct horse battery"}))]
pub(super) struct Candidate {
    /// What the service printed.
    secret: String,
    /// The login.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// At least 8 characters.
    #[schema(min_length = 8, max_length = 128)]
    password: String,
}

/// Who is it now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "amara", "role": "admin"}))]
pub(super) struct Admin {
    name: String,
    role: &'static str,
}

/// Gives out a secret with which the first admin may be made; none where there is a user.
pub(crate) fn offer_first_admin(store: &mut Store) -> anyhow::Result<Option<String>> {
    if store.has_users()? {
        return Ok(None);
    }
    let (secret, now) = (secrets::new_secret("first_")?, clock::now());
    let offered = store.offer_first_admin(&secrets::hash_of_secret(&secret), now, now + GOOD_FOR)?;
    Ok(offered.then_some(secret))
}

/// How the first admin is made
#[utoipa::path(
    get,
    path = "/api/v1/first-admin",
    responses((status = 200, description = "For people", content_type = "text/plain", body = String)),
    tag = "First admin",
    security(()),
)]
pub(super) async fn explain() -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")], HOW).into_response()
}

/// Make the first admin
///
/// With the secret that the service printed when it started without a user: it is good for a day, and once.
#[utoipa::path(
    post,
    path = "/api/v1/first-admin",
    request_body = Candidate,
    responses(
        (status = 201, description = "The admin may log in", body = Admin),
        (status = 409, description = "There is a user already", body = super::failure::Complaint),
        openapi::Refusals,
        openapi::BodyRefusals,
    ),
    tag = "First admin",
    security(()),
)]
pub(super) async fn make(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<(StatusCode, Json<Admin>), Failure> {
    let Candidate { secret, name, password } = json_body(request).await?;
    let complain = |message: &str| api.around.complain(message);
    let name = api.gate.make_first_admin(&secret, name, password, &complain).await?;
    Ok((StatusCode::CREATED, Json(Admin { name, role: Role::Admin.as_str() })))
}
