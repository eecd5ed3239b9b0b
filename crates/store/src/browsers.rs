//! Browsers in which somebody is logged in. Of the secret in a cookie nothing is kept but its hash.

use crate::accounts::{Role, User, user_of};
use crate::backend::{Row, Value, all, one, writing};
use crate::{Error, Store};
use accounting::UnixMs;

/// Somebody who logs in elsewhere, as a provider tells.
#[derive(Clone, PartialEq, Eq)]
pub struct Provided {
    /// By what the person is known again: a hash.
    pub person: String,
    /// How the person is called.
    pub name: String,
    /// What the person may do.
    pub role: Role,
}

impl std::fmt::Debug for Provided {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Provided({:?})", self.role)
    }
}

/// The logins of somebody who logs in elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedLogins {
    /// As the last login tells.
    pub who: Provided,
    /// When that was.
    pub last_at: UnixMs,
    /// In how many browsers.
    pub browsers: usize,
}

/// Who is logged in with a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InBrowser {
    /// A user of this ledger.
    User(User),
    /// Somebody of whom a provider tells.
    Provided(Provided),
}

impl Store {
    /// Remembers that a user is logged in with a secret of this hash until `expires_at`. What expired before `now` is
    /// forgotten.
    pub fn begin_browser_session(
        &mut self,
        secret_hash: &str,
        user: &User,
        now: UnixMs,
        expires_at: UnixMs,
    ) -> Result<(), Error> {
        let params = [
            secret_hash.into(),
            user.name.as_str().into(),
            user.created_at.into(),
            now.into(),
            expires_at.into(),
        ];
        writing(self.backend.as_mut(), |backend| {
            backend.execute("delete from browser_session where expires_at <= $1", &[now.into()])?;
            let sql = "insert into browser_session (secret_hash, account, account_created_at, created_at, expires_at)
                       values ($1, $2, $3, $4, $5)";
            backend.execute(sql, &params)?;
            Ok(())
        })
    }

    /// As [`Self::begin_browser_session`], for somebody of whom a provider tells; `terms` is what the configuration says of
    /// the provider, by its hash.
    pub fn begin_provided_session(
        &mut self,
        secret_hash: &str,
        terms: &str,
        who: &Provided,
        now: UnixMs,
        expires_at: UnixMs,
    ) -> Result<(), Error> {
        let params: [Value; 8] = [
            secret_hash.into(),
            terms.into(),
            who.person.as_str().into(),
            who.name.as_str().into(),
            who.role.as_str().into(),
            who.role.organization().into(),
            now.into(),
            expires_at.into(),
        ];
        writing(self.backend.as_mut(), |backend| {
            backend.execute("delete from provided_session where expires_at <= $1", &[now.into()])?;
            let sql = "insert into provided_session
                           (secret_hash, terms, person, name, role, organization, created_at, expires_at)
                       values ($1, $2, $3, $4, $5, $6, $7, $8)";
            backend.execute(sql, &params)?;
            Ok(())
        })
    }

    /// Who is logged in at `now` with a secret of this hash; of those of whom a provider tells, only who logged in on these
    /// `terms`.
    pub fn in_browser(
        &mut self,
        secret_hash: &str,
        terms: Option<&str>,
        now: UnixMs,
    ) -> Result<Option<InBrowser>, Error> {
        let sql = "select a.name, a.role, a.organization, a.password_hash, a.created_at
                   from browser_session b join account a on a.name = b.account and a.created_at = b.account_created_at
                   where b.secret_hash = $1 and b.expires_at > $2";
        let user = one(self.backend.as_mut(), sql, &[secret_hash.into(), now.into()], user_of)?;
        let (None, Some(terms)) = (&user, terms) else { return Ok(user.map(InBrowser::User)) };
        let sql = "select person, name, role, organization, created_at from provided_session
                   where secret_hash = $1 and terms = $2 and expires_at > $3";
        let params = [secret_hash.into(), terms.into(), now.into()];
        let found = one(self.backend.as_mut(), sql, &params, provided_of)?;
        Ok(found.map(|(who, _)| InBrowser::Provided(who)))
    }

    /// Those who are logged in at `now` on these `terms`, of whom a provider tells, by name.
    pub fn provided_logins(&mut self, terms: &str, now: UnixMs) -> Result<Vec<ProvidedLogins>, Error> {
        let sql = "select person, name, role, organization, created_at from provided_session
                   where terms = $1 and expires_at > $2 order by person, created_at desc";
        let rows = all(self.backend.as_mut(), sql, &[terms.into(), now.into()], provided_of)?;
        let mut logins: Vec<ProvidedLogins> = Vec::new();
        for (who, last_at) in rows {
            match logins.last_mut().filter(|last| last.who.person == who.person) {
                Some(last) => last.browsers += 1,
                None => logins.push(ProvidedLogins { who, last_at, browsers: 1 }),
            }
        }
        logins.sort_by(|one, other| one.who.name.cmp(&other.who.name));
        Ok(logins)
    }

    /// Logs the browser with a secret of this hash out.
    pub fn end_browser_session(&mut self, secret_hash: &str) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.execute("delete from browser_session where secret_hash = $1", &[secret_hash.into()])?;
            backend.execute("delete from provided_session where secret_hash = $1", &[secret_hash.into()])?;
            Ok(())
        })
    }

    /// Logs whoever is logged in with a secret of this hash out in all browsers.
    pub fn end_all_browser_sessions(&mut self, secret_hash: &str) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            let sql = "delete from browser_session
                       where account in (select account from browser_session where secret_hash = $1)";
            backend.execute(sql, &[secret_hash.into()])?;
            let sql = "delete from provided_session
                       where person in (select person from provided_session where secret_hash = $1)";
            backend.execute(sql, &[secret_hash.into()])?;
            Ok(())
        })
    }

    /// Logs a user out in all browsers.
    pub fn end_browser_sessions_of(&mut self, name: &str) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.execute("delete from browser_session where account = $1", &[name.into()])?;
            Ok(())
        })
    }

    /// Logs somebody out in all browsers of whom a provider tells.
    pub fn end_provided_sessions_of(&mut self, person: &str) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.execute("delete from provided_session where person = $1", &[person.into()])?;
            Ok(())
        })
    }
}

fn provided_of(row: &Row<'_>) -> Result<(Provided, UnixMs), Error> {
    let role = Role::of(&row.text(2)?, row.opt_text(3)?)?;
    Ok((Provided { person: row.text(0)?, name: row.text(1)?, role }, row.int(4)?))
}
