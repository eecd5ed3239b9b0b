//! Who looks at a page: what they may see, and in which language and light.

use super::{Web, assets, layout, login};
use crate::answers::Sight;
use crate::gate::{Client, Failure, Guest};
use crate::texts::Texts;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, ETAG, HOST, IF_NONE_MATCH,
    LOCATION, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;

/// Below so many bytes a page is sent as it is.
const SMALL: usize = 1400;
const HTML: &str = "text/html; charset=utf-8";

/// Who looks at a page.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(super) guest: Guest,
    pub(super) sight: Sight,
    pub(super) view: View,
}

/// How somebody looks at pages.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) texts: &'static Texts,
    /// What stands before all paths.
    pub(super) base: String,
    /// The colours that were chosen by hand: `light`, `dark`, or empty.
    pub(super) theme: &'static str,
    /// What stands on the button that leads to the provider at which people log in, where there is one.
    pub(super) provider: Option<String>,
    takes_gzip: bool,
    knows: Option<HeaderValue>,
}

/// A page that is not shown, and what is instead.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Response>);

impl From<Response> for Refusal {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl Web {
    /// Who sends a request; whoever is not known is shown where to log in.
    pub(super) fn asker<'w>(
        &'w self,
        request: &Request,
    ) -> impl Future<Output = Result<Asker, Refusal>> + Send + use<'w> {
        // The body, which no two threads may look at, stays outside.
        let (headers, client, view) =
            (request.headers().clone(), Client::of(request), self.view(request.headers()));
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        async move {
            let guest = self.gate.guest(&headers, client, &*self.complain).await;
            match guest.and_then(|guest| Ok((guest.caller.sight()?, guest))) {
                Ok((sight, guest)) => Ok(Asker { guest, sight, view }),
                Err(Failure::Unknown(_)) => Err(self.to_login(&view, &path).into()),
                Err(failure) => Err(view.refuse(failure)),
            }
        }
    }

    /// How somebody looks at pages.
    pub(super) fn view(&self, headers: &HeaderMap) -> View {
        let theme = match cookie(headers, "theme").as_deref() {
            Some("light") => "light",
            Some("dark") => "dark",
            Some(_) | None => "",
        };
        let languages = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let chosen = cookie(headers, "language");
        let texts = Texts::for_languages(chosen.as_deref().or(languages).unwrap_or_default());
        let provider =
            self.gate.openid().map(|openid| openid.button().unwrap_or(texts.say("openid.button")).to_owned());
        View {
            texts,
            provider,
            base: self.base.clone(),
            theme,
            takes_gzip: assets::takes_gzip(headers),
            knows: headers.get(IF_NONE_MATCH).cloned(),
        }
    }

    /// Where to log in: in place of the first page, which is never a bare redirect, else on a page of its own.
    fn to_login(&self, view: &View, path: &str) -> Response {
        if path == "/" || path.starts_with("/?") {
            return login::shown(view, StatusCode::OK, path, "", None);
        }
        let to = utf8_percent_encode(path, NON_ALPHANUMERIC);
        self.redirect(&format!("/login?to={to}"))
    }

    /// Sends a browser to a page of ours.
    pub(super) fn redirect(&self, path: &str) -> Response {
        let target = format!("{}{path}", self.base);
        let headers = [(LOCATION, target), (CACHE_CONTROL, "no-store".to_owned())];
        (StatusCode::SEE_OTHER, headers).into_response()
    }
}

impl Asker {
    pub(super) fn texts(&self) -> &'static Texts {
        self.view.texts
    }

    /// A page, under the entry of the navigation to which it belongs.
    pub(super) fn page(&self, here: &str, title: &str, body: &Markup) -> Response {
        self.page_as(StatusCode::OK, here, title, body)
    }

    /// A page with a status of its own.
    pub(super) fn page_as(&self, status: StatusCode, here: &str, title: &str, body: &Markup) -> Response {
        self.view.answer(status, layout::page(&self.view, Some(&self.guest), here, title, body))
    }

    /// A page of a ledger that knows nothing.
    pub(super) fn nothing_yet(&self, here: &str) -> Response {
        self.page(here, self.view.texts.now.empty_title, &layout::nothing_yet(self.view.texts))
    }

    /// What is shown instead of a page that cannot be.
    pub(super) fn refuse(&self, failure: Failure) -> Refusal {
        let (status, message) = (failure.status(), failure.message());
        let page = layout::page(
            &self.view,
            Some(&self.guest),
            "",
            self.view.texts.cannot,
            &complaint(&self.view, &message),
        );
        self.view.answer(status, page).into()
    }
}

impl View {
    fn refuse(&self, failure: Failure) -> Refusal {
        let (status, message) = (failure.status(), failure.message());
        let page = layout::page(self, None, "", self.texts.cannot, &complaint(self, &message));
        self.answer(status, page).into()
    }

    /// A page as it is sent: compressed where that is taken, and not at all where the browser has the same.
    pub(super) fn answer(&self, status: StatusCode, page: Markup) -> Response {
        let text = page.into_string();
        let tag = format!("\"{}\"", STANDARD.encode(&Sha256::digest(text.as_bytes())[..15]));
        let headers = [
            (CONTENT_TYPE, HTML.to_owned()),
            (CACHE_CONTROL, "private, no-cache".to_owned()),
            (VARY, "accept, accept-encoding, accept-language, cookie".to_owned()),
            (ETAG, tag.clone()),
        ];
        if status == StatusCode::OK
            && self.knows.as_ref().is_some_and(|known| known.as_bytes() == tag.as_bytes())
        {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        if self.takes_gzip && text.len() > SMALL {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            if packed.write_all(text.as_bytes()).is_ok()
                && let Ok(packed) = packed.finish()
            {
                return (status, headers, [(CONTENT_ENCODING, "gzip")], packed).into_response();
            }
        }
        (status, headers, text).into_response()
    }

    /// The address of a page of ours.
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn complaint(view: &View, message: &str) -> Markup {
    html! {
        section.empty {
            h1 { (view.texts.cannot) }
            p { (message) }
            p { a href=(view.to("/")) { (view.texts.back_to_now) } }
        }
    }
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// Whether a form was sent from a page of ours, as far as the browser tells.
pub(super) fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(text(site).as_str(), "same-origin" | "none");
    }
    let Some(origin) = headers.get(ORIGIN).map(text) else { return true };
    let host = headers.get(HOST).map(text).unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, asking)| asking.eq_ignore_ascii_case(&host))
}
