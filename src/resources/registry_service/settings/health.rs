//! `health`: when the registry calls itself unhealthy.

use super::{at_least_one, file::headers_in_file, some_time, web_address};
use crate::{
    registry::configuration::Section,
    terraform::{Duration, Model, Sensitive, WriteOnly},
};
use std::collections::BTreeMap;

/// When the registry calls itself unhealthy (`health`): then every answer is 503.
#[derive(Clone, Debug, Default, Model)]
pub struct Health {
    /// The check of the storage (`health.storagedriver`).
    #[tf(default = StorageCheck::default())]
    pub storage: StorageCheck,

    /// Files, each of which makes the registry unhealthy as long as it exists (`health.file`).
    #[tf(default = Vec::new())]
    pub files: Vec<FileCheck>,

    /// Addresses that must answer a `HEAD` request (`health.http`).
    #[tf(default = Vec::new())]
    pub http: Vec<HttpCheck>,

    /// Addresses that must take a connection (`health.tcp`).
    #[tf(default = Vec::new())]
    pub tcp: Vec<TcpCheck>,
}

/// How the storage is checked (`health.storagedriver`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct StorageCheck {
    /// Whether it is (`health.storagedriver.enabled`).
    #[tf(default = true)]
    pub enabled: bool,

    /// Pause between two checks, such as `"10s"` (`health.storagedriver.interval`).
    #[tf(default = Duration::from_secs(10), check = some_time)]
    pub interval: Duration,

    /// How many failures in a row count (`health.storagedriver.threshold`).
    #[tf(default = 3, check = at_least_one)]
    pub threshold: i64,
}

/// A file that makes the registry unhealthy as long as it exists.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct FileCheck {
    /// Path of the file in the container.
    #[tf(check = super::absolute)]
    pub file: String,

    /// Pause between two checks, such as `"10s"`.
    #[tf(default = Duration::from_secs(10), check = some_time)]
    pub interval: Duration,
}

/// An address that must answer a `HEAD` request. At most one of `headers` and `headers_wo`.
#[derive(Clone, Debug, Model)]
pub struct HttpCheck {
    /// The address, such as `http://storage.example.com/health`.
    #[tf(check = web_address)]
    pub uri: String,

    /// The status that counts as healthy (`statuscode`).
    #[tf(default = 200, check = status)]
    pub status_code: i64,

    /// Headers of the request, by name. They are kept in the state: better use `headers_wo`.
    pub headers: Option<Sensitive<BTreeMap<String, Vec<String>>>>,

    /// The same, kept in neither plan nor state.
    pub headers_wo: WriteOnly<BTreeMap<String, Vec<String>>>,

    /// Raise it to send `headers_wo` again.
    pub headers_wo_version: Option<i64>,

    /// How long an answer may take, such as `"5s"`. Without it there is no limit.
    #[tf(check = some_time)]
    pub timeout: Option<Duration>,

    /// Pause between two checks, such as `"10s"`.
    #[tf(default = Duration::from_secs(10), check = some_time)]
    pub interval: Duration,

    /// How many failures in a row count.
    #[tf(default = 3, check = at_least_one)]
    pub threshold: i64,
}

/// An address that must take a connection.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct TcpCheck {
    /// Host and port, such as `redis:6379` (`addr`).
    #[tf(check = super::host_and_port)]
    pub address: String,

    /// How long a connection may take, such as `"5s"`. Without it there is no limit.
    #[tf(check = some_time)]
    pub timeout: Option<Duration>,

    /// Pause between two checks, such as `"10s"`.
    #[tf(default = Duration::from_secs(10), check = some_time)]
    pub interval: Duration,

    /// How many failures in a row count.
    #[tf(default = 3, check = at_least_one)]
    pub threshold: i64,
}

impl Default for StorageCheck {
    fn default() -> Self {
        StorageCheck { enabled: true, interval: Duration::from_secs(10), threshold: 3 }
    }
}

impl Health {
    /// `health`
    pub fn section(&self) -> Section {
        let storage = self.storage.enabled.then(|| {
            Section::new()
                .with("enabled", true)
                .with("interval", self.storage.interval.to_std())
                .with("threshold", self.storage.threshold)
        });
        Section::new()
            .with("storagedriver", storage)
            .with("file", self.files.iter().map(FileCheck::section).collect::<Vec<_>>())
            .with("http", self.http.iter().map(HttpCheck::section).collect::<Vec<_>>())
            .with("tcp", self.tcp.iter().map(TcpCheck::section).collect::<Vec<_>>())
    }
}

impl FileCheck {
    fn section(&self) -> Section {
        Section::new().with("file", &self.file).with("interval", self.interval.to_std())
    }
}

impl HttpCheck {
    fn section(&self) -> Section {
        Section::new()
            .with("uri", &self.uri)
            .with("statuscode", self.status_code)
            .with("headers", headers_in_file(&self.headers, &self.headers_wo, self.headers_wo_version))
            .with("timeout", self.timeout.as_ref().map(Duration::to_std))
            .with("interval", self.interval.to_std())
            .with("threshold", self.threshold)
    }
}

impl TcpCheck {
    fn section(&self) -> Section {
        Section::new()
            .with("addr", &self.address)
            .with("timeout", self.timeout.as_ref().map(Duration::to_std))
            .with("interval", self.interval.to_std())
            .with("threshold", self.threshold)
    }
}

fn status(status: &i64) -> Result<(), String> {
    if (100..=599).contains(status) { Ok(()) } else { Err("a status is a number from 100 to 599".to_owned()) }
}
