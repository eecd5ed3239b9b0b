//! Query parameters: the options of the command line, by the same declarations and with the same checks.

use super::failure::Failure;
use crate::texts::Language;
use axum::extract::Query;
use axum::http::Uri;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Args, Command, ValueEnum as _};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Json,
    Csv,
    Xlsx,
    Html,
}

/// The names of [`Written`].
const FORMATS: [&str; 4] = ["json", "csv", "xlsx", "html"];

/// A question, and how its answer is to be written.
#[derive(Debug)]
pub(crate) struct Asked<T> {
    pub(crate) options: T,
    pub(crate) written: Written,
    /// Of what the answer says in words.
    pub(crate) language: Language,
}

impl<T: Args> Asked<T> {
    /// The question of a query. Parameters are called as the command's options, with `-` or `_` between words.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Failure> {
        let mut command = command::<T>();
        command.build();
        let (mut written, mut language) = (Written::Json, None);
        let mut arguments = Vec::new();
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Failure::Wrong("the query cannot be read".to_owned()))?;
        for (name, value) in pairs {
            let name = name.replace('_', "-");
            if name == "format" {
                written = match value.as_str() {
                    "json" => Written::Json,
                    "csv" => Written::Csv,
                    "xlsx" => Written::Xlsx,
                    "html" => Written::Html,
                    _ => {
                        return Err(Failure::Wrong(format!(
                            "format is json, csv, xlsx or html, not `{value}`"
                        )));
                    }
                };
                continue;
            }
            if name == "language" {
                let known = Language::from_str(&value, true);
                language =
                    Some(known.map_err(|_| Failure::Wrong(format!("language is en or de, not `{value}`")))?);
                continue;
            }
            let Some(argument) = command.get_arguments().find(|known| known.get_long() == Some(&name)) else {
                return Err(unknown(&name, &command));
            };
            if !matches!(argument.get_action(), ArgAction::SetTrue) {
                arguments.push(format!("--{name}={value}"));
                continue;
            }
            match value.as_str() {
                "true" => arguments.push(format!("--{name}")),
                "false" => {}
                _ => return Err(Failure::Wrong(format!("{name} is true or false, not `{value}`"))),
            }
        }
        let matches = command.try_get_matches_from(arguments).map_err(|error| wrong(&error))?;
        let options = T::from_arg_matches(&matches).map_err(|error| wrong(&error))?;
        if language.is_some() && matches!(written, Written::Json | Written::Csv) {
            return Err(Failure::Wrong("language belongs to the formats xlsx and html".to_owned()));
        }
        Ok(Self { options, written, language: language.unwrap_or_default() })
    }
}

/// The options of `T`, without anything else that a command has.
fn command<T: Args>() -> Command {
    let bare = Command::new("question").no_binary_name(true);
    T::augment_args(bare.disable_help_flag(true).disable_version_flag(true))
}

fn unknown(name: &str, command: &Command) -> Failure {
    let known: Vec<_> = command.get_arguments().filter_map(Arg::get_long).collect();
    Failure::Wrong(format!("no parameter `{name}`: there are {}, format, language", known.join(", ")))
}

/// What clap says of an option, said of a parameter.
fn wrong(error: &clap::Error) -> Failure {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) if !texts.is_empty() => Some(texts.join(", ")),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let name = argument.trim_start_matches("--").split([' ', '=']).next().unwrap_or_default();
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    let reason = std::error::Error::source(error).map(ToString::to_string);
    let right = text(ContextKind::ValidValue).map(|values| format!("one of {values}"));
    Failure::Wrong(match (error.kind(), reason.or(right)) {
        (ErrorKind::ArgumentConflict, _) => format!("{name} is given twice"),
        (_, _) if value.is_empty() => format!("{name} is empty: leave it out, or give a value"),
        (_, Some(right)) => format!("{name} `{value}`: {right}"),
        (_, None) => format!("{name} `{value}` is not understood"),
    })
}

/// The parameters of `T` as the API's description has them, but for those that are refused anyway.
pub(crate) fn parameters<T: Args>(left_out: &[&str]) -> Vec<Parameter> {
    let command = command::<T>();
    let format = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(FORMATS))
        .default(Some("json".into()));
    let format = parameter("format", "How the answer is written").schema(Some(format)).build();
    let language = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["en", "de"]))
        .default(Some("en".into()));
    let language = parameter("language", "What xlsx and html say in words").schema(Some(language)).build();
    let known =
        command.get_arguments().filter(|of| of.get_long().is_none_or(|name| !left_out.contains(&name)));
    known.map(described).chain([format, language]).collect()
}

fn described(argument: &Arg) -> Parameter {
    let name = argument.get_long().unwrap_or_default();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> =
        argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let schema = match argument.get_action() {
        ArgAction::SetTrue => ObjectBuilder::new().schema_type(Type::Boolean),
        _ if values.is_empty() => ObjectBuilder::new().schema_type(Type::String),
        _ => ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)),
    };
    let example = match name {
        "from" => Some("2025-03-01"),
        "until" => Some("2025-04-01"),
        _ => None,
    };
    parameter(name, &help.replace("--", ""))
        .schema(Some(schema))
        .example(example.map(serde_json::Value::from))
        .build()
}

fn parameter(name: &str, description: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
}

#[cfg(test)]
mod tests {
    use super::{Asked, Written, parameters};
    use crate::answers::{Options, Sessions};
    use crate::gate::failure::Failure;
    use crate::texts::Language;

    fn refused(query: &str) -> String {
        match Asked::<Options>::of(&format!("/x?{query}").parse().unwrap()) {
            Err(Failure::Wrong(text)) => text,
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn the_options_of_the_command_are_the_parameters() {
        let of = |query: &str| Asked::<Sessions>::of(&format!("/x?{query}").parse().unwrap()).unwrap();
        assert!(format!("{:?}", of("open=true").options).contains("open: true"));
        assert!(format!("{:?}", of("open=false").options).contains("open: false"));
        assert_eq!(of("format=csv").written, Written::Csv);
        assert_eq!(of("").written, Written::Json);
        let german = of("format=xlsx&language=de");
        assert_eq!((german.written, german.language), (Written::Xlsx, Language::De));
        let of = |query: &str| {
            format!("{:?}", Asked::<Options>::of(&format!("/x?{query}").parse().unwrap()).unwrap().options)
        };
        let one = of("time-class=prime&feature=a%2Ab&from=2025-03-01");
        assert!(one.contains("prime") && one.contains("a*b"), "{one}");
        assert_eq!(one, of("time_class=prime&feature=a*b&from=2025-03-01"));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_would_be_right() {
        let told = [
            ("from=yesterday", "from `yesterday`: "),
            ("days=all&days=all", "days is given twice"),
            ("days=sunny", "days `sunny`: one of all, working"),
            ("days=", "days is empty"),
            ("hours_per_day=0", "hours-per-day `0`: a number greater than 0"),
            ("format=table", "format is json, csv, xlsx or html, not `table`"),
            ("format=html&language=fr", "language is en or de, not `fr`"),
            ("language=de", "language belongs to the formats xlsx and html"),
            ("organisation=x", "no parameter `organisation`: there are by, columns, step,"),
            ("output=/tmp/x", "no parameter `output`"),
            ("help", "no parameter `help`"),
        ];
        for (query, expected) in told {
            let text = refused(query);
            assert!(text.contains(expected), "{query}: {text}");
        }
    }

    #[test]
    fn every_option_is_described() {
        let names: Vec<_> = parameters::<Options>(&[]).into_iter().map(|parameter| parameter.name).collect();
        for name in ["by", "from", "until", "organization", "time-class", "cost", "format", "language"] {
            assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
        }
    }
}
