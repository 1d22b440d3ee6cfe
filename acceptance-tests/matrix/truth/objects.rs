//! Secrets, configs, networks and volumes: nearly everything is fixed when they are made.

use super::case::{Case, Expected, ONE_OF_SEVERAL, OPAQUE, TERRAFORM_S};

/// The `timeouts` of a type, in a resource with these arguments.
pub fn timeouts(r#type: &'static str, prefix: &str, arguments: impl Fn(&str) -> String) -> Vec<Case> {
    ["create", "update", "delete"]
        .into_iter()
        .map(|operation| {
            let path = format!("timeouts.{operation}");
            let without = arguments(&named(prefix, r#type, &path));
            let with = |limit: &str| format!("{without}\n  timeouts = {{ {operation} = \"{limit}\" }}");
            Case::new(r#type, &path, &with("61s"), &with("2m"), Some(&without))
                .behind(Expected::Blank(TERRAFORM_S))
        })
        .collect()
}

/// A name for the object of a case.
pub fn named(prefix: &str, r#type: &str, path: &str) -> String {
    let kind = r#type.trim_start_matches("swarm_");
    format!("{prefix}-{kind}-{}", path.replace(['.', '_'], "-"))
}

/// Arguments beside the name: the attribute with its values, and what it needs.
struct Sample {
    path: &'static str,
    first: &'static str,
    second: &'static str,
    /// Without the attribute; `None` where it must be set.
    without: Option<&'static str>,
}

const fn sample(
    path: &'static str,
    first: &'static str,
    second: &'static str,
    without: Option<&'static str>,
) -> Sample {
    Sample { path, first, second, without }
}

fn case(r#type: &'static str, prefix: &str, sample: &Sample) -> Case {
    let name = format!("  name = \"{}\"", named(prefix, r#type, sample.path));
    let arguments = |more: &str| format!("{name}\n  {more}");
    let (first, second) = (arguments(sample.first), arguments(sample.second));
    let case = Case::new(r#type, sample.path, &first, &second, sample.without.map(arguments).as_deref());
    // A switch's second value is what it is without one: it is always so in these tables.
    let is_switch = |value: &str| sample.second.ends_with(&format!("{} = {value}", sample.path));
    let goes_back = sample.without == Some(sample.second) || is_switch("false") || is_switch("true");
    if goes_back { case.back_to_default() } else { case }
}

/// Both have the same attributes. `DATA` is the attribute of the data where that is not what is tried: of a secret it is one that
/// is kept nowhere, so that nothing of it is missing in what is imported.
const SECRETS_AND_CONFIGS: &[Sample] = &[
    sample(
        "generations",
        "DATA = \"x\"\n  generations = true",
        "DATA = \"x\"\n  generations = false",
        Some("DATA = \"x\""),
    ),
    sample("data", "data = \"a\"", "data = \"b\"", None),
    // What is text would be read as `data`.
    sample("data_base64", "data_base64 = \"/wA=\"", "data_base64 = \"/wE=\"", None),
    sample(
        "template_driver",
        "DATA = \"x\"\n  template_driver = \"golang\"",
        "DATA = \"x\"",
        Some("DATA = \"x\""),
    ),
];

const LABELS: Sample = sample(
    "labels",
    "data = \"x\"\n  labels = { a = \"1\" }",
    "data = \"x\"\n  labels = { b = \"2\" }",
    Some("data = \"x\""),
);

pub fn secrets(prefix: &str) -> Vec<Case> {
    let r#type = "swarm_secret";
    let mut cases = secrets_or_configs(r#type, prefix);
    let name = format!("  name = \"{}\"\n  data_wo = \"x\"", named(prefix, r#type, "data_wo_version"));
    let with = |version: u8| format!("{name}\n  data_wo_version = {version}");
    cases.push(
        Case::new(r#type, "data_wo_version", &with(2), &with(3), Some(&name))
            .follows(&["id"])
            .behind(Expected::Blank(OPAQUE)),
    );
    cases
}

pub fn configs(prefix: &str) -> Vec<Case> {
    secrets_or_configs("swarm_config", prefix)
}

fn secrets_or_configs(r#type: &'static str, prefix: &str) -> Vec<Case> {
    let data = if r#type == "swarm_secret" { "data_wo" } else { "data" };
    let name =
        |letter: &str| format!("  name = \"{}-{letter}\"\n  {data} = \"x\"", named(prefix, r#type, "name"));
    let mut cases = vec![Case::new(r#type, "name", &name("a"), &name("b"), None).replaces()];
    cases.extend(SECRETS_AND_CONFIGS.iter().map(|sample| {
        let mut case = case(r#type, prefix, sample);
        for arguments in case.arguments.iter_mut().flatten() {
            *arguments = arguments.replace("DATA", data);
        }
        if sample.path == "generations" {
            return case.replaces();
        }
        // The resource stays, and has another object.
        let case = case.follows(&["id"]);
        match sample.path {
            "template_driver" => case.behind(Expected::Imported),
            _ if r#type == "swarm_secret" => case.behind(Expected::Blank(OPAQUE)),
            _ => case.behind(Expected::Imported),
        }
    }));
    for case in &mut cases {
        if ["data", "data_base64"].contains(&case.paths[0].as_str()) {
            case.clear = Expected::Blank(ONE_OF_SEVERAL);
        }
    }
    cases.push(case(r#type, prefix, &LABELS));
    cases.extend(timeouts(r#type, prefix, |name| format!("  name = \"{name}\"\n  data = \"x\"")));
    cases
}

const NETWORKS: &[Sample] = &[
    sample(
        "options",
        "options = { \"com.docker.network.driver.mtu\" = \"1400\" }",
        "options = { \"com.docker.network.driver.mtu\" = \"1300\" }",
        Some(""),
    ),
    sample("attachable", "attachable = true", "attachable = false", Some("")),
    sample("internal", "internal = true", "internal = false", Some("")),
    sample("config_only", "config_only = true", "config_only = false", Some("")),
    sample("labels", "labels = { a = \"1\" }", "labels = { b = \"2\" }", Some("")),
    sample(
        "ipam.options",
        "ipam = { options = { a = \"1\" } }",
        "ipam = { options = { b = \"2\" } }",
        Some(""),
    ),
    sample(
        "ipam.config.subnet",
        "ipam = { config = [{ subnet = \"10.211.0.0/24\" }] }",
        "ipam = { config = [{ subnet = \"10.212.0.0/24\" }] }",
        Some(""),
    ),
    sample(
        "ipam.config.ip_range",
        "ipam = { config = [{ subnet = \"10.213.0.0/24\", ip_range = \"10.213.0.0/25\" }] }",
        "ipam = { config = [{ subnet = \"10.213.0.0/24\", ip_range = \"10.213.0.128/25\" }] }",
        Some("ipam = { config = [{ subnet = \"10.213.0.0/24\" }] }"),
    ),
    sample(
        "ipam.config.gateway",
        "ipam = { config = [{ subnet = \"10.214.0.0/24\", gateway = \"10.214.0.7\" }] }",
        "ipam = { config = [{ subnet = \"10.214.0.0/24\", gateway = \"10.214.0.8\" }] }",
        Some("ipam = { config = [{ subnet = \"10.214.0.0/24\" }] }"),
    ),
    sample(
        "ipam.config.aux_addresses",
        "config_only = true\n  ipam = { config = [{ subnet = \"10.215.0.0/24\", aux_addresses = { a = \"10.215.0.7\" } }] }",
        "config_only = true\n  ipam = { config = [{ subnet = \"10.215.0.0/24\", aux_addresses = { b = \"10.215.0.8\" } }] }",
        Some("config_only = true\n  ipam = { config = [{ subnet = \"10.215.0.0/24\" }] }"),
    ),
];

pub fn networks(prefix: &str) -> Vec<Case> {
    let r#type = "swarm_network";
    let name = |letter: &str| format!("  name = \"{}-{letter}\"", named(prefix, r#type, "name"));
    let mut cases = vec![Case::new(r#type, "name", &name("a"), &name("b"), None).replaces()];
    cases.extend(NETWORKS.iter().map(|sample| case(r#type, prefix, sample).replaces()));
    cases.extend(timeouts(r#type, prefix, |name| format!("  name = \"{name}\"")));

    let settings = |letter: &str| format!("{prefix}-settings-{letter}");
    let beside: String = ["a", "b"]
        .iter()
        .map(|letter| {
            format!(
                "resource \"swarm_network\" \"settings_{letter}\" {{\n  name = \"{}\"\n  config_only = true\n}}\n",
                settings(letter)
            )
        })
        .collect();
    let name = |path: &str| format!("  name = \"{}\"", named(prefix, r#type, path));
    let from =
        |letter: &str| format!("driver = \"macvlan\"\n  config_from = swarm_network.settings_{letter}.name");
    let path = "config_from";
    let with = |letter: &str| format!("{}\n  {}", name(path), from(letter));
    cases.push(
        Case::new(r#type, path, &with("a"), &with("b"), None)
            .replaces()
            .cleared(Expected::Blank("a network of this driver needs it: the case of `driver` clears both"))
            .beside(beside),
    );
    let mut driver = Case::new(
        r#type,
        "driver",
        &format!("{}\n  driver = \"overlay\"", name("driver")),
        &format!("{}\n  {}", name("driver"), from("a")),
        Some(&name("driver")),
    );
    driver.paths.push("config_from".to_owned());
    cases.push(driver.replaces());
    cases
}

const VOLUMES: &[Sample] = &[
    sample(
        "driver_options",
        "driver_options = { type = \"tmpfs\", device = \"tmpfs\" }",
        "driver_options = { type = \"tmpfs\", device = \"tmpfs\", o = \"size=1m\" }",
        Some(""),
    ),
    sample("labels", "labels = { a = \"1\" }", "labels = { b = \"2\" }", Some("")),
];

const CLUSTER: &str = "driver = \"csi-example\"\n  cluster";

/// What a volume can have in the swarm: the attribute in `cluster`, and two values.
const CLUSTER_VOLUMES: &[(&str, &str, &str)] = &[
    ("group", "{ group = \"a\" }", "{ group = \"b\" }"),
    ("scope", "{ scope = \"multi\" }", "{ scope = \"single\" }"),
    ("sharing", "{ sharing = \"all\" }", "{ sharing = \"none\" }"),
    ("mount.fs_type", "{ mount = { fs_type = \"ext4\" } }", "{ mount = { fs_type = \"xfs\" } }"),
    ("mount.flags", "{ mount = { flags = [\"noatime\"] } }", "{ mount = { flags = [\"ro\", \"noatime\"] } }"),
    (
        "topology.required",
        "{ topology = { required = [{ zone = \"a\" }] } }",
        "{ topology = { required = [{ zone = \"b\" }] } }",
    ),
    (
        "topology.preferred",
        "{ topology = { preferred = [{ zone = \"a\" }] } }",
        "{ topology = { preferred = [{ zone = \"b\" }] } }",
    ),
    ("capacity.required", "{ capacity = { required = \"1GiB\" } }", "{ capacity = { required = \"2GiB\" } }"),
    ("capacity.limit", "{ capacity = { limit = \"3GiB\" } }", "{ capacity = { limit = \"4GiB\" } }"),
    (
        "secrets",
        "{ secrets = { key = data.swarm_secret.of_a_volume_a.id } }",
        "{ secrets = { key = data.swarm_secret.of_a_volume_b.id } }",
    ),
    ("availability", "{ availability = \"pause\" }", "{ availability = \"drain\" }"),
];

/// Volumes of a host; where the Engine knows cluster volumes, those too.
pub fn volumes(prefix: &str, engines: [&str; 2], of_clusters: bool) -> Vec<Case> {
    let r#type = "swarm_volume";
    let gone = "keep_on_destroy = false";
    let name = |path: &str| format!("  name = \"{}\"\n  {gone}", named(prefix, r#type, path));
    let both = |letter: &str| format!("{}-{letter}", named(prefix, r#type, "name"));
    let by_name = |letter: &str| format!("  name = \"{}\"\n  {gone}", both(letter));
    let mut cases = vec![Case::new(r#type, "name", &by_name("a"), &by_name("b"), None).replaces()];
    cases.extend(VOLUMES.iter().map(|sample| {
        let more = |text: &str| format!("{}\n  {text}", name(sample.path));
        Case::new(
            r#type,
            sample.path,
            &more(sample.first),
            &more(sample.second),
            sample.without.map(more).as_deref(),
        )
        .replaces()
    }));
    let kept = |value: &str| format!("  name = \"{}\"{value}", named(prefix, r#type, "keep_on_destroy"));
    cases.push(
        Case::new(
            r#type,
            "keep_on_destroy",
            &kept("\n  keep_on_destroy = false"),
            &kept("\n  keep_on_destroy = true"),
            Some(&kept("")),
        )
        .back_to_default()
        .behind(Expected::Blank(TERRAFORM_S)),
    );
    let path = "engine.host";
    let [first, second] = engines.map(|host| format!("{}\n  engine = {{ host = \"{host}\" }}", name(path)));
    cases.push(
        Case::new(r#type, path, &first, &second, Some(&name(path))).behind(Expected::Blank(TERRAFORM_S)),
    );
    cases.extend(timeouts(r#type, prefix, |name| format!("  name = \"{name}\"\n  {gone}")));
    if of_clusters {
        cases.extend(
            CLUSTER_VOLUMES
                .iter()
                .map(|(attribute, first, second)| cluster_volume(prefix, attribute, [first, second])),
        );
    }
    cases
}

/// No driver removes it, so it is kept.
fn cluster_volume(prefix: &str, attribute: &str, values: [&str; 2]) -> Case {
    let r#type = "swarm_volume";
    let path = format!("cluster.{attribute}");
    let name = format!("  name = \"{}\"", named(prefix, r#type, &path));
    let [first, second] = values.map(|value| format!("{name}\n  {CLUSTER} = {value}"));
    let without = format!("{name}\n  {CLUSTER} = {{}}");
    let case = Case::new(r#type, &path, &first, &second, Some(&without));
    let case = if attribute == "secrets" { case.beside(secrets_of_a_volume(prefix)) } else { case };
    if attribute == "availability" {
        return case;
    }
    case.replaces().only_planned("no driver is there that would remove the old one")
}

/// Secrets that are there, and of which a volume has the IDs.
fn secrets_of_a_volume(prefix: &str) -> String {
    let data = |letter: &str| {
        format!(
            "data \"swarm_secret\" \"of_a_volume_{letter}\" {{\n  name = \"{prefix}-SECRET-{letter}\"\n}}\n"
        )
    };
    ["a", "b"].map(data).concat()
}
