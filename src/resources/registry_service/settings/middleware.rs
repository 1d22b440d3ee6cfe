//! `middleware`: what stands between the registry and its storage (`middleware.storage`).

use super::{
    file::{Content, File, Role},
    web_address,
};
use crate::{
    registry::configuration::{Section, paths},
    resources::service::{not_empty, one_of},
    terraform::{Duration, Model, Sensitive, WriteOnly},
};

/// Where clients get the layers from, instead of the store itself (`middleware.storage`). It has an effect only where
/// clients are sent there: see `storage.redirect`.
#[derive(Clone, Debug, Model)]
pub struct Middleware {
    /// Amazon's CloudFront, in front of a bucket of S3.
    pub cloudfront: Option<Cloudfront>,

    /// Another host, at which everything is found under its path in the store.
    pub redirect: Option<Redirect>,

    /// Another host or path in the store's own addresses, for clients that know it by another name. Needs
    /// Distribution 3.0.
    pub rewrite: Option<Rewrite>,
}

/// Amazon's CloudFront, in front of a bucket of S3. One of `private_key`, `private_key_wo` and `private_key_secret`.
#[derive(Clone, Debug, Model)]
pub struct Cloudfront {
    /// Address of the distribution, such as `https://d111111abcdef8.cloudfront.net/` (`baseurl`).
    #[tf(check = not_empty)]
    pub base_url: String,

    /// ID of the key pair (`keypairid`).
    #[tf(check = not_empty)]
    pub key_pair_id: String,

    /// Its private key as PEM text that begins with `BEGIN RSA PRIVATE KEY`: Distribution reads no other kind
    /// (`privatekey`). It is kept in the state: better use `private_key_wo`.
    #[tf(check = rsa_key)]
    pub private_key: Option<Sensitive<String>>,

    /// The same, kept in neither plan nor state.
    #[tf(check = rsa_key)]
    pub private_key_wo: WriteOnly<String>,

    /// Raise it to send `private_key_wo` again.
    pub private_key_wo_version: Option<i64>,

    /// ID or name of a secret with the private key.
    #[tf(check = not_empty)]
    pub private_key_secret: Option<String>,

    /// How long an address is good, such as `"20m"`.
    #[tf(default = Duration::from_secs(20 * 60))]
    pub duration: Duration,

    /// Who gets the layers from S3 itself (`ipfilteredby`): `none`, `aws` for everybody within Amazon's networks, or
    /// `awsregion` for those in `aws_regions`.
    #[tf(default = "none", check = filter)]
    pub ip_filtered_by: String,

    /// Regions whose addresses go to S3 itself (`awsregion`).
    #[tf(default = vec![])]
    pub aws_regions: Vec<String>,

    /// How often the list of Amazon's networks is read (`updatefrequency`). Without it every 12 hours. Needs
    /// Distribution 3.0: 2.8 takes it for `duration`.
    pub update_frequency: Option<Duration>,

    /// Where the list of Amazon's networks is (`iprangesurl`). Without it where Amazon publishes it.
    #[tf(check = web_address)]
    pub ip_ranges_url: Option<String>,
}

/// Another host.
#[derive(Clone, Debug, Model)]
pub struct Redirect {
    /// Its address, such as `https://layers.example.com` (`baseurl`). Distribution 2.8 leaves out its path.
    #[tf(check = web_address)]
    pub base_url: String,
}

/// What is written into the store's own addresses instead of what they have.
#[derive(Clone, Debug, Model)]
pub struct Rewrite {
    /// `http` or `https`.
    #[tf(check = scheme)]
    pub scheme: Option<String>,

    /// Host, and port where it has one.
    #[tf(check = not_empty)]
    pub host: Option<String>,

    /// Beginning of the path that is taken away (`trimpathprefix`).
    #[tf(check = not_empty)]
    pub trim_path_prefix: Option<String>,
}

impl Middleware {
    /// `middleware`
    pub fn section(&self) -> Section {
        let named = |name: &str, options: Section| Section::new().with("name", name).with("options", options);
        let cloudfront = self.cloudfront.as_ref().map(|own| named("cloudfront", own.options()));
        let redirect = self
            .redirect
            .as_ref()
            .map(|own| named("redirect", Section::new().with("baseurl", &own.base_url)));
        let rewrite = self.rewrite.as_ref().map(|own| named("rewrite", own.options()));
        let storage: Vec<Section> = [cloudfront, redirect, rewrite].into_iter().flatten().collect();
        Section::new().with("storage", storage)
    }

    /// The key with which addresses are signed.
    pub fn files(&self) -> Vec<File> {
        let Some(own) = &self.cloudfront else { return vec![] };
        let version = own.private_key_wo_version;
        let key = Content::secret(&own.private_key, &own.private_key_wo, version, &own.private_key_secret);
        File::all([(Role::CloudfrontKey, "middleware.cloudfront.private_key", Some(key))])
    }
}

impl Cloudfront {
    fn options(&self) -> Section {
        let regions = (!self.aws_regions.is_empty()).then(|| self.aws_regions.join(","));
        Section::new()
            .with("baseurl", &self.base_url)
            .with("keypairid", &self.key_pair_id)
            .with("privatekey", paths::CLOUDFRONT_KEY)
            .with("duration", self.duration.to_std())
            .with("ipfilteredby", &self.ip_filtered_by)
            .with("awsregion", regions)
            .with("updatefrequency", self.update_frequency.as_ref().map(Duration::to_std))
            .with("iprangesurl", &self.ip_ranges_url)
    }
}

impl Rewrite {
    fn options(&self) -> Section {
        Section::new()
            .with("scheme", &self.scheme)
            .with("host", &self.host)
            .with("trimpathprefix", &self.trim_path_prefix)
    }
}

fn rsa_key(pem: &str) -> Result<(), String> {
    if pem.contains("-----BEGIN RSA PRIVATE KEY-----") {
        Ok(())
    } else {
        Err("a key that begins with `BEGIN RSA PRIVATE KEY` (PKCS #1); `openssl rsa -traditional` writes one"
            .to_owned())
    }
}

fn filter(filter: &str) -> Result<(), String> {
    one_of(filter, &["none", "aws", "awsregion"])
}

fn scheme(scheme: &str) -> Result<(), String> {
    one_of(scheme, &["http", "https"])
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use crate::registry::Secret;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn all_of_it_is_written_and_read_by_the_dialect() {
        let cloudfront = json!({
            "base_url": "https://d1.cloudfront.net/", "key_pair_id": "K", "private_key": "PEM", "ip_filtered_by": "awsregion",
            "aws_regions": ["us-east-1", "us-east-2"], "update_frequency": "6h", "ip_ranges_url": "https://a.b/ranges.json",
        });
        let middleware = json!({
            "cloudfront": cloudfront,
            "redirect": { "base_url": "https://layers.example.com" },
            "rewrite": { "scheme": "https", "host": "s3.example.com", "trim_path_prefix": "/hub" },
        });
        let settings = settings(json!({ "distribution": "3.0", "middleware": middleware }));
        let configuration = settings.configuration(Secret::from("x")).unwrap();
        assert_eq!(configuration.unread(settings.dialect()), Vec::<String>::new());
        let preview = configuration.render().preview;
        let written =
            &preview[preview.find("middleware:").unwrap()..preview.find("storage:\n  cache").unwrap()];
        expect![[r#"
            middleware:
              storage:
                - name: "cloudfront"
                  options:
                    awsregion: "us-east-1,us-east-2"
                    baseurl: "https://d1.cloudfront.net/"
                    duration: "20m"
                    ipfilteredby: "awsregion"
                    iprangesurl: "https://a.b/ranges.json"
                    keypairid: "K"
                    privatekey: "/run/secrets/registry-cloudfront.key"
                    updatefrequency: "6h"
                - name: "redirect"
                  options:
                    baseurl: "https://layers.example.com"
                - name: "rewrite"
                  options:
                    host: "s3.example.com"
                    scheme: "https"
                    trimpathprefix: "/hub"
        "#]]
        .assert_eq(written);
        let roles: Vec<_> = settings.files().iter().map(|file| file.role.target()).collect();
        assert_eq!(roles, ["registry-cloudfront.key"]);
    }
}
