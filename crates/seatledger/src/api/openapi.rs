//! What the API says of itself, made of the types and options that it uses.

use super::asked::parameters;
use super::failure::Complaint;
use super::{events, first_admin, heartbeats, names, questions, sources};
use crate::answers::{Alerts, History, Name, Options, Sessions};
use accounting::report::Column;
use axum::Json;
use clap::ValueEnum as _;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{AdditionalProperties, SchemaType};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ArrayBuilder, ContentBuilder, ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi, PartialSchema, ToSchema};

/// Seatledger: who used which licensed software, when, and for how long.
///
/// Reports and listings are those of the command line, with the same options and the same figures. On a loopback address
/// without users everything is open; elsewhere, and once there is a user, log in with HTTP Basic or send a token.
#[derive(OpenApi)]
#[openapi(
    paths(
        questions::report,
        questions::sessions,
        questions::history,
        questions::alerts,
        names::features,
        names::servers,
        sources::sources,
        sources::tell,
        heartbeats::take,
        events::take,
        first_admin::explain,
        first_admin::make,
        document,
    ),
    info(title = "Seatledger"),
    components(schemas(Complaint, ReportName)),
    modifiers(&Logins),
    security(("password" = []), ("token" = [])),
)]
struct Description;

/// This description
#[utoipa::path(
    get,
    tag = "This description",
    path = "/api/openapi.json",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)),
    security(()),
)]
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

/// How callers say who they are.
struct Logins;

impl Modify for Logins {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let schemes = [("password", HttpAuthScheme::Basic), ("token", HttpAuthScheme::Bearer)];
        for (name, scheme) in schemes {
            components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
        }
    }
}

/// The reports by their names.
pub(super) struct ReportName;

impl PartialSchema for ReportName {
    fn schema() -> RefOr<Schema> {
        let names = Name::value_variants().iter().filter_map(Name::to_possible_value);
        let names: Vec<String> = names.map(|name| name.get_name().to_owned()).collect();
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).examples(["usage"]).into()
    }
}

impl ToSchema for ReportName {
    fn name() -> Cow<'static, str> {
        "ReportName".into()
    }
}

/// Listings show whole sessions and single events.
const CUTS: [&str; 2] = ["time-class", "days"];

/// The parameters of a kind of question.
macro_rules! parameters_of {
    ($($name:ident of $question:ty, without $left_out:expr;)*) => {$(
        /// The options of the command.
        pub(super) struct $name;

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                parameters::<$question>(&$left_out)
            }
        }
    )*};
}

parameters_of! {
    ReportParameters of Options, without [];
    SessionsParameters of Sessions, without CUTS;
    HistoryParameters of History, without CUTS;
    AlertsParameters of Alerts, without [];
}

/// The rows of a report: its columns depend on the report and on `by`.
pub(super) struct Rows;

impl IntoResponses for Rows {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let cell = SchemaType::Array(vec![Type::String, Type::Number, Type::Null]);
        let cell: RefOr<Schema> = ObjectBuilder::new().schema_type(cell).into();
        let row = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::RefOr(cell)));
        let example = json!([
            {"month": "2025-03", "feature": "solver", "usage_minutes": 347, "seat_seconds": 20820, "sessions": 2, "persons": 1}
        ]);
        rows(row, example)
    }
}

/// The rows of a listing.
macro_rules! rows_of {
    ($($name:ident of $question:ty, $example:expr;)*) => {$(
        /// Rows of the listing.
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                rows(row_of(<$question>::COLUMNS), $example)
            }
        }
    )*};
}

rows_of! {
    SessionRows of Sessions, json!([{
        "feature": "solver", "version": "2025.1", "user": "amara", "host": "ws-12", "display": null,
        "server": "27000@lic1", "seats": 1, "from": "2025-03-03T09:17:20+01:00", "until": null, "ended": "open",
        "held_seconds": 1200, "seat_seconds": 1200, "uncertainty_seconds": null, "source": "debug.log"
    }]);
    HistoryRows of History, json!([{
        "at": "2025-03-03T09:17:20+01:00", "action": "denial", "feature": "solver", "version": null, "user": "amara",
        "host": "ws-12", "server": "27000@lic1", "seats": 1, "reason": "capacity", "source": "debug.log"
    }]);
    AlertRows of Alerts, json!([{
        "rule": "solver is full", "when": "full", "state": "raised", "alert": "solver: 10 of 10 seats in use",
        "feature": "solver", "server": null, "user": null, "source": null, "since": "2025-03-03T09:17:20+01:00",
        "raised_at": "2025-03-03T09:18:00+01:00", "cleared_at": null, "told_at": "2025-03-03T09:18:00+01:00"
    }]);
}

fn row_of(columns: &[Column]) -> ObjectBuilder {
    columns.iter().fold(ObjectBuilder::new(), |row, column| {
        let of = if column.number { Type::Number } else { Type::String };
        let cell = ObjectBuilder::new().schema_type(SchemaType::Array(vec![of, Type::Null]));
        row.property(column.name, cell).required(column.name)
    })
}

fn rows(row: ObjectBuilder, example: Value) -> BTreeMap<String, RefOr<Response>> {
    let rows = ArrayBuilder::new().items(row);
    let text = || Some(ObjectBuilder::new().schema_type(Type::String));
    let mut notes = Header::new(ObjectBuilder::new().schema_type(Type::String));
    notes.description = Some(
        "What must be said beside the figures: a JSON array of texts, as many as fit in 4 KiB".to_owned(),
    );
    let answer = ResponseBuilder::new()
        .description("The rows")
        .content("application/json", ContentBuilder::new().schema(Some(rows)).example(Some(example)).build())
        .content("text/csv", ContentBuilder::new().schema(text()).build())
        .content(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ContentBuilder::new().build(),
        )
        .content("text/html", ContentBuilder::new().schema(text()).build())
        .header("Seatledger-Notes", notes);
    [("200".to_owned(), answer.build().into())].into()
}

/// Answers that are none.
macro_rules! refusals {
    ($($name:ident { $($status:literal: $why:literal,)* })*) => {$(
        /// Why there may be no answer.
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$(($status.to_owned(), complaint($why)),)*].into()
            }
        }
    )*};
}

refusals! {
    Refusals {
        "400": "The question is wrong: what is, and what would be right",
        "401": "Nobody has said who asks, or not rightly",
        "403": "Who asks may not see that",
        "429": "Too many wrong passwords: `Retry-After` tells when to try again",
        "503": "Too much to do, or the database is away: try again",
    }
    NoSuchThing {
        "404": "There is no such report",
    }
    BodyRefusals {
        "413": "More than is taken at once",
        "415": "Not JSON",
    }
}

fn complaint(why: &str) -> RefOr<Response> {
    let of = Ref::from_schema_name(Complaint::name());
    let content = ContentBuilder::new().schema(Some(of)).build();
    ResponseBuilder::new().description(why).content("application/json", content).build().into()
}

#[cfg(test)]
mod tests {
    use super::Description;
    use crate::answers::Sessions;
    use utoipa::OpenApi as _;

    #[test]
    fn the_description_has_every_address_every_parameter_and_every_column() {
        let document = serde_json::to_value(Description::openapi()).unwrap();
        assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths.len(), 11, "{paths:?}");
        let report = &document["paths"]["/api/v1/reports/{name}"]["get"];
        let names: Vec<&str> =
            report["parameters"].as_array().unwrap().iter().map(|of| of["name"].as_str().unwrap()).collect();
        assert!(
            names.contains(&"name") && names.contains(&"hours-per-day") && names.contains(&"format"),
            "{names:?}"
        );
        for status in ["200", "400", "401", "403", "404", "429", "503"] {
            assert!(report["responses"].get(status).is_some(), "{status}");
        }
        let sessions = &document["paths"]["/api/v1/sessions"]["get"]["responses"]["200"]["content"];
        let columns = sessions["application/json"]["schema"]["items"]["properties"].as_object().unwrap();
        assert_eq!(columns.len(), Sessions::COLUMNS.len());
        let beats = &document["paths"]["/api/v1/heartbeats"]["post"];
        assert!(beats["requestBody"]["content"]["application/json"].is_object(), "{beats}");
        assert!(document["components"]["schemas"]["Complaint"].is_object());
    }
}
