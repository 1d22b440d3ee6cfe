//! `storage.s3`: images in a bucket.

use super::super::file::{Content, File, Role, told};
use crate::{
    registry::{Dialect, Secret, configuration::Section},
    resources::service::{not_empty, one_of},
    terraform::{Model, Sensitive, Size, WriteOnly},
};

/// Images in a bucket of Amazon S3, or of what speaks its protocol (`storage.s3`).
///
/// Without keys the registry finds some by itself: in its environment, or by the role of its machine.
#[derive(Clone, Debug, Model)]
pub struct S3 {
    /// Name of the bucket. It must exist.
    #[tf(check = not_empty)]
    pub bucket: String,

    /// Region of the bucket, such as `eu-central-1`. With `region_endpoint` it is `us-east-1` unless it is set.
    #[tf(check = not_empty)]
    pub region: Option<String>,

    /// Address of a store that is not Amazon's, such as `http://minio:9000` (`regionendpoint`).
    #[tf(check = not_empty)]
    pub region_endpoint: Option<String>,

    /// Whether the bucket is named in the path of an address, and not in its host (`forcepathstyle`). By default it is as
    /// soon as `region_endpoint` is set, which Distribution 2.8 has no other choice for.
    pub force_path_style: Option<bool>,

    /// Prefix of all keys (`rootdirectory`). Without it the root of the bucket.
    #[tf(check = not_empty)]
    pub root_directory: Option<String>,

    /// The access key. It is kept in the state: better use `access_key_wo`.
    pub access_key: Option<Sensitive<String>>,

    /// The access key, kept in neither plan nor state.
    pub access_key_wo: WriteOnly<String>,

    /// The secret key. It is kept in the state: better use `secret_key_wo`.
    pub secret_key: Option<Sensitive<String>>,

    /// The secret key, kept in neither plan nor state.
    pub secret_key_wo: WriteOnly<String>,

    /// Raise it to send `access_key_wo` and `secret_key_wo` again.
    pub credentials_wo_version: Option<i64>,

    /// ID or name of a secret with the keys, as a credentials file of Amazon's tools: a line `[default]`, then
    /// `aws_access_key_id = …` and `aws_secret_access_key = …`.
    pub credentials_secret: Option<String>,

    /// Whether the store encrypts what it keeps.
    #[tf(default = false)]
    pub encrypt: bool,

    /// ID of the key of Amazon's key management with which it encrypts (`keyid`). Without it the store's own.
    #[tf(check = not_empty)]
    pub kms_key_id: Option<String>,

    /// Whether TLS is used where `region_endpoint` has no scheme.
    #[tf(default = true)]
    pub secure: bool,

    /// Whether any certificate of the store is good (`skipverify`).
    #[tf(default = false)]
    pub skip_verify: bool,

    /// Whether requests are signed in version 4 (`v4auth`). The older version 2 needs `region_endpoint`.
    #[tf(default = true)]
    pub v4_auth: bool,

    /// Size of the parts of an upload, from `"5MiB"` to `"5GiB"` (`chunksize`). Each upload needs that much memory.
    /// Without it 10 MiB.
    #[tf(check = chunk)]
    pub chunk_size: Option<Size>,

    /// Size of the parts in which a finished upload is moved to its place, from `"5MiB"` to `"5GiB"`
    /// (`multipartcopychunksize`). Without it 32 MiB.
    #[tf(check = chunk)]
    pub multipart_copy_chunk_size: Option<Size>,

    /// How many such parts are moved at once (`multipartcopymaxconcurrency`). Without it 100.
    #[tf(check = at_least_one)]
    pub multipart_copy_max_concurrency: Option<i64>,

    /// Up to which size an upload is moved in one piece, at most `"5GiB"` (`multipartcopythresholdsize`). Without it
    /// 32 MiB.
    #[tf(check = threshold)]
    pub multipart_copy_threshold_size: Option<Size>,

    /// Storage class of the objects (`storageclass`): `STANDARD`, `REDUCED_REDUNDANCY`, or `NONE` for stores that know no
    /// classes; with Distribution 3.0 also `STANDARD_IA`, `ONEZONE_IA`, `INTELLIGENT_TIERING`, `OUTPOSTS` and
    /// `GLACIER_IR`, with 3.1.1 `EXPRESS_ONEZONE`. Without it `STANDARD`.
    #[tf(check = storage_class)]
    pub storage_class: Option<String>,

    /// Canned ACL of the objects (`objectacl`): `private`, `public-read`, `public-read-write`, `authenticated-read`,
    /// `aws-exec-read`, `bucket-owner-read` or `bucket-owner-full-control`. Without it `private`.
    #[tf(check = object_acl)]
    pub object_acl: Option<String>,

    /// What the registry calls itself (`useragent`).
    #[tf(check = not_empty)]
    pub user_agent: Option<String>,

    /// Whether Amazon's transfer acceleration is used. Needs Distribution 3.0.
    pub accelerate: Option<bool>,

    /// Whether endpoints with IPv6 are used (`usedualstack`). Needs Distribution 3.0.
    pub use_dual_stack: Option<bool>,

    /// Whether endpoints with FIPS cryptography are used (`usefipsendpoint`). Needs Distribution 3.1.
    pub use_fips_endpoint: Option<bool>,

    /// What is logged of the requests to the store (`loglevel`): `off`, `debug`, `debugwithsigning`, `debugwithhttpbody`,
    /// `debugwithrequestretries`, `debugwithrequesterrors` or `debugwitheventstreambody`. Needs Distribution 3.0.
    #[tf(check = log_level)]
    pub log_level: Option<String>,
}

impl S3 {
    /// `storage.s3`. The keys are in a file of their own, so that they and the configuration change apart.
    pub(super) fn section(&self, dialect: Dialect) -> Section {
        let has_endpoint = self.region_endpoint.is_some();
        // Distribution 2.8 always wants a region, and 3 signs for one named `<nil>` where there is none.
        let region = self.region.as_deref().or(has_endpoint.then_some("us-east-1"));
        // What 2.8 does by itself, 3 has to be told (S13).
        let path_style = self.force_path_style.or(has_endpoint.then_some(true));
        Section::new()
            .with("bucket", &self.bucket)
            .with("region", region)
            .with("regionendpoint", &self.region_endpoint)
            .with("forcepathstyle", path_style.filter(|_| dialect.is_3()))
            .with("rootdirectory", &self.root_directory)
            .with("encrypt", self.encrypt)
            .with("keyid", &self.kms_key_id)
            .with("secure", self.secure)
            .with("skipverify", self.skip_verify)
            .with("v4auth", self.v4_auth)
            .with("chunksize", self.chunk_size.as_ref().map(Size::bytes))
            .with("multipartcopychunksize", self.multipart_copy_chunk_size.as_ref().map(Size::bytes))
            .with("multipartcopymaxconcurrency", self.multipart_copy_max_concurrency)
            .with("multipartcopythresholdsize", self.multipart_copy_threshold_size.as_ref().map(Size::bytes))
            .with("storageclass", &self.storage_class)
            .with("objectacl", &self.object_acl)
            .with("useragent", &self.user_agent)
            .with("accelerate", self.accelerate)
            .with("usedualstack", self.use_dual_stack)
            .with("usefipsendpoint", self.use_fips_endpoint)
            .with("loglevel", &self.log_level)
    }

    /// The credentials file, if there are keys.
    pub(super) fn files(&self) -> Vec<File> {
        File::all([(Role::AwsCredentials, "storage.s3.credentials", self.credentials())])
    }

    /// A version alone says that there are keys too: those that were sent before.
    fn credentials(&self) -> Option<Content> {
        if let Some(secret) = &self.credentials_secret {
            return Some(Content::Foreign(secret.clone()));
        }
        let given = |kept: &Option<Sensitive<String>>, write_only: &WriteOnly<String>| {
            kept.as_ref().map(Sensitive::expose).or(write_only.expose()).cloned().map(Secret::from)
        };
        let access_key = given(&self.access_key, &self.access_key_wo);
        let secret_key = given(&self.secret_key, &self.secret_key_wo);
        if access_key.is_none() && secret_key.is_none() && self.credentials_wo_version.is_none() {
            return None;
        }
        let value = access_key.zip(secret_key).map(|(access_key, secret_key)| file(&access_key, &secret_key));
        match value {
            Some(value) if self.access_key.is_some() && self.secret_key.is_some() => {
                Some(Content::Bytes(value))
            }
            value => {
                let kept =
                    [&self.access_key, &self.secret_key].map(|key| key.as_ref().map(Sensitive::expose));
                Some(Content::Versioned { value, told: told(&(self.credentials_wo_version, kept)) })
            }
        }
    }
}

/// A credentials file of Amazon's tools.
fn file(access_key: &Secret, secret_key: &Secret) -> Secret {
    Secret::from(format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        access_key.expose(),
        secret_key.expose()
    ))
}

const MIB: i64 = 1 << 20;

fn chunk(size: &Size) -> Result<(), String> {
    let is_possible = (5 * MIB..=5120 * MIB).contains(&size.bytes());
    if is_possible { Ok(()) } else { Err("a size from 5MiB to 5GiB (S10)".to_owned()) }
}

fn threshold(size: &Size) -> Result<(), String> {
    if size.bytes() <= 5120 * MIB { Ok(()) } else { Err("a size of at most 5GiB (S10)".to_owned()) }
}

fn at_least_one(number: &i64) -> Result<(), String> {
    if *number >= 1 { Ok(()) } else { Err("at least 1".to_owned()) }
}

fn storage_class(class: &str) -> Result<(), String> {
    let classes = [
        "NONE",
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "OUTPOSTS",
        "GLACIER_IR",
        "EXPRESS_ONEZONE",
    ];
    one_of(class, &classes)
}

fn object_acl(acl: &str) -> Result<(), String> {
    let acls = [
        "private",
        "public-read",
        "public-read-write",
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
    ];
    one_of(acl, &acls)
}

fn log_level(level: &str) -> Result<(), String> {
    let levels = [
        "off",
        "debug",
        "debugwithsigning",
        "debugwithhttpbody",
        "debugwithrequestretries",
        "debugwithrequesterrors",
        "debugwitheventstreambody",
    ];
    one_of(level, &levels)
}
