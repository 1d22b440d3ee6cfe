//! What the docker command line made is found, written down by Terraform and planned empty: imports by ID and by
//! identity with generated configuration, and `terraform query`.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, eventually, unique},
    versions,
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// Makes an object of that name by the docker command line, and answers the ID to import it by.
type Make = fn(&Testbed, &str) -> String;

/// Every resource type, and how one is made without Terraform.
const MADE_BY_HAND: &[(&str, Make)] = &[
    ("swarm_node_label", |testbed, name| {
        testbed.docker(&["node", "update", "--label-add", &format!("{name}=true"), "hubworker01"]);
        format!("hubworker01/{name}")
    }),
    ("swarm_secret", |testbed, name| {
        testbed.docker(&["secret", "create", "--label", "team=shop", name, "/etc/hostname"]);
        name.to_owned()
    }),
    ("registry_service", |testbed, name| {
        let options = "--label a=1 --container-label b=2 --mount type=volume,source=NAME,target=/var/lib/registry \
                       --mount type=bind,source=/tmp,target=/host,readonly --mount type=tmpfs,target=/scratch,tmpfs-size=1048576 \
                       --limit-memory 64m --limit-cpu 0.5 --reserve-memory 16m --health-interval 7s --health-cmd true \
                       --config source=NAME,target=/etc/x --secret source=NAME-key,target=y,mode=0400,uid=1 --network NAME \
                       --env A=b --env EMPTY= --user 0:0 --stop-grace-period 90s --restart-condition on-failure \
                       --restart-max-attempts 3 --restart-delay 2s --update-delay 3s --update-parallelism 2 \
                       --update-failure-action rollback --update-order start-first --rollback-parallelism 0 \
                       --placement-pref spread=node.labels.zone --replicas-max-per-node 2 --log-driver json-file \
                       --log-opt max-size=1m --publish mode=host,target=5000,published=5050 --endpoint-mode dnsrr \
                       --workdir / --hostname node --init --dns 9.9.9.9";
        testbed.docker(&["config", "create", name, "/etc/hostname"]);
        testbed.docker(&["network", "create", "--driver", "overlay", name]);
        registry(testbed, name, options)
    }),
    ("swarm_config", |testbed, name| {
        testbed.docker(&["config", "create", "--label", "team=shop", name, "/etc/hostname"]);
        name.to_owned()
    }),
    ("swarm_network", |testbed, name| {
        let options = "network create --driver overlay --attachable --label a=1 --opt com.docker.network.driver.mtu=1400";
        testbed.docker(&options.split(' ').chain([name]).collect::<Vec<_>>());
        name.to_owned()
    }),
    ("swarm_volume", |testbed, name| {
        testbed.docker(&[
            "volume",
            "create",
            "--label",
            "a=1",
            "--opt",
            "type=tmpfs",
            "--opt",
            "device=tmpfs",
            name,
        ]);
        name.to_owned()
    }),
    ("swarm_service", |testbed, name| {
        let options = "service create --quiet --detach --no-resolve-image --mode global --cap-add NET_ADMIN \
                       --ulimit nofile=10:20 --host one:1.2.3.4 --env A=b --read-only --stop-signal SIGINT --tty \
                       --sysctl net.ipv4.ip_forward=1 --label a=1 --publish 80 --group 7 --init --name";
        let command: Vec<&str> =
            options.split_whitespace().chain([name, "busybox:1", "sleep", "1000"]).collect();
        testbed.docker(&command);
        name.to_owned()
    }),
    ("swarm_registry_image", |testbed, name| {
        let docker = |args: &str| testbed.docker_on("hubworker01", &args.split(' ').collect::<Vec<_>>());
        docker(&format!(
            "run --detach --name {name} --publish 5080:5000 --env REGISTRY_STORAGE_DELETE_ENABLED=true registry:2"
        ));
        eventually("the registry takes an image", || {
            docker(&format!("tag busybox:1 127.0.0.1:5080/{name}:1"));
            let push = ["push", "--quiet", &format!("127.0.0.1:5080/{name}:1")].map(str::to_owned);
            let push: Vec<&str> = push.iter().map(String::as_str).collect();
            testbed.try_docker_on("hubworker01", &push).status.success().then_some(())
        });
        let address = format!("http://{}:5080", testbed.address("hubworker01"));
        fs::create_dir_all(docker_config(testbed)).unwrap();
        let config = format!("{{\"auths\":{{\"{address}\":{{}}}}}}");
        fs::write(docker_config(testbed).join("config.json"), config).unwrap();
        format!("{address}/{name}:1")
    }),
    ("swarm_registry_trust", |testbed, name| {
        let options = "service create --quiet --detach --no-resolve-image --mode global --read-only --cap-drop ALL \
                       --label io.localhub.swarm.registry-trust=NAME.local --constraint node.platform.os==linux \
                       --mount type=bind,source=/etc/docker,target=/host/etc/docker \
                       --env FILE=/host/etc/docker/certs.d/NAME.local/ca.crt --env OVERWRITE=no --env SERVICE=NAME \
                       --env TASK={{.Task.ID}} --health-interval 5s --health-timeout 10s --health-retries 3 \
                       --update-order start-first --update-parallelism 0 --update-monitor 1s --name NAME";
        let options = options.replace("NAME", name);
        let keep = include_str!("../src/resources/swarm_registry_trust/keep.sh");
        let made = rcgen::generate_simple_self_signed(vec!["hub.docker.local".to_owned()]).unwrap();
        let ca = format!("CA={}", made.cert.pem().replace('\r', "").trim());
        let is_there = r#"[ "$(cat "$FILE")" = "$CA" ]"#;
        let more =
            ["--env", &ca, "--health-cmd", is_there, "--entrypoint", "/bin/sh", "busybox:1", "-c", keep];
        testbed.docker(&options.split_whitespace().chain(more).collect::<Vec<_>>());
        name.to_owned()
    }),
    // These two are there already. Of a cluster there is one, so both are only looked at.
    ("swarm_cluster", |testbed, _| testbed.docker(&["info", "--format", "{{.Swarm.Cluster.ID}}"])),
    ("swarm_node", |_, _| "hubworker01".to_owned()),
    // The same resource by its other name; a service as the article makes it, but for its certificates.
    ("swarm_registry_service", |testbed, name| {
        let options = "--constraint node.hostname==hubworker01 --secret NAME-key --replicas 1 \
                       --env REGISTRY_HTTP_ADDR=0.0.0.0:5000 --publish target=5000";
        registry(testbed, name, options)
    }),
];

/// Docker's configuration, which says which registries there are.
fn docker_config(testbed: &Testbed) -> PathBuf {
    testbed.file("docker-config")
}

/// A registry made with these options, in which NAME is its name.
fn registry(testbed: &Testbed, name: &str, options: &str) -> String {
    testbed.docker(&["secret", "create", &format!("{name}-key"), "/etc/hostname"]);
    let options = options.replace("NAME", name);
    let command = ["service", "create", "--quiet", "--detach", "--no-resolve-image", "--name", name];
    let options: Vec<&str> =
        command.into_iter().chain(options.split_whitespace()).chain(["registry:2"]).collect();
    testbed.docker(&options);
    name.to_owned()
}

/// An object of each type, to import by its ID.
fn by_id(testbed: &Testbed) -> Vec<(&'static str, String)> {
    let make = |(r#type, make): &(&'static str, Make)| {
        (*r#type, format!("id = \"{}\"", make(testbed, &unique("by-hand"))))
    };
    MADE_BY_HAND.iter().map(make).collect()
}

/// An `import` block for each of these: a type, and the argument that says what to import.
fn imports(what: &[(&str, String)]) -> String {
    what.iter().map(|(r#type, what)| format!("import {{\n  to = {type}.it\n  {what}\n}}\n")).collect()
}

/// Lets Terraform write the configuration of what is imported, and imports: nothing else may happen.
#[track_caller]
fn imports_what_it_writes_down(workspace: &Workspace, what: &[(&str, String)]) {
    let (count, hcl) = (what.len(), imports(what));
    // The provider is named as long as there is no resource block to name it.
    workspace.write(&hcl.replace("\n}", "\n  provider = swarm\n}"));
    let plan = workspace.run(&["plan", "-generate-config-out=generated.tf", "-no-color", "-input=false"]);
    let only = format!("{count} to import, 0 to add, 0 to change, 0 to destroy");
    assert!(plan.contains(&only), "{plan}\n{}", generated(workspace));
    workspace.write(&hcl);
    let applied = workspace.apply_and_settle();
    let only = format!("{count} imported, 0 added, 0 changed, 0 destroyed");
    assert!(applied.contains(&only), "{applied}");
}

/// Takes away what was imported, but for the swarm itself: it is the testbed's.
fn destroy_all_but_the_swarm(workspace: &Workspace) {
    let addresses = workspace.run(&["state", "list"]);
    for address in addresses.lines().filter(|address| address.starts_with("swarm_cluster.")) {
        workspace.run(&["state", "rm", address]);
    }
    workspace.destroy();
}

fn generated(workspace: &Workspace) -> String {
    fs::read_to_string(workspace.path().join("generated.tf")).unwrap_or_default()
}

/// The identities in the state, by type.
pub fn identities(workspace: &Workspace) -> Vec<(String, Value)> {
    let state: Value =
        serde_json::from_slice(&fs::read(workspace.path().join("terraform.tfstate")).unwrap()).unwrap();
    let resources = state["resources"].as_array().cloned().unwrap_or_default();
    let identity = |resource: &Value| {
        let r#type = resource["type"].as_str().unwrap().to_owned();
        (r#type, resource["instances"][0]["identity"].clone())
    };
    resources.iter().map(identity).collect()
}

#[test]
fn every_type_can_be_made_by_hand_here() {
    let folder = tempfile::tempdir().unwrap();
    let terraform = versions::terraform("1.15", folder.path());
    let workspace = Workspace::without_engine(&terraform, "");
    let schema: Value = serde_json::from_str(&workspace.run(&["providers", "schema", "-json"])).unwrap();
    let provider = &schema["provider_schemas"]["registry.terraform.io/localhub/swarm"];
    let made: BTreeSet<&str> = MADE_BY_HAND.iter().map(|(r#type, _)| *r#type).collect();
    // Each type has an identity and can be listed, so that it can be found; but for what is only done.
    let done = BTreeSet::from(["swarm_registry_garbage_collection", "swarm_registry_retention"]);
    for kind in ["resource_schemas", "resource_identity_schemas", "list_resource_schemas"] {
        let types: BTreeSet<&str> = provider[kind].as_object().unwrap().keys().map(String::as_str).collect();
        let wanted = if kind == "resource_schemas" { &made | &done } else { made.clone() };
        assert_eq!(types, wanted, "{kind}");
    }
}

#[test]
fn imports_by_id_with_generated_configuration_plan_empty() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    // The Terraform of this machine, which knows of no identity.
    let workspace = Workspace::new(&testbed, "");
    imports_what_it_writes_down(&workspace, &by_id(&testbed));
    destroy_all_but_the_swarm(&workspace);
}

#[test]
fn imports_by_identity_with_generated_configuration_plan_empty() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let folder = tempfile::tempdir().unwrap();
    let terraform = versions::terraform("1.12", folder.path());
    let first = Workspace::with_terraform(&testbed, &terraform, "");
    let by_id = by_id(&testbed);
    imports_what_it_writes_down(&first, &by_id);
    let identities = identities(&first);
    assert!(identities.iter().all(|(_, identity)| identity.is_object()), "{identities:?}");
    for (r#type, _) in &by_id {
        first.run(&["state", "rm", &format!("{type}.it")]);
    }

    // JSON is HCL here, too.
    let by_identity: Vec<(&str, String)> = identities
        .iter()
        .map(|(r#type, identity)| (r#type.as_str(), format!("identity = {identity}")))
        .collect();
    let workspace = Workspace::with_terraform(&testbed, &terraform, "");
    imports_what_it_writes_down(&workspace, &by_identity);
    destroy_all_but_the_swarm(&workspace);
}

fn what_is_found_is_written_down(version: &str) {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let folder = tempfile::tempdir().unwrap();
    let terraform = versions::terraform(version, folder.path());
    for (r#type, make) in MADE_BY_HAND {
        make(&testbed, &unique("by-hand"));
        let mut workspace = Workspace::with_terraform(&testbed, &terraform, "");
        workspace.set("DOCKER_CONFIG", &docker_config(&testbed).display().to_string());
        let query = format!("list \"{type}\" \"all\" {{\n  provider = swarm\n}}\n");
        fs::write(workspace.path().join("all.tfquery.hcl"), query).unwrap();
        let said = workspace.run(&["query", "-no-color", "-generate-config-out=generated.tf"]);
        let found = said.lines().filter(|line| line.starts_with(&format!("list.{type}.all"))).count();
        assert!(found > 0, "{said}");
        let plan = workspace.run(&["plan", "-no-color", "-input=false"]);
        let only = format!("{found} to import, 0 to add, 0 to change, 0 to destroy");
        assert!(plan.contains(&only), "{said}\n{plan}\n{}", generated(&workspace));
        workspace.apply_and_settle();
        destroy_all_but_the_swarm(&workspace);
    }
}

#[test]
fn terraform_1_14_finds_what_is_there() {
    what_is_found_is_written_down("1.14");
}

#[test]
fn terraform_1_15_finds_what_is_there() {
    what_is_found_is_written_down("1.15");
}

#[test]
fn a_query_finds_what_it_is_asked_for() {
    let testbed = Testbed::shared();
    let folder = tempfile::tempdir().unwrap();
    let terraform = versions::terraform("1.15", folder.path());
    let (name, label) = (unique("asked"), unique("team"));
    for (suffix, label) in [("-a", label.as_str()), ("-b", label.as_str()), ("-c", "other")] {
        testbed.docker(&["secret", "create", "--label", label, &format!("{name}{suffix}"), "/etc/hostname"]);
    }
    let workspace = Workspace::with_terraform(testbed, &terraform, "");
    let find = |body: &str| {
        let query = format!("list \"swarm_secret\" \"some\" {{\n  provider = swarm\n{body}\n}}\n");
        fs::write(workspace.path().join("some.tfquery.hcl"), query).unwrap();
        let said = workspace.run(&["query", "-no-color"]);
        let lines = said.lines().filter(|line| line.starts_with("list.swarm_secret.some"));
        let mut names: Vec<String> =
            lines.filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect();
        names.sort();
        names
    };
    let names = |suffixes: &[&str]| -> Vec<String> {
        suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
    };
    assert_eq!(find(&format!("config {{\n  name = \"{name}\"\n}}")), names(&["-a", "-b", "-c"]));
    assert_eq!(find(&format!("config {{\n  labels = {{ {label} = \"\" }}\n}}")), names(&["-a", "-b"]));
    assert_eq!(find(&format!("limit = 1\nconfig {{\n  name = \"{name}\"\n}}")).len(), 1);
    for name in names(&["-a", "-b", "-c"]) {
        testbed.docker(&["secret", "rm", &name]);
    }
}

#[test]
fn a_query_without_an_engine_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let terraform = versions::terraform("1.15", folder.path());
    let workspace = Workspace::without_engine(&terraform, "");
    let query = "list \"swarm_secret\" \"all\" {\n  provider = swarm\n}\n";
    fs::write(workspace.path().join("all.tfquery.hcl"), query).unwrap();
    let output = workspace.try_run(&["query", "-no-color"]);
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("list the secrets"), "{said}");
}

#[test]
fn generations_are_found_once_and_what_belongs_to_a_registry_is_not() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let folder = tempfile::tempdir().unwrap();
    let terraform = versions::terraform("1.15", folder.path());
    let secret = |version: u8| {
        format!(
            "resource \"swarm_secret\" \"it\" {{\n  name = \"turning\"\n  generations = true\n  data = \"{version}\"\n}}\n"
        )
    };
    let registry = "resource \"registry_service\" \"it\" {\n  provider = swarm\n  name = \"hub\"\n  \
                    image = \"registry:2\"\n  storage = { filesystem = { volume = \"hub\" } }\n}\n";
    let workspace = Workspace::with_terraform(&testbed, &terraform, &format!("{}{registry}", secret(1)));
    workspace.apply_and_settle();
    let first = workspace.state("swarm_secret.it")["secret_name"].as_str().unwrap().to_owned();
    let holder = ["service", "create", "--quiet", "--detach", "--no-resolve-image", "--secret", &first];
    let holder = testbed.docker(&[&holder[..], &["busybox:1", "sleep", "600"]].concat());
    workspace.write(&format!("{}{registry}", secret(2)));
    workspace.apply_and_settle();
    assert!(
        testbed.docker(&["secret", "ls", "--quiet"]).lines().count() >= 3,
        "both, and the registry's own"
    );

    let query = "list \"swarm_secret\" \"all\" {\n  provider = swarm\n}\n";
    fs::write(workspace.path().join("all.tfquery.hcl"), query).unwrap();
    let said = workspace.run(&["query", "-no-color"]);
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("list.")).collect();
    assert!(lines.len() == 1 && lines[0].contains("name=turning"), "{said}");
    testbed.docker(&["service", "rm", &holder]);
    workspace.destroy();
}

#[test]
fn states_without_an_identity_get_one_and_keep_it_when_they_move() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let folder = tempfile::tempdir().unwrap();
    let newer = versions::terraform("1.12", folder.path());
    let body = "\"it\" {\n  provider = swarm\n  name = \"hub\"\n  image = \"registry:2\"\n}\n";
    let old = Workspace::new(&testbed, &format!("resource \"registry_service\" {body}"));
    old.apply_and_settle();
    let moved = "moved {\n  from = registry_service.it\n  to = swarm_registry_service.it\n}\n";
    let workspace =
        Workspace::with_terraform(&testbed, &newer, &format!("resource \"registry_service\" {body}"));
    fs::rename(old.path().join("terraform.tfstate"), workspace.path().join("terraform.tfstate")).unwrap();
    workspace.apply_and_settle();
    let hub = serde_json::json!({ "name": "hub" });
    assert_eq!(identities(&workspace), [("registry_service".to_owned(), hub.clone())]);
    workspace.write(&format!("resource \"swarm_registry_service\" {body}{moved}"));
    workspace.apply_and_settle();
    assert_eq!(identities(&workspace), [("swarm_registry_service".to_owned(), hub)]);
    workspace.destroy();
}
