//! `htpasswd`: the file of users that a registry reads.

use crate::registry::{Secret, htpasswd};
use crate::terraform::{Diagnostic, Function, Model, Result, Sensitive};
use std::collections::BTreeMap;

/// Makes the file of users that a registry reads, as `htpasswd -B` would: a line `USER:HASH` for each user, hashed by bcrypt.
///
/// The same arguments give the same file, so that a plan stays empty; the function `bcrypt` of Terraform gives another at each
/// plan. So the salt of a hash follows from user, password and `salt`. It is as slow to make as the hash itself, so whoever has
/// the file and guesses passwords is no faster for it. But who uses one `salt` for two files can see in them where a user has
/// one password, and with a `salt` that others know, guesses can be hashed before the file is stolen. A `salt` that is random and
/// kept secret gives away nothing.
///
/// Give the answer to what keeps it out of the state, such as `data_wo` of `swarm_secret`, and mark what it is made of as
/// sensitive or ephemeral. `registry_service` needs no such file: it takes `users`.
#[derive(Debug, Model)]
pub struct Htpasswd {
    /// Passwords by user. A name has no colon in it, a password at most 72 bytes: bcrypt reads no more.
    users: Sensitive<BTreeMap<String, String>>,

    /// Any text that belongs to this file only, such as the registry's host or, better, something random that is kept secret.
    salt: Sensitive<String>,
}

impl Function for Htpasswd {
    const NAME: &'static str = "htpasswd";
    type Answer = Sensitive<String>;

    fn call(self) -> Result<Sensitive<String>> {
        if self.salt.expose().is_empty() {
            let rule = "Some text is wanted that belongs to this file only, such as the registry's host.";
            return Err(Diagnostic::error("No salt", rule).at("salt"));
        }
        let users = self.users.expose().iter();
        let users = users.map(|(user, password)| (user.clone(), Secret::from(password.as_str()))).collect();
        let file = htpasswd::make_without_key(&users, self.salt.expose(), htpasswd::DEFAULT_COST);
        let file = file.map_err(|error| {
            Diagnostic::error("These users cannot be written", format!("{error}.")).at("users")
        })?;
        Ok(file.expose().to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(users: &[(&str, &str)], salt: &str) -> Result<String> {
        let users: BTreeMap<String, String> =
            users.iter().map(|(user, password)| ((*user).to_owned(), (*password).to_owned())).collect();
        Htpasswd { users: users.into(), salt: salt.to_owned().into() }
            .call()
            .map(|file| file.expose().clone())
    }

    #[test]
    fn the_same_arguments_give_the_same_file_that_a_registry_takes() {
        let users = [("ci", "hunter2"), ("deploy", "hunter2")];
        let file = call(&users, "hub").unwrap();
        assert_eq!(call(&users, "hub").as_ref(), Ok(&file));
        assert_ne!(call(&users, "other").as_ref(), Ok(&file));
        assert_eq!(htpasswd::inspect(file.as_bytes(), ""), []);
        assert!(!file.contains("hunter2"));
    }

    #[test]
    fn errors_name_their_argument_and_no_password() {
        let long = "hunter2 ".repeat(10);
        for (user, password, salt, argument) in [
            ("a:b", "hunter2", "hub", "users"),
            ("", "hunter2", "hub", "users"),
            ("ci", "", "hub", "users"),
            ("ci", &long, "hub", "users"),
            ("ci", "hunter2\0", "hub", "users"),
            ("ci", "hunter2", "", "salt"),
        ] {
            let error = call(&[(user, password)], salt).unwrap_err();
            assert_eq!(error.path.to_string(), argument, "{error:?}");
            assert!(!error.detail.contains("hunter2"), "{error:?}");
        }
    }
}
