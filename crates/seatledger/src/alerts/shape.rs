//! Messages as webhooks want them.

use super::message::Message;
use super::words::Words;
use crate::config::Shape;
use serde_json::{Value, json};

/// The body of a request.
pub(super) fn body(shape: Shape, message: &Message, words: &Words) -> Value {
    match shape {
        Shape::Json => plain(message, words),
        Shape::Teams => card(message, words),
        Shape::Slack => json!({ "text": slack(message, words) }),
    }
}

/// All that is known.
fn plain(message: &Message, words: &Words) -> Value {
    let of = |about: &super::About| {
        let parts = about.subject().map(|subject| words.parts(&subject)).unwrap_or_default();
        json!({
            "text": words.told(message, about),
            "feature": parts.feature,
            "version": parts.version,
            "server": parts.server,
            "vendor": parts.vendor,
            "user": parts.user,
            "host": parts.host,
            "source": parts.source,
            "since": words.iso(about.since),
            "raised_at": words.iso(about.raised_at),
            "figures": figures(about, words),
        })
    };
    json!({
        "program": "seatledger",
        "test": message.is_test,
        "rule": message.rule,
        "when": message.when,
        "change": message.change,
        "at": words.iso(message.at),
        "title": words.title(message),
        "text": words.text(message),
        "alerts": message.about.iter().map(of).collect::<Vec<_>>(),
        "more": message.more,
    })
}

/// Figures with instants as texts.
fn figures(about: &super::About, words: &Words) -> Value {
    let of = |(name, value): (&String, &i64)| {
        let value = if name.ends_with("_at") { json!(words.iso(*value)) } else { json!(value) };
        (name.clone(), value)
    };
    Value::Object(about.figures.iter().map(of).collect())
}

/// An adaptive card in the message that Teams' workflows take.
fn card(message: &Message, words: &Words) -> Value {
    let color = match message.change.as_str() {
        "cleared" => "Good",
        "test" => "Default",
        _ => "Attention",
    };
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": [
                    {
                        "type": "TextBlock",
                        "text": unmarked(&words.title(message)),
                        "weight": "Bolder",
                        "size": "Medium",
                        "color": color,
                        "wrap": true,
                    },
                    { "type": "TextBlock", "text": unmarked(&words.text(message)), "wrap": true },
                ],
            },
        }],
    })
}

/// A card's text is Markdown: letters of names that mean something in it are made to mean nothing. What begins a line of a
/// list stays.
fn unmarked(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' => plain.extend(['\\', letter]),
            '\n' => plain.push_str("\n\n"),
            other => plain.push(other),
        }
    }
    plain
}

/// Slack's own way to write: three letters are escaped, and the title is bold.
fn slack(message: &Message, words: &Words) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("*{}*\n{}", escaped(&words.title(message)).replace('*', "∗"), escaped(&words.text(message)))
}
