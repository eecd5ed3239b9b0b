//! What the ledger knows: features and license servers.

use super::failure::Failure;
use super::{Api, openapi};
use crate::render::iso;
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::ledger::{Names, ServerId};
use axum::Json;
use axum::extract::{Request, State};
use serde::Serialize;
use std::sync::Arc;
use store::Store;
use utoipa::ToSchema;

/// A feature.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FeatureRow {
    /// The vendor's code.
    #[schema(example = "solver")]
    feature: String,
    /// The catalog's name of the product.
    product: Option<String>,
    /// The catalog's type of the product.
    #[serde(rename = "type")]
    product_type: Option<String>,
    /// The license servers that have shown it.
    #[schema(example = json!(["27000@lic1"]))]
    servers: Vec<String>,
    /// How many seats they had together when they told last; null where one does not tell.
    seats_issued: Option<i64>,
}

/// A license server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServerRow {
    /// Its name.
    #[schema(example = "27000@lic1")]
    server: String,
    /// How many features it has shown.
    features: usize,
    /// When it was watched first; null where it never was.
    #[schema(example = "2025-03-03T08:00:00+01:00")]
    watched_from: Option<String>,
    /// When it was watched last.
    #[schema(example = "2025-03-07T18:00:00+01:00")]
    watched_until: Option<String>,
}

/// All features.
#[utoipa::path(
    get,
    tag = "Asking",
    path = "/api/v1/features",
    responses((status = 200, description = "By their codes", body = Vec<FeatureRow>), openapi::Refusals),
)]
pub(super) async fn features(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Json<Vec<FeatureRow>>, Failure> {
    api.caller(&request).await?.must_see_everything("the list of features")?;
    api.names(request.uri().query(), features_of).await
}

/// All license servers.
#[utoipa::path(
    get,
    tag = "Asking",
    path = "/api/v1/servers",
    responses((status = 200, description = "By their names", body = Vec<ServerRow>), openapi::Refusals),
)]
pub(super) async fn servers(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Json<Vec<ServerRow>>, Failure> {
    api.caller(&request).await?.must_see_everything("the list of license servers")?;
    api.names(request.uri().query(), servers_of).await
}

impl Api {
    async fn names<T: Send + 'static>(
        &self,
        query: Option<&str>,
        of: fn(&Names, &Calendar, Option<UnixMs>) -> Vec<T>,
    ) -> Result<Json<Vec<T>>, Failure> {
        if query.is_some_and(|query| !query.is_empty()) {
            return Err(Failure::Wrong("this address takes no parameters".to_owned()));
        }
        let read = move |store: &mut Store| {
            Ok(store.read(|reader| {
                let as_of = reader.as_of()?;
                Ok(of(&reader.names(), &reader.calendar(), as_of))
            })?)
        };
        let found = self.questions.ask(read).await?;
        found.map(Json).map_err(|error| self.failure(&error))
    }
}

fn features_of(names: &Names, _: &Calendar, as_of: Option<UnixMs>) -> Vec<FeatureRow> {
    let name = |server: &ServerId| names.servers.get(server).map(|server| server.name.clone());
    let seats = |feature: u32, servers: &[ServerId]| -> Option<i64> {
        let of = |server: &ServerId| names.capacity.get(&(feature, *server))?.at(as_of?);
        if servers.is_empty() { None } else { servers.iter().map(of).sum() }
    };
    let feature = |(id, known): (&u32, &accounting::ledger::Feature)| {
        let mut servers: Vec<String> = known.servers.iter().filter_map(name).collect();
        servers.sort_unstable();
        FeatureRow {
            feature: known.code.clone(),
            product: known.product.clone(),
            product_type: known.product_type.clone(),
            servers,
            seats_issued: seats(*id, &known.servers),
        }
    };
    let mut features: Vec<FeatureRow> = names.features.iter().map(feature).collect();
    features.sort_unstable_by(|one, other| one.feature.cmp(&other.feature));
    features
}

fn servers_of(names: &Names, calendar: &Calendar, _: Option<UnixMs>) -> Vec<ServerRow> {
    let instant = |at: UnixMs| iso(at, calendar.zone());
    let server = |(id, known): (&ServerId, &accounting::ledger::Server)| ServerRow {
        server: known.name.clone(),
        features: names.features.values().filter(|feature| feature.servers.contains(id)).count(),
        watched_from: known.watched.first().map(|(from, _)| instant(*from)),
        watched_until: known.watched.last().map(|(_, until)| instant(*until)),
    };
    let mut servers: Vec<ServerRow> = names.servers.iter().map(server).collect();
    servers.sort_unstable_by(|one, other| one.server.cmp(&other.server));
    servers
}
