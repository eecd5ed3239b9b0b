//! From what a provider says of somebody to a name and a role.

use super::token::Claims;
use crate::config::GivenRole;
use serde_json::Value;
use store::accounts::{Role, complaint_about_name};

/// The values of a claim: a text is one, a list has several, of an object its keys count. Where no claim has the whole
/// name, its dots lead into objects: `realm_access.roles`. `None` where there is no such claim.
pub(super) fn values(claims: &Claims, name: &str) -> Option<Vec<String>> {
    let deeper = || {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, key| value.get(key))
    };
    let found = claims.get(name).or_else(deeper)?;
    Some(match found {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(object) => object.keys().cloned().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    })
}

/// The role that values come to: whoever has several may what the strongest may. Of two organizations that are given, the
/// first of the configuration is seen.
pub(super) fn role(values: &[String], roles: &[(String, GivenRole)]) -> Option<Role> {
    let strength = |role: &GivenRole| match role {
        GivenRole::Admin => 0,
        GivenRole::Viewer => 1,
        GivenRole::Organization(_) => 2,
    };
    let given = roles.iter().filter(|(value, _)| values.contains(value)).map(|(_, role)| role);
    // Of equals the first is taken.
    given.min_by_key(|role| strength(role)).map(|role| match role {
        GivenRole::Admin => Role::Admin,
        GivenRole::Viewer => Role::Viewer,
        GivenRole::Organization(organization) => Role::OrganizationViewer(organization.clone()),
    })
}

/// How somebody is called: by a claim, else by what the provider itself knows the person by.
pub(super) fn name(claims: &Claims, claim: &str) -> String {
    let text = |claim: &str| values(claims, claim).and_then(|values| values.into_iter().next());
    let usable = |name: &String| complaint_about_name(name).is_none();
    let name = text(claim).map(|name| name.trim().to_owned()).filter(usable);
    name.or_else(|| text("sub").filter(usable)).unwrap_or_else(|| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Claims, GivenRole, name, role, values};
    use serde_json::{Value, json};
    use store::accounts::Role;

    fn claims(claims: Value) -> Claims {
        claims.as_object().unwrap().clone()
    }

    #[test]
    fn a_claim_is_a_text_a_list_or_lies_deeper() {
        let said = claims(json!({
            "one": "staff", "some": ["staff", 7, "lab"], "none": [], "odd": 7,
            "realm_access": { "roles": ["lab"], "of": { "seats": "staff" } },
            "urn:roles": { "staff": { "id": 1 }, "lab": {} },
            "https://example.com/roles": ["lab"], "a.b": "whole", "a": { "b": "part" },
        }));
        for (name, expected) in [
            ("one", Some(vec!["staff"])),
            ("some", Some(vec!["staff", "lab"])),
            ("none", Some(vec![])),
            ("odd", Some(vec![])),
            ("realm_access.roles", Some(vec!["lab"])),
            ("realm_access.of.seats", Some(vec!["staff"])),
            ("urn:roles", Some(vec!["staff", "lab"])),
            ("https://example.com/roles", Some(vec!["lab"])),
            ("a.b", Some(vec!["whole"])),
            ("realm_access.groups", None),
            ("one.roles", None),
            ("roles", None),
        ] {
            let expected = expected.map(|values| values.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(values(&said, name), expected, "{name}");
        }
    }

    #[test]
    fn the_strongest_role_counts_and_without_one_there_is_none() {
        let of = |organization: &str| Role::OrganizationViewer(organization.to_owned());
        let one = |organization: &str| GivenRole::Organization(organization.to_owned());
        let roles = [
            ("lab", one("R&D")),
            ("staff", GivenRole::Viewer),
            ("it", GivenRole::Admin),
            ("desk", one("Sales")),
        ];
        let roles = roles.map(|(value, role)| (value.to_owned(), role));
        let given =
            |values: &[&str]| role(&values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>(), &roles);
        assert_eq!(given(&["lab"]), Some(of("R&D")));
        assert_eq!(given(&["desk", "lab"]), Some(of("R&D")), "the first of the configuration");
        assert_eq!(given(&["lab", "staff"]), Some(Role::Viewer));
        assert_eq!(given(&["it", "staff", "lab"]), Some(Role::Admin));
        for nothing in [&[][..], &["STAFF"], &["staff "], &["other"]] {
            assert_eq!(given(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn somebody_without_a_name_that_can_be_shown_is_called_as_the_provider_does() {
        let of = |said: Value| name(&claims(said), "preferred_username");
        assert_eq!(of(json!({ "sub": "s-1", "preferred_username": " amara " })), "amara");
        for odd in [json!(""), json!("a\nb"), json!(7), json!("x".repeat(101))] {
            assert_eq!(of(json!({ "sub": "s-1", "preferred_username": odd })), "s-1", "{odd}");
        }
        assert_eq!(of(json!({ "sub": "a\nb" })), "?");
    }
}
