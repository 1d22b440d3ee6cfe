//! `wait_for`: what an apply waits for.

use super::web_address;
use crate::terraform::Model;

/// What an apply waits for.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct WaitFor {
    /// Whether it waits until the tasks run.
    #[tf(default = true)]
    pub replicas: bool,

    /// An address that must answer, such as `https://hub.example.com/v2/`.
    #[tf(check = web_address)]
    pub url: Option<String>,

    /// The statuses that count as an answer.
    #[tf(default = vec![200, 401])]
    pub statuses: Vec<i64>,

    /// Certificates as PEM text, by one of which the registry's must be signed. Without it those of the system.
    pub ca: Option<String>,

    /// `host:port` to connect to instead of what `url` names, where that name does not resolve here.
    pub connect_to: Option<String>,

    /// Whether the certificate is not verified.
    #[tf(default = false)]
    pub insecure: bool,
}

impl Default for WaitFor {
    fn default() -> Self {
        WaitFor {
            replicas: true,
            url: None,
            statuses: vec![200, 401],
            ca: None,
            connect_to: None,
            insecure: false,
        }
    }
}
