//! The first admin, made with a secret that the service printed when it started without any user.

use super::Gate;
use super::failure::Failure;
use crate::{clock, secrets};
use std::time::Duration;
use store::accounts::{FirstAdmin, Role, User, complaint_about_name};

/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

impl Gate {
    /// Whether the first admin can be made with a secret.
    pub(crate) async fn knows_first_admin(
        &self,
        secret: &str,
        complain: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<bool, Failure> {
        let hash = secrets::hash_of_secret(secret);
        let known = self.0.accounts.ask(move |store| Ok(store.knows_first_admin(&hash, clock::now())?));
        known.await?.map_err(|error| Failure::of(&error, complain))
    }

    /// Makes the first admin; gives the name.
    pub(crate) async fn make_first_admin(
        &self,
        secret: &str,
        name: String,
        password: String,
        complain: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<String, Failure> {
        if let Some(complaint) =
            complaint_about_name(&name).or_else(|| secrets::complaint_about_password(&password))
        {
            return Err(Failure::Wrong(complaint.to_owned()));
        }
        let (hash, opener) = (secrets::hash_of_secret(secret), self.0.opener.clone());
        // Whoever tries out secrets waits for one turn of those who log in, and costs no hash of a password.
        let made = self.0.accounts.ask(move |reader| {
            let now = clock::now();
            if !reader.knows_first_admin(&hash, now)? {
                return Ok((FirstAdmin::UnknownSecret, name));
            }
            let password_hash = secrets::hash_password(&password)?;
            let user = User { name, role: Role::Admin, password_hash, created_at: now };
            let made = opener.open(PATIENCE)?.make_first_admin(&hash, now, &user)?;
            Ok((made, user.name))
        });
        match made.await?.map_err(|error| Failure::of(&error, complain))? {
            (FirstAdmin::Made, name) => Ok(name),
            (FirstAdmin::NotTheFirst, _) => {
                Err(Failure::Conflict("there is a user already: an admin adds others".to_owned()))
            }
            (FirstAdmin::UnknownSecret, _) => Err(Failure::Forbidden(
                "this secret is not good, or no more: the service prints a new one when it starts".to_owned(),
            )),
        }
    }
}
