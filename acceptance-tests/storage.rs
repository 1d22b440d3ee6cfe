//! What registries share, as real servers beside the testbed's hosts: an object store, and a Redis.

use crate::testbed::Testbed;

/// A bucket of the testbed's object store, which speaks S3.
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The address of the object store, for hosts, containers and this machine.
    pub endpoint: String,
    /// `AWS_REGION`
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`
    pub access_key: String,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_key: String,
}

/// The testbed's Redis.
pub struct Redis {
    /// Host and port, for hosts, containers and this machine.
    pub address: String,
    /// What `AUTH` wants.
    pub password: String,
}

impl Testbed {
    /// A new bucket. Its object store is started with the first one, and ends with the testbed.
    pub fn bucket(&self, name: &str) -> Bucket {
        let exports = self.run("s3", &[name]);
        Bucket {
            name: name.to_owned(),
            endpoint: exported(&exports, "AWS_ENDPOINT_URL"),
            region: exported(&exports, "AWS_REGION"),
            access_key: exported(&exports, "AWS_ACCESS_KEY_ID"),
            secret_key: exported(&exports, "AWS_SECRET_ACCESS_KEY"),
        }
    }

    /// The names of all objects in a bucket.
    pub fn objects(&self, bucket: &Bucket) -> Vec<String> {
        self.run("objects", &[&bucket.name]).lines().map(str::to_owned).collect()
    }

    /// The Redis, which is started by the first call, and ends with the testbed.
    pub fn redis(&self) -> Redis {
        let exports = self.run("redis", &[]);
        Redis { address: exported(&exports, "REDIS_ADDRESS"), password: exported(&exports, "REDIS_PASSWORD") }
    }

    /// What `redis-cli COMMAND…` prints.
    pub fn ask_redis(&self, command: &[&str]) -> String {
        self.run("redis", command).trim().to_owned()
    }
}

fn exported(exports: &str, name: &str) -> String {
    let value =
        exports.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("no {name} in {exports}")).to_owned()
}
