//! `redis`: where Redis is, and how it is talked to.

use super::super::file::{Content, File, Role, in_file};
use crate::{
    registry::{
        Dialect,
        configuration::{Section, Texts, paths},
    },
    resources::service::{not_empty, one_of},
    terraform::{Duration, Model, Sensitive, WriteOnly},
};

/// The Redis that all replicas share (`redis`).
///
/// It should drop what was not used for long (`maxmemory-policy allkeys-lru`), since the registry sets no limit.
#[derive(Clone, Debug, Model)]
pub struct Redis {
    /// Where it is, such as `["redis:6379"]`. With several it is a cluster, or sentinels where `master_name` is set, which
    /// needs Distribution 3.0.
    #[tf(check = addresses)]
    pub addresses: Vec<String>,

    /// User of an ACL. Needs Distribution 3.0.
    #[tf(check = not_empty)]
    pub username: Option<String>,

    /// The password. It is kept in the state: better use `password_wo`.
    pub password: Option<Sensitive<String>>,

    /// The password, kept in neither plan nor state.
    pub password_wo: WriteOnly<String>,

    /// Raise it to send `password_wo` again.
    pub password_wo_version: Option<i64>,

    /// Number of the database.
    #[tf(check = super::not_negative)]
    pub db: Option<i64>,

    /// Name of the master that the sentinels watch (`mastername`). Needs Distribution 3.0.
    #[tf(check = not_empty)]
    pub master_name: Option<String>,

    /// User at the sentinels (`sentinelusername`). Needs Distribution 3.0.
    #[tf(check = not_empty)]
    pub sentinel_username: Option<String>,

    /// The password at the sentinels (`sentinelpassword`). It is kept in the state: better use `sentinel_password_wo`.
    /// Needs Distribution 3.0.
    pub sentinel_password: Option<Sensitive<String>>,

    /// The password at the sentinels, kept in neither plan nor state.
    pub sentinel_password_wo: WriteOnly<String>,

    /// Raise it to send `sentinel_password_wo` again.
    pub sentinel_password_wo_version: Option<i64>,

    /// How long a connection may take to open (`dialtimeout`).
    #[tf(default = Duration::from_secs(5))]
    pub dial_timeout: Duration,

    /// How long an answer may take (`readtimeout`).
    #[tf(default = Duration::from_secs(3))]
    pub read_timeout: Duration,

    /// How long sending may take (`writetimeout`).
    #[tf(default = Duration::from_secs(3))]
    pub write_timeout: Duration,

    /// How many connections there may be (`poolsize`; in 2.8 `pool.maxactive`). Without it 10 a processor; in 2.8 without
    /// a limit.
    #[tf(check = at_least_one)]
    pub pool_size: Option<i64>,

    /// How many unused connections stay open (`maxidleconns`; in 2.8 `pool.maxidle`). Without it all of them; in 2.8, where
    /// Distribution would keep none, 16.
    #[tf(check = at_least_one)]
    pub max_idle: Option<i64>,

    /// How long an unused connection stays open (`connmaxidletime`; in 2.8 `pool.idletimeout`). Without it 30 minutes; in
    /// 2.8 for ever.
    pub idle_timeout: Option<Duration>,

    /// How many unused connections are kept ready (`minidleconns`). Needs Distribution 3.0.
    #[tf(check = super::not_negative)]
    pub min_idle: Option<i64>,

    /// How many connections there may be beyond the pool's size, when it is short (`maxactiveconns`); 0 is no limit. Needs
    /// Distribution 3.0.
    #[tf(check = super::not_negative)]
    pub max_active: Option<i64>,

    /// How old a connection may grow (`connmaxlifetime`). Needs Distribution 3.0.
    pub max_lifetime: Option<Duration>,

    /// How long a request waits for a connection of the pool (`pooltimeout`). Needs Distribution 3.0.
    pub pool_timeout: Option<Duration>,

    /// Whether the connection that was unused the longest is taken first (`poolfifo`). Needs Distribution 3.0.
    pub pool_fifo: Option<bool>,

    /// How often a command is tried again (`maxretries`); -1 is never. Needs Distribution 3.0.
    pub max_retries: Option<i64>,

    /// The shortest pause before a command is tried again (`minretrybackoff`). Needs Distribution 3.0.
    pub min_retry_backoff: Option<Duration>,

    /// The longest pause before a command is tried again (`maxretrybackoff`). Needs Distribution 3.0.
    pub max_retry_backoff: Option<Duration>,

    /// How many redirects within a cluster are followed (`maxredirects`). Needs Distribution 3.0.
    #[tf(check = super::not_negative)]
    pub max_redirects: Option<i64>,

    /// Whether replicas of a cluster may be asked too (`readonly`). Needs Distribution 3.0.
    pub read_only: Option<bool>,

    /// Whether the nearest node of a cluster is asked (`routebylatency`). Needs Distribution 3.0.
    pub route_by_latency: Option<bool>,

    /// Whether any node of a cluster is asked (`routerandomly`). Needs Distribution 3.0.
    pub route_randomly: Option<bool>,

    /// Whether a client that goes away ends a command (`contexttimeoutenabled`). Needs Distribution 3.0.
    pub context_timeout_enabled: Option<bool>,

    /// What each connection calls itself (`clientname`). Needs Distribution 3.0.
    #[tf(check = not_empty)]
    pub client_name: Option<String>,

    /// Version of the protocol, 2 or 3. Needs Distribution 3.0.
    #[tf(check = protocol)]
    pub protocol: Option<i64>,

    /// Whether connections do not tell the name of the library (`disableidentity`). Needs Distribution 3.0.
    pub disable_identity: Option<bool>,

    /// What is added to the library's name (`identitysuffix`). Needs Distribution 3.0.
    #[tf(check = not_empty)]
    pub identity_suffix: Option<String>,

    /// Whether answers in version 3 of the protocol are read that may still change (`unstableresp3`). Needs
    /// Distribution 3.0.
    pub unstable_resp3: Option<bool>,

    /// TLS. Needs Distribution 3.0, and 3.1 unless there is a client's certificate.
    pub tls: Option<Tls>,
}

/// TLS to Redis (`redis.tls`).
#[derive(Clone, Debug, Model)]
pub struct Tls {
    /// Certificates as PEM text, by one of which that of Redis must be signed (`rootcas`). Without it those that the image
    /// trusts. Needs Distribution 3.1: 3.0 reads none.
    #[tf(check = not_empty)]
    pub ca: Option<String>,

    /// A client's certificate as PEM text.
    #[tf(check = not_empty)]
    pub certificate: Option<String>,

    /// Its private key as PEM text. It is kept in the state: better use `private_key_wo`.
    pub private_key: Option<Sensitive<String>>,

    /// The private key as PEM text, kept in neither plan nor state.
    pub private_key_wo: WriteOnly<String>,

    /// Raise it to send `private_key_wo` again.
    pub private_key_wo_version: Option<i64>,

    /// ID or name of a secret with the private key.
    #[tf(check = not_empty)]
    pub private_key_secret: Option<String>,
}

/// The authorities that the images trust. Distribution speaks TLS only if a file is named.
const TRUSTED_BY_THE_IMAGE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Connections that 2.8 keeps open: by itself it would open one for each command.
const MAX_IDLE: i64 = 16;

impl Redis {
    /// `redis`
    pub(super) fn section(&self, dialect: Dialect) -> Section {
        let section = Section::new()
            .with("password", in_file(&self.password, &self.password_wo, self.password_wo_version))
            .with("db", self.db)
            .with("dialtimeout", self.dial_timeout.to_std())
            .with("readtimeout", self.read_timeout.to_std())
            .with("writetimeout", self.write_timeout.to_std());
        let idle_timeout = self.idle_timeout.as_ref().map(Duration::to_std);
        if !dialect.is_3() {
            let pool = Section::new()
                .with("maxidle", self.max_idle.unwrap_or(MAX_IDLE))
                .with("maxactive", self.pool_size)
                .with("idletimeout", idle_timeout);
            return section.with("addr", self.addresses.first()).with("pool", pool);
        }
        section
            .with("addrs", Texts(&self.addresses))
            .with("maxidleconns", self.max_idle)
            .with("poolsize", self.pool_size)
            .with("connmaxidletime", idle_timeout)
            .with("tls", self.tls.as_ref().map(|tls| tls.section(dialect)))
            .and(self.of_3())
    }

    /// What Distribution 3 alone reads.
    fn of_3(&self) -> Section {
        let sentinel_password =
            in_file(&self.sentinel_password, &self.sentinel_password_wo, self.sentinel_password_wo_version);
        let time = |time: &Option<Duration>| time.as_ref().map(Duration::to_std);
        Section::new()
            .with("username", &self.username)
            .with("mastername", &self.master_name)
            .with("sentinelusername", &self.sentinel_username)
            .with("sentinelpassword", sentinel_password)
            .with("minidleconns", self.min_idle)
            .with("maxactiveconns", self.max_active)
            .with("connmaxlifetime", time(&self.max_lifetime))
            .with("pooltimeout", time(&self.pool_timeout))
            .with("poolfifo", self.pool_fifo)
            .with("maxretries", self.max_retries)
            .with("minretrybackoff", time(&self.min_retry_backoff))
            .with("maxretrybackoff", time(&self.max_retry_backoff))
            .with("maxredirects", self.max_redirects)
            .with("readonly", self.read_only)
            .with("routebylatency", self.route_by_latency)
            .with("routerandomly", self.route_randomly)
            .with("contexttimeoutenabled", self.context_timeout_enabled)
            .with("clientname", &self.client_name)
            .with("protocol", self.protocol)
            .with("disableidentity", self.disable_identity)
            .with("identitysuffix", &self.identity_suffix)
            .with("unstableresp3", self.unstable_resp3)
    }

    /// The certificates and the key.
    pub(super) fn files(&self) -> Vec<File> {
        self.tls.as_ref().map(Tls::files).unwrap_or_default()
    }
}

impl Tls {
    /// `redis.tls`
    fn section(&self, dialect: Dialect) -> Section {
        let ca = if self.ca.is_some() { paths::REDIS_CA } else { TRUSTED_BY_THE_IMAGE };
        let ca = vec![ca.to_owned()];
        let certificate = self.certificate.as_ref();
        Section::new()
            // The key of that name in 3.0 is for servers, and checks nothing here.
            .with("rootcas", (dialect >= Dialect::V3_1).then_some(Texts(&ca)))
            .with("certificate", certificate.map(|_| paths::REDIS_CERTIFICATE))
            .with("key", certificate.map(|_| paths::REDIS_KEY))
    }

    fn files(&self) -> Vec<File> {
        let version = self.private_key_wo_version;
        let key = self.certificate.as_ref().map(|_| {
            Content::secret(&self.private_key, &self.private_key_wo, version, &self.private_key_secret)
        });
        File::all([
            (Role::RedisCa, "cache.redis.tls.ca", self.ca.as_deref().map(Content::bytes)),
            (
                Role::RedisCertificate,
                "cache.redis.tls.certificate",
                self.certificate.as_deref().map(Content::bytes),
            ),
            (Role::RedisKey, "cache.redis.tls.private_key", key),
        ])
    }
}

fn addresses(addresses: &[String]) -> Result<(), String> {
    let is_address = |address: &String| {
        address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains("://") && port.parse::<u16>().is_ok()
        })
    };
    if !addresses.is_empty() && addresses.iter().all(is_address) {
        Ok(())
    } else {
        Err("at least one address of a host and a port, such as \"redis:6379\" (C5)".to_owned())
    }
}

fn at_least_one(number: &i64) -> Result<(), String> {
    if *number >= 1 { Ok(()) } else { Err("at least 1".to_owned()) }
}

fn protocol(version: &i64) -> Result<(), String> {
    one_of(&version.to_string(), &["2", "3"])
}
