//! `auth`: who may use the registry.

use super::{
    absolute,
    file::{Content, File, Role, told},
    one_of, web_address,
};
use crate::{
    registry::{
        Secret,
        configuration::{Section, Texts, paths},
        htpasswd::DEFAULT_COST,
    },
    resources::service::not_empty,
    terraform::{Model, Sensitive, WriteOnly},
};
use std::collections::BTreeMap;

/// Who may use the registry (`auth`). One of `htpasswd`, `token` and `silly`.
#[derive(Clone, Debug, Model)]
pub struct Auth {
    /// Users with passwords. Each of them may do everything.
    pub htpasswd: Option<Htpasswd>,

    /// Tokens of another server, which knows who may do what.
    pub token: Option<Token>,

    /// Anybody who sends any credentials: for tests alone.
    pub silly: Option<Silly>,
}

/// Users with passwords (`auth.htpasswd`). One of `users`, `users_wo`, `file` and `file_secret`.
#[derive(Clone, Debug, Model)]
pub struct Htpasswd {
    /// What a client shows when it asks for the password.
    #[tf(default = "Registry", check = not_empty)]
    pub realm: String,

    /// Passwords by user. They are kept in the state: better use `users_wo`.
    pub users: Option<Sensitive<BTreeMap<String, String>>>,

    /// Passwords by user, kept in neither plan nor state.
    pub users_wo: WriteOnly<BTreeMap<String, String>>,

    /// Raise it to send `users_wo` again.
    pub users_wo_version: Option<i64>,

    /// How much work the hashes of `users` and `users_wo` are: bcrypt's cost, each step of which doubles it. The registry does
    /// that work at each request: some 20 ms at 8, and more than a second at 14.
    #[tf(default = i64::from(DEFAULT_COST), check = cost)]
    pub cost: i64,

    /// Lines of `user:hash`, hashed with bcrypt (`htpasswd -B`): Distribution knows no other hash.
    pub file: Option<Sensitive<String>>,

    /// ID or name of a secret with such lines.
    pub file_secret: Option<String>,
}

/// Tokens of another server (`auth.token`). At least one of `root_certificates`, `jwks` and their secrets.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Token {
    /// Address of the server that clients get their tokens from, such as `https://auth.example.com/token`.
    #[tf(check = web_address)]
    pub realm: String,

    /// What the registry is called in the tokens.
    #[tf(check = not_empty)]
    pub service: String,

    /// What the server calls itself in the tokens.
    #[tf(check = not_empty)]
    pub issuer: String,

    /// Certificates as PEM text, by one of which the key of a token must be signed (`auth.token.rootcertbundle`). Distribution
    /// 2.8 knows tokens by these alone.
    pub root_certificates: Option<String>,

    /// ID or name of a secret with such certificates.
    pub root_certificates_secret: Option<String>,

    /// The public keys of the server as a JSON Web Key Set (`auth.token.jwks`). Distribution 3.0 and later.
    #[tf(check = json)]
    pub jwks: Option<String>,

    /// ID or name of a secret with such keys. Distribution 3.0 and later.
    pub jwks_secret: Option<String>,

    /// The algorithms by which a token may be signed, such as `RS256` (`auth.token.signingalgorithms`). Without it all that
    /// Distribution knows. Distribution 3.0 and later.
    #[tf(default = Vec::new(), check = algorithms)]
    pub signing_algorithms: Vec<String>,

    /// Whether clients are sent to the host that they called, instead of to `realm` (`auth.token.autoredirect`).
    #[tf(default = false)]
    pub auto_redirect: bool,

    /// The path on that host (`auth.token.autoredirectpath`). Without it `/auth/token`. Distribution 3.0 and later.
    #[tf(check = absolute)]
    pub auto_redirect_path: Option<String>,
}

/// Anybody who sends any credentials (`auth.silly`): nothing is checked.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Silly {
    /// Address that clients are told to get a token from.
    #[tf(check = not_empty)]
    pub realm: String,

    /// What the registry is called there.
    #[tf(check = not_empty)]
    pub service: String,
}

impl Auth {
    /// `auth`
    pub fn section(&self) -> Section {
        Section::new()
            .with("htpasswd", self.htpasswd.as_ref().map(Htpasswd::section))
            .with("token", self.token.as_ref().map(Token::section))
            .with("silly", self.silly.as_ref().map(Silly::section))
    }

    /// The file of the users, and those of the keys of tokens.
    pub fn files(&self) -> Vec<File> {
        let mut files = vec![];
        if let Some(htpasswd) = &self.htpasswd {
            files.extend(htpasswd.files());
        }
        if let Some(token) = &self.token {
            files.extend(token.files());
        }
        files
    }
}

impl Htpasswd {
    fn section(&self) -> Section {
        Section::new().with("realm", &self.realm).with("path", paths::HTPASSWD)
    }

    fn files(&self) -> Vec<File> {
        let attribute = if self.file_secret.is_some() { "auth.htpasswd.file" } else { "auth.htpasswd.users" };
        File::all([(Role::Htpasswd, attribute, Some(self.content()))])
    }

    fn content(&self) -> Content {
        let secret = |users: &BTreeMap<String, String>| -> Vec<(String, Secret)> {
            users.iter().map(|(user, password)| (user.clone(), password.as_str().into())).collect()
        };
        let cost = u32::try_from(self.cost).unwrap_or(DEFAULT_COST);
        match (&self.users, &self.file, &self.file_secret) {
            (Some(users), ..) => Content::Users(secret(users.expose()), cost),
            (None, Some(file), _) => Content::bytes(file.expose()),
            (None, None, Some(source)) => Content::Foreign(source.clone()),
            (None, None, None) => Content::VersionedUsers {
                users: self.users_wo.expose().map(secret),
                cost,
                told: told(&(self.users_wo_version, self.cost)),
            },
        }
    }
}

impl Token {
    fn section(&self) -> Section {
        let roots = self.roots().map(|_| paths::TOKEN_ROOTS);
        let keys = self.keys().map(|_| paths::TOKEN_KEYS);
        Section::new()
            .with("realm", &self.realm)
            .with("service", &self.service)
            .with("issuer", &self.issuer)
            .with("rootcertbundle", roots)
            .with("jwks", keys)
            .with("signingalgorithms", Texts(&self.signing_algorithms))
            .with("autoredirect", self.auto_redirect)
            .with("autoredirectpath", &self.auto_redirect_path)
    }

    fn files(&self) -> Vec<File> {
        File::all([
            (Role::TokenRoots, "auth.token.root_certificates", self.roots()),
            (Role::TokenKeys, "auth.token.jwks", self.keys()),
        ])
    }

    fn roots(&self) -> Option<Content> {
        Content::optional(&self.root_certificates, &self.root_certificates_secret)
    }

    fn keys(&self) -> Option<Content> {
        Content::optional(&self.jwks, &self.jwks_secret)
    }
}

impl Silly {
    fn section(&self) -> Section {
        Section::new().with("realm", &self.realm).with("service", &self.service)
    }
}

fn cost(cost: &i64) -> Result<(), String> {
    if (4..=14).contains(cost) {
        Ok(())
    } else {
        Err("a cost is a number from 4 to 14, best 8 to 10: each request pays it".to_owned())
    }
}

fn algorithms(algorithms: &[String]) -> Result<(), String> {
    const KNOWN: [&str; 13] = [
        "EdDSA", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256",
        "PS384", "PS512",
    ];
    algorithms.iter().try_for_each(|algorithm| one_of(algorithm, &KNOWN))
}

fn json(text: &str) -> Result<(), String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(set)) if set.contains_key("keys") => Ok(()),
        _ => Err("a key set is a JSON object with `keys`".to_owned()),
    }
}
