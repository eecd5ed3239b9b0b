//! Browsers in which somebody is logged in. Of the secret in a cookie nothing is kept but its hash.

use crate::accounts::{User, user_of};
use crate::backend::{one, writing};
use crate::{Error, Store};
use accounting::UnixMs;

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

    /// Who is logged in at `now` with a secret of this hash.
    pub fn user_of_browser_session(&mut self, secret_hash: &str, now: UnixMs) -> Result<Option<User>, Error> {
        let sql = "select a.name, a.role, a.organization, a.password_hash, a.created_at
                   from browser_session b join account a on a.name = b.account and a.created_at = b.account_created_at
                   where b.secret_hash = $1 and b.expires_at > $2";
        one(self.backend.as_mut(), sql, &[secret_hash.into(), now.into()], user_of)
    }

    /// Logs the browser with a secret of this hash out.
    pub fn end_browser_session(&mut self, secret_hash: &str) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.execute("delete from browser_session where secret_hash = $1", &[secret_hash.into()])?;
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
}
