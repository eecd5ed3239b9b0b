//! The role that a user or a token is given.

use super::{warn, wrong_usage};
use clap::{Args, ValueEnum};
use store::Store;
use store::accounts::Role;

/// What a user or a token may do.
#[derive(Debug, Clone, Args)]
pub(super) struct GivenRole {
    /// admin: everything; viewer: see everything
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Option<Kind>,
    /// A viewer of this organization's figures only
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Admin,
    Viewer,
}

impl GivenRole {
    /// The role, which must be given.
    pub(super) fn role(self) -> anyhow::Result<Role> {
        match (self.role, self.organization) {
            (Some(Kind::Admin), None) => Ok(Role::Admin),
            (Some(Kind::Viewer), None) => Ok(Role::Viewer),
            (Some(Kind::Viewer), Some(organization)) if !organization.trim().is_empty() => {
                Ok(Role::OrganizationViewer(organization))
            }
            (Some(Kind::Viewer), Some(_)) => Err(wrong_usage("--organization is empty")),
            (Some(Kind::Admin), Some(_)) => {
                Err(wrong_usage("--organization belongs to --role viewer: an admin sees everything"))
            }
            (None, _) => Err(wrong_usage("--role admin or --role viewer is missing")),
        }
    }

    /// Whether any of it is given.
    pub(super) fn is_given(&self) -> bool {
        self.role.is_some() || self.organization.is_some()
    }
}

/// Says that nobody belongs to an organization yet: its name may be misspelled.
pub(super) fn warn_of_unknown_organization(
    store: &mut Store,
    organization: Option<&str>,
) -> anyhow::Result<()> {
    let Some(organization) = organization else { return Ok(()) };
    let names = store.read(|reader| Ok(reader.names()))?;
    let mut memberships = names.persons.iter().flat_map(|person| &person.memberships);
    if !memberships.any(|membership| membership.organization.as_deref() == Some(organization)) {
        warn(&format!(
            "the directory has nobody in the organization `{organization}` yet; it is compared as it is written"
        ));
    }
    Ok(())
}
