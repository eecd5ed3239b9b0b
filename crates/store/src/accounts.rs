//! Who may ask the service, and who may send it heartbeats: users, API tokens, and the link that makes the first admin.
//!
//! Of secrets nothing is kept but hashes, which whoever calls has computed.

use crate::backend::{Backend, Row, Value, all, one, writing};
use crate::{Error, Store};
use accounting::UnixMs;

/// The longest name of a user or a token, in characters.
const LONGEST_NAME: usize = 100;
/// The number of the lock under which the first admin is made, users are added who need one, and admins take each other out.
const FIRST_ADMIN_LOCK: i64 = 0x5ea7_ad01;

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// See and change everything.
    Admin,
    /// See everything.
    Viewer,
    /// See the figures of one organization.
    OrganizationViewer(String),
}

impl Role {
    /// Its name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
            Self::OrganizationViewer(_) => "organization-viewer",
        }
    }

    /// The organization whose figures it is about, where it is about one alone.
    pub fn organization(&self) -> Option<&str> {
        match self {
            Self::OrganizationViewer(organization) => Some(organization),
            Self::Admin | Self::Viewer => None,
        }
    }

    pub(crate) fn of(role: &str, organization: Option<String>) -> Result<Self, Error> {
        match (role, organization) {
            ("admin", None) => Ok(Self::Admin),
            ("viewer", None) => Ok(Self::Viewer),
            ("organization-viewer", Some(organization)) => Ok(Self::OrganizationViewer(organization)),
            (role, _) => Err(Error::Corrupt(format!("role `{role}` of an account or a token"))),
        }
    }
}

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// What somebody of this role may do.
    Role(Role),
    /// Sending heartbeats, and nothing else.
    Heartbeats,
    /// Sending events of wrappers, and nothing else.
    Events,
    /// Sending what a site collector takes in, and nothing else: of the site of this name.
    Site(String),
}

/// What stands in the place of a role where a token is for sending events, or for a site.
const EVENTS: &str = "events";
const SITE: &str = "site";

impl Purpose {
    /// Its role, where it has one.
    pub fn role(&self) -> Option<&Role> {
        match self {
            Self::Role(role) => Some(role),
            Self::Heartbeats | Self::Events | Self::Site(_) => None,
        }
    }

    /// The one site that may be told of, where there is one.
    pub fn site(&self) -> Option<&str> {
        match self {
            Self::Site(site) => Some(site),
            Self::Role(_) | Self::Heartbeats | Self::Events => None,
        }
    }
}

/// Somebody who logs in with a password.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The login.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The password's hash, a PHC text.
    pub password_hash: String,
    /// When the user was added.
    pub created_at: UnixMs,
}

impl std::fmt::Debug for User {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "User({}, {:?})", self.name, self.role)
    }
}

/// A program that says who it is by a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What people call it.
    pub name: String,
    /// What it is good for.
    pub purpose: Purpose,
    /// The end of the secret, by which people tell tokens apart.
    pub last_four: String,
    /// When it was added.
    pub created_at: UnixMs,
}

/// What became of a secret for the first admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstAdmin {
    /// The admin is there, and no secret is good any more.
    Made,
    /// No such secret was given out, or its time has passed.
    UnknownSecret,
    /// There is a user already.
    NotTheFirst,
}

/// What became of a user who was to be added beside an admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The user is there.
    Added,
    /// There is a user of that name.
    NameTaken,
    /// Nobody is an admin, and the user would not be one either.
    NoAdmin,
}

/// What became of a user whom an admin takes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// The user is out.
    Removed,
    /// There is none of that name.
    NoSuchUser,
    /// Who takes the user out is no admin any more.
    NoAdmin,
}

/// Why a name is no name of a user or a token.
pub fn complaint_about_name(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("a name must not be empty"),
        _ if name.trim() != name => Some("a name neither begins nor ends with a blank"),
        _ if name.contains(':') => Some("a name has no colon: HTTP's login puts one behind it"),
        _ if name.chars().any(char::is_control) => Some("a name has no control characters"),
        _ if name.chars().count() > LONGEST_NAME => Some("a name has at most 100 characters"),
        _ => None,
    }
}

impl Store {
    /// Adds a user; `false` where there is one of that name.
    pub fn add_user(&mut self, user: &User) -> Result<bool, Error> {
        writing(self.backend.as_mut(), |backend| insert_user(backend, user))
    }

    /// As [`Self::add_user`], but refuses who would leave users without an admin among them: everybody would have to log
    /// in, and nobody could add an admin in the browser any more.
    pub fn add_user_beside_admin(&mut self, user: &User) -> Result<Added, Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.lock(FIRST_ADMIN_LOCK)?;
            if user.role != Role::Admin && !has_admin(backend)? {
                return Ok(Added::NoAdmin);
            }
            Ok(if insert_user(backend, user)? { Added::Added } else { Added::NameTaken })
        })
    }

    /// Whether any user is an admin.
    pub fn has_admin(&mut self) -> Result<bool, Error> {
        has_admin(self.backend.as_mut())
    }

    /// All users by name.
    pub fn users(&mut self) -> Result<Vec<User>, Error> {
        let sql = "select name, role, organization, password_hash, created_at from account order by name";
        all(self.backend.as_mut(), sql, &[], user_of)
    }

    /// Whether there is any user.
    pub fn has_users(&mut self) -> Result<bool, Error> {
        has_users(self.backend.as_mut())
    }

    /// The user of that name.
    pub fn user(&mut self, name: &str) -> Result<Option<User>, Error> {
        let sql = "select name, role, organization, password_hash, created_at from account where name = $1";
        one(self.backend.as_mut(), sql, &[name.into()], user_of)
    }

    /// Takes a user out; `false` where there is none of that name.
    pub fn remove_user(&mut self, name: &str) -> Result<bool, Error> {
        writing(self.backend.as_mut(), |backend| {
            Ok(backend.execute("delete from account where name = $1", &[name.into()])? > 0)
        })
    }

    /// As [`Self::remove_user`], at the word of the user `by`, who must be an admin still: of two who take each other out at once
    /// one is left.
    pub fn remove_user_by(&mut self, by: &str, name: &str) -> Result<Removed, Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.lock(FIRST_ADMIN_LOCK)?;
            let sql = "select name from account where name = $1 and role = $2";
            if one(backend, sql, &[by.into(), Role::Admin.as_str().into()], |row| row.text(0))?.is_none() {
                return Ok(Removed::NoAdmin);
            }
            let is_out = backend.execute("delete from account where name = $1", &[name.into()])? > 0;
            Ok(if is_out { Removed::Removed } else { Removed::NoSuchUser })
        })
    }

    /// Adds a token by the hash of its secret; `false` where there is one of that name.
    pub fn add_token(&mut self, token: &Token, secret_hash: &str) -> Result<bool, Error> {
        let role = token.purpose.role();
        let params = [
            token.name.as_str().into(),
            match &token.purpose {
                Purpose::Events => EVENTS.into(),
                Purpose::Site(_) => SITE.into(),
                Purpose::Heartbeats | Purpose::Role(_) => role.map(Role::as_str).into(),
            },
            role.and_then(Role::organization).into(),
            secret_hash.into(),
            token.last_four.as_str().into(),
            token.created_at.into(),
            token.purpose.site().into(),
        ];
        writing(self.backend.as_mut(), |backend| {
            let sql =
                "insert into api_token (name, role, organization, token_hash, last_four, created_at, site)
                       values ($1, $2, $3, $4, $5, $6, $7) on conflict (name) do nothing";
            Ok(backend.execute(sql, &params)? > 0)
        })
    }

    /// All tokens by name.
    pub fn tokens(&mut self) -> Result<Vec<Token>, Error> {
        let sql = "select name, role, organization, last_four, created_at, site from api_token order by name";
        all(self.backend.as_mut(), sql, &[], token_of)
    }

    /// The token whose secret has this hash.
    pub fn token_of_secret(&mut self, secret_hash: &str) -> Result<Option<Token>, Error> {
        let sql = "select name, role, organization, last_four, created_at, site from api_token where token_hash = $1";
        one(self.backend.as_mut(), sql, &[secret_hash.into()], token_of)
    }

    /// Takes a token out; `false` where there is none of that name.
    pub fn remove_token(&mut self, name: &str) -> Result<bool, Error> {
        writing(self.backend.as_mut(), |backend| {
            Ok(backend.execute("delete from api_token where name = $1", &[name.into()])? > 0)
        })
    }

    /// Gives out a secret, by its hash, with which the first admin may be made until `expires_at`; `false` where there
    /// is a user. Those whose time has passed at `now` are forgotten.
    pub fn offer_first_admin(
        &mut self,
        secret_hash: &str,
        now: UnixMs,
        expires_at: UnixMs,
    ) -> Result<bool, Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.lock(FIRST_ADMIN_LOCK)?;
            if has_users(backend)? {
                return Ok(false);
            }
            backend.execute("delete from first_admin where expires_at <= $1", &[now.into()])?;
            let sql = "insert into first_admin (secret_hash, expires_at) values ($1, $2)";
            backend.execute(sql, &[secret_hash.into(), expires_at.into()])?;
            Ok(true)
        })
    }

    /// Whether a secret of this hash was given out and is good at `now`.
    pub fn knows_first_admin(&mut self, secret_hash: &str, now: UnixMs) -> Result<bool, Error> {
        is_good(self.backend.as_mut(), secret_hash, now)
    }

    /// Makes the first admin with a secret that was given out. Of several that try at once one succeeds.
    pub fn make_first_admin(
        &mut self,
        secret_hash: &str,
        now: UnixMs,
        user: &User,
    ) -> Result<FirstAdmin, Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.lock(FIRST_ADMIN_LOCK)?;
            if !is_good(backend, secret_hash, now)? {
                return Ok(FirstAdmin::UnknownSecret);
            }
            if has_users(backend)? {
                return Ok(FirstAdmin::NotTheFirst);
            }
            insert_user(backend, user)?;
            backend.execute("delete from first_admin", &[])?;
            Ok(FirstAdmin::Made)
        })
    }
}

fn insert_user(backend: &mut dyn Backend, user: &User) -> Result<bool, Error> {
    let params: [Value; 5] = [
        user.name.as_str().into(),
        user.role.as_str().into(),
        user.role.organization().into(),
        user.password_hash.as_str().into(),
        user.created_at.into(),
    ];
    let sql = "insert into account (name, role, organization, password_hash, created_at)
               values ($1, $2, $3, $4, $5) on conflict (name) do nothing";
    Ok(backend.execute(sql, &params)? > 0)
}

fn is_good(backend: &mut dyn Backend, secret_hash: &str, now: UnixMs) -> Result<bool, Error> {
    let sql = "select expires_at from first_admin where secret_hash = $1 and expires_at > $2";
    Ok(one(backend, sql, &[secret_hash.into(), now.into()], |row| row.int(0))?.is_some())
}

fn has_users(backend: &mut dyn Backend) -> Result<bool, Error> {
    Ok(one(backend, "select name from account limit 1", &[], |row| row.text(0))?.is_some())
}

fn has_admin(backend: &mut dyn Backend) -> Result<bool, Error> {
    let sql = "select name from account where role = $1 limit 1";
    Ok(one(backend, sql, &[Role::Admin.as_str().into()], |row| row.text(0))?.is_some())
}

pub(crate) fn user_of(row: &Row<'_>) -> Result<User, Error> {
    Ok(User {
        name: row.text(0)?,
        role: Role::of(&row.text(1)?, row.opt_text(2)?)?,
        password_hash: row.text(3)?,
        created_at: row.int(4)?,
    })
}

fn token_of(row: &Row<'_>) -> Result<Token, Error> {
    let organization = row.opt_text(2)?;
    let purpose = match row.opt_text(1)? {
        Some(role) if role == EVENTS && organization.is_none() => Purpose::Events,
        Some(role) if role == SITE && organization.is_none() => Purpose::Site(row.text(5)?),
        Some(role) => Purpose::Role(Role::of(&role, organization)?),
        None => Purpose::Heartbeats,
    };
    Ok(Token { name: row.text(0)?, purpose, last_four: row.text(3)?, created_at: row.int(4)? })
}
