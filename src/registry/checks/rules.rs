//! Every rule, for people: the published page of the checks is made of this table, and a test holds it to the code.

/// How bad it is where a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Nothing is changed before it is put right.
    Error,
    /// It works, but probably not as it was meant.
    Warning,
    /// One or the other, as the condition says.
    Either,
    /// A warning at plan, since the same apply may heal it, and an error before anything is changed.
    Live,
    /// The provider does what is right by itself.
    Automatic,
}

/// A rule by which a deployment is judged.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The short and stable name that stands in each message.
    pub code: &'static str,
    /// How bad it is.
    pub weight: Weight,
    /// When it applies.
    pub when: &'static str,
    /// What to do then.
    pub instead: &'static str,
}

/// What the first letter of a code stands for.
pub const TOPICS: &[(char, &str)] = &[
    ('S', "Storage and replicas"),
    ('T', "TLS, names and secrets"),
    ('A', "Authentication"),
    ('P', "Scheduling, ports, updates and images"),
    ('C', "What the configuration means"),
];

use Weight::{Automatic, Either, Error, Live, Warning};

const fn rule(code: &'static str, weight: Weight, when: &'static str, instead: &'static str) -> Rule {
    Rule { code, weight, when, instead }
}

/// All rules, by topic and number: one a line.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("S1", Error, "Several replicas, or a global service, write to disks of their own, so that pushes and pulls fail at random.", "Use an object store, or `storage.filesystem.shared = true` where the files are the same on every node. Caches (`proxy`) are exempt: each may have its own."),
    rule("S2", Error, "Several replicas keep their images in memory, each its own.", "Use one replica, or storage that they share."),
    rule("S3", Warning, "Nothing is mounted where the images are, so that every update and restart loses them.", "Set `storage.filesystem.volume` or `bind`."),
    rule("S4", Warning, "One replica has its images on a disk, and may be started again on another node.", "Pin it by `placement.constraints`, or use shared storage."),
    rule("S5", Warning, "The same, with constraints that several nodes satisfy now.", "Narrow `placement.constraints` down to the node that has the images."),
    rule("S6", Error, "No storage driver is set, or more than one.", "Set exactly one."),
    rule("S7", Error, "The storage driver, or a section of `extra_config`, was removed in Distribution 3.", "Stay on an image of 2.8, or migrate."),
    rule("S8", Either, "S3 has neither region nor endpoint, or a region that this Distribution does not know; a warning where a later 3.x may know it.", "Set `region`, or `region_endpoint`, with which the region is not looked up."),
    rule("S9", Error, "Only one of S3's two keys is set.", "Set both, or neither."),
    rule("S10", Error, "The size of chunks, the storage class or the ACL is one that the store's driver refuses.", "Use one of those that the message lists."),
    rule("S11", Warning, "Clients are redirected to a store that only the swarm can reach.", "Set `storage.redirect = false`."),
    rule("S12", Warning, "Clients of an `https` registry are redirected to a store by `http`.", "Set `storage.redirect = false`, or encrypt the store."),
    rule("S13", Automatic, "Distribution 3 asks a store that is not Amazon's for buckets by host name, where 2.8 used paths.", "`forcepathstyle` is written unless `force_path_style` says otherwise."),
    rule("S14", Error, "Azure's store has no credentials, two kinds of them, or one that 2.8 does not know.", "Set exactly one kind; its type is written by itself."),
    rule("S15", Warning, "A key for encryption is named, but encryption is off.", "Set `encrypt = true`."),
    rule("S16", Live, "The folder of `storage.filesystem.bind` is not there, on the one node that can be asked: the one that the provider talks to.", "Make the folder, or use `volume`."),
    rule("S17", Warning, "The storage of a registry changes to another place, which does not have its images.", "Copy them first."),
    rule("S18", Error, "Something is mounted over the images, the secrets or the configuration file.", "Mount it elsewhere."),
    rule("S19", Either, "A change would replace the task of a registry whose images nothing keeps; a warning with `discard_images`.", "Copy the images, as the guide \"From docker service create to HCL\" shows."),
    rule("T1", Error, "Certificate or key cannot be read, the key is encrypted, or they do not belong together.", "Give the pair as unencrypted PEM."),
    rule("T2", Error, "The authority's certificate comes before the server's.", "Put the server's first."),
    rule("T3", Either, "The certificate has expired; or, a warning, it does so within 14 days, or is not valid yet.", "Renew it."),
    rule("T4", Error, "The certificate does not name the host of `url`.", "Issue one for that host, or correct `url`."),
    rule("T5", Warning, "The certificate has no alternative names, or is not meant for servers.", "Issue one with both."),
    rule("T6", Either, "Clients need the authority's certificate to trust this one; an error where it is known that they do not have it.", "Give the whole chain, and put the authority on every node."),
    rule("T7", Error, "What can be given in several spellings is given in none, or in more than one.", "Give it in exactly one."),
    rule("T8", Either, "Let's Encrypt cannot work: beside a certificate, with 2.8, with several replicas, or without names; or, a warning, port 443 is not published.", "Follow the message, or give the certificate."),
    rule("T9", Error, "The version of TLS or a cipher suite is unknown to this Distribution.", "Use one of those that the message lists."),
    rule("T10", Error, "Client certificates are asked for without authorities to check them by, or with 2.8.", "Set `tls.client_ca`."),
    rule("T11", Warning, "Passwords cross the network in clear.", "Set `tls`, or say what encrypts in front of the registry."),
    rule("T12", Warning, "A published registry has no authentication.", "Set `auth`."),
    rule("T13", Error, "`url` is no address.", "Begin it with `https://` or `http://`."),
    rule("T14", Warning, "`url` has a path, for which image names have no room.", "Leave it out."),
    rule("T15", Warning, "The scheme of `url` does not fit whether the registry has `tls`.", "Correct one of them, or say that a proxy encrypts."),
    rule("T16", Error, "A secret is empty or too large for Swarm, which takes less than 512000 bytes.", "Fill it, or make it smaller."),
    rule("T17", Error, "The name of the service is none for Swarm. Names of secrets are shortened by themselves.", "Use up to 63 letters, digits, `-` and `_`."),
    rule("T18", Live, "A secret that is referred to is not there. Two files of one name are always an error.", "Make the secret first, or correct its name; give each file a name of its own."),
    rule("T19", Either, "The HTTP secret is shorter than 16 bytes; an error where it is empty and there are several replicas.", "Leave it out: the provider makes one."),
    rule("T20", Warning, "A variable in `env` looks like a secret.", "Use an attribute for it, or `extra_config_wo`."),
    rule("A1", Error, "A hash in the file of users is not bcrypt, so that this user can never log in.", "Make it with `htpasswd -B`."),
    rule("A2", Warning, "A hash has a bcrypt cost above 10, which is paid on every request.", "Use 8 to 10."),
    rule("A3", Error, "A user's name or password cannot be written, or the file of users breaks every login.", "Correct what the message names."),
    rule("A4", Warning, "A user is in the file twice: the last line wins.", "Remove one."),
    rule("A5", Error, "Two kinds of authentication are configured, of which the registry picks one at random.", "Use one."),
    rule("A6", Error, "Token authentication lacks its realm, service or issuer, or has nothing to check tokens by; or it uses what 2.8 does not know.", "Set what the message names."),
    rule("A7", Warning, "Everybody is let in (`silly`), or nobody could log in.", "Use `htpasswd` or `token`, with users."),
    rule("P1", Live, "A port in host mode, and more replicas than nodes that can run one.", "Lower `replicas`, add nodes, or use ingress mode."),
    rule("P2", Either, "With `start-first` the new task may, or must for ever, wait for the place of the old one.", "Use `stop-first`."),
    rule("P3", Live, "Another service has published the port.", "Choose another port."),
    rule("P4", Error, "A port is published twice, or in ingress mode with `dnsrr`.", "Correct what the message names."),
    rule("P5", Error, "A published port leads to one on which nothing listens.", "Leave `target` out."),
    rule("P6", Error, "Two listeners of the registry have one port.", "Choose another."),
    rule("P7", Warning, "The debug listener, which shows secrets, is published.", "Read metrics over a network instead."),
    rule("P8", Live, "No node can run the service; the message says of each node why.", "Correct `placement.constraints`, or label a node."),
    rule("P9", Warning, "Replicas cannot be spread over the labels: a node lacks the label, there is only one value, or there are fewer replicas than values.", "Label the nodes, or correct `placement.spread`."),
    rule("P10", Error, "A constraint cannot be read, or it and `placement.spread` name what Swarm does not know and would ignore, or never match.", "Use one of the keys that the message lists."),
    rule("P11", Live, "More replicas than `max_replicas_per_node` allows on the nodes that there are.", "Lower `replicas`, or raise the limit."),
    rule("P12", Error, "A global service has a number of replicas.", "Leave it out."),
    rule("P13", Error, "A task would be killed before it has drained.", "Leave `stop_grace_period` out."),
    rule("P14", Warning, "Several replicas, but no drain: pushes break at each update.", "Set `http.drain_timeout`."),
    rule("P15", Warning, "An update would not notice that it fails, replaces all replicas at once, or goes on when it fails.", "Leave `update` out, or follow the message."),
    rule("P16", Either, "More is reserved than a task may use; or, a warning, so little memory is allowed that pushes get it killed.", "Raise the limit."),
    rule("P17", Warning, "One replica, although `placement` says how several are spread.", "Raise `replicas`."),
    rule("P18", Warning, "All nodes that can run the registry are managers, although there are workers.", "Constrain it to `node.role==worker`, or add workers."),
    rule("P19", Error, "The Engine is no manager of a swarm, or its swarm is locked or has no leader.", "Name a manager in the provider's `host`."),
    rule("P20", Error, "The registry would have to pull its image from itself.", "Take the image from another registry."),
    rule("P21", Warning, "The image is `latest`, without a digest.", "Use a tag such as `registry:3.1`."),
    rule("P22", Error, "With `storage`, neither the image's tag nor `distribution` tells the version that the configuration is for.", "Set one of them."),
    rule("P23", Warning, "The major version of Distribution changes; the message says what that means here.", "Try the step on a copy first."),
    rule("P24", Warning, "This version of Distribution has known flaws.", "Use the version that the message names."),
    rule("C1", Error, "Several instances of a cache would share one storage, and with it the schedule of what is removed when.", "Use `mode = \"global\"` with a volume; or, from 3.0 on, keep everything with `proxy.ttl = \"0s\"`."),
    rule("C2", Warning, "A cache may not delete, and grows for ever.", "Set `storage.delete = true`."),
    rule("C3", Either, "The upstream of a cache is no address; or, a warning, it has a path. Or the cache uses what 2.8 does not know, or logs in in two ways.", "Write `https://HOST[:PORT]`."),
    rule("C4", Warning, "What a user may read upstream is public on the cache.", "Set `auth`."),
    rule("C5", Error, "Redis has no address, several with 2.8, or half of a certificate and its key; or it uses what 2.8 does not know.", "Correct what the message names."),
    rule("C6", Warning, "Redis is a service, but the registry is in no network.", "Add the network of Redis to `networks`."),
    rule("C7", Error, "`extra_config` leaves only a part of `uploadpurging`: the registry would panic. The attributes write all of it.", "Leave the other keys in it."),
    rule("C8", Error, "A pattern of addresses is no regular expression.", "Correct it."),
    rule("C9", Error, "`extra_config` has a value of the wrong kind, such as a duration without a unit.", "Write what the message names."),
    rule("C10", Warning, "`extra_config` has a key that this Distribution does not read.", "Correct it; the message may guess."),
    rule("C11", Warning, "`extra_config` overrides an attribute.", "Set one of them."),
    rule("C12", Error, "`extra_config` sets what follows from mounts and ports.", "Use the attribute."),
    rule("C13", Either, "A variable of the registry's configures it beside its file; an error where it would override it.", "Use the attribute, or `extra_config`."),
    rule("C14", Error, "A text that Swarm expands has braces in it that are no placeholder of Swarm's.", "Write them as `{{\"{{\"}}`."),
    rule("C15", Warning, "Headers that browsers refuse together.", "Name one origin."),
    rule("C16", Warning, "A header of a notification looks secret, and is logged.", "Set `log.level = \"warn\"`."),
    rule("C17", Warning, "CloudFront without S3.", "Set `storage.s3`."),
    rule("C18", Warning, "The registry is read-only.", "Set `storage.read_only = false` after the maintenance."),
];

#[cfg(test)]
mod tests;
