//! What is answered when a face cannot do what is asked: a status, and what would be right.

use crate::answers::{OutOfSight, WrongUsage};
use axum::http::StatusCode;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The question is wrong: what is, and what would be right.
    Wrong(String),
    /// Nobody has said who asks, or not rightly.
    Unknown(&'static str),
    /// Who asks may not.
    Forbidden(String),
    /// There is no such thing.
    Missing(String),
    /// There is, but not by this method.
    Method,
    /// It is not the time for it.
    Conflict(String),
    /// More than is taken at once.
    TooLarge(String),
    /// Not JSON.
    NotJson,
    /// Too many wrong passwords: try again in so many seconds.
    TooMany(u64),
    /// There is too much to do, or the database is away, for now.
    Busy(String),
    /// Our own fault, of which no more is told outside.
    Ours,
}

/// What stands in every answer that is none.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"error": "no report `usages`: there are usage, ranking, …"}))]
pub(crate) struct Complaint {
    /// What is wrong, and what would be right.
    pub(crate) error: String,
}

impl Failure {
    /// Its status in HTTP.
    pub(crate) fn status(&self) -> StatusCode {
        let number = match self {
            Self::Wrong(_) => 400,
            Self::Unknown(_) => 401,
            Self::Forbidden(_) => 403,
            Self::Missing(_) => 404,
            Self::Method => 405,
            Self::Conflict(_) => 409,
            Self::TooLarge(_) => 413,
            Self::NotJson => 415,
            Self::TooMany(_) => 429,
            Self::Ours => 500,
            Self::Busy(_) => 503,
        };
        StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is wrong, in words.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Wrong(text)
            | Self::Forbidden(text)
            | Self::Missing(text)
            | Self::Conflict(text)
            | Self::TooLarge(text)
            | Self::Busy(text) => text,
            Self::Unknown(text) => text.to_owned(),
            Self::Method => "this address does not know that method".to_owned(),
            Self::NotJson => "send JSON, with the header Content-Type: application/json".to_owned(),
            Self::TooMany(seconds) => {
                format!("too many attempts to log in: try again in {seconds} seconds")
            }
            Self::Ours => "Internal Server Error".to_owned(),
        }
    }

    /// What a question's error means to who asked it; what is our own fault goes to `complain`.
    pub(crate) fn of(error: &anyhow::Error, complain: impl FnOnce(&str)) -> Self {
        if let Some(WrongUsage(text)) = error.downcast_ref() {
            // Options of the command are called as parameters are.
            return Self::Wrong(text.replace("--", ""));
        }
        if let Some(OutOfSight(text)) = error.downcast_ref() {
            return Self::Forbidden(text.clone());
        }
        complain(&format!("a request could not be answered: {error:#}"));
        match error.downcast_ref() {
            Some(store::Error::Gone(_) | store::Error::Unreachable(_) | store::Error::Locked(_)) => {
                Self::Busy("the database is away: try again in a moment".to_owned())
            }
            _ => Self::Ours,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let header = match &self {
            Self::Unknown(_) => {
                Some((WWW_AUTHENTICATE, "Basic realm=\"seatledger\", charset=\"UTF-8\"".into()))
            }
            Self::TooMany(seconds) => Some((RETRY_AFTER, seconds.to_string())),
            Self::Busy(_) => Some((RETRY_AFTER, "1".to_owned())),
            _ => None,
        };
        let body = serde_json::json!({ "error": self.message() }).to_string();
        let kind = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
        let mut response = (status, kind, body).into_response();
        if let Some((name, value)) = header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The answer where a path knows other methods.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response {
    let mut response = Failure::Method.into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
