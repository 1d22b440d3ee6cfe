//! The truth matrix: every attribute of every resource type, as the schemas have them, on every Engine. What is set plans
//! empty; what is changed shows as itself and nothing else, whoever changed it; what apply did plans empty again.
//!
//! # Layout
//! - [`rows`]: the attributes, from the schemas; [`elsewhere`]: those that take more than a run of Terraform.
//! - [`case`]: what is tried of one attribute; [`service`], [`registry`], [`objects`], [`hosts`], [`hub`], [`images`]: all cases.
//! - [`without`]: what is left of a sample without its attribute.
//! - [`batch`]: the steps that many cases take together; [`imports`]: that of what nobody can change; [`said`]: what Terraform
//!   says of each.

mod batch;
mod case;
mod elsewhere;
mod hosts;
mod hub;
mod images;
mod imports;
mod objects;
mod registry;
mod rows;
mod said;
mod service;
mod without;

use super::table::{Cell, Table};
use crate::{
    service_matrix,
    testbed::{Testbed, unique},
};
use batch::Batch;
pub use batch::STEPS;
use case::{Case, Expected, REQUIRED};
use rows::Rows;
use std::collections::{BTreeMap, BTreeSet};
use swarm::docker::ApiVersion;

/// Cases of one type that are tried in one Terraform run.
const AT_ONCE: usize = 120;

/// The releases of the Engine.
pub const ENGINES: [&str; 3] = ["20.10", "26.1", "28.5"];

/// The version of the API that brought volumes of the swarm: Engine 23.0.
const CLUSTER_VOLUMES: ApiVersion = ApiVersion(1, 42);

/// A row by its type and path.
type RowName = (String, String);

/// Rows that an Engine is too old for.
type TooNew = BTreeSet<RowName>;

const HOSTS: [&str; 3] = ["hubmgr", "hubworker01", "hubworker02"];

/// What the cases of one Engine are made of.
struct Setting<'a> {
    testbed: &'a Testbed,
    prefix: String,
    spoken: ApiVersion,
    hubs: hub::Hubs,
}

impl<'a> Setting<'a> {
    fn new(testbed: &'a Testbed) -> Self {
        let newest = testbed.docker(&["version", "--format", "{{.Server.APIVersion}}"]);
        let spoken = newest.parse::<ApiVersion>().unwrap().min(ApiVersion::NEWEST);
        let prefix = unique("truth");
        service_matrix::make_what_samples_name(testbed, &prefix);
        Setting { testbed, prefix, spoken, hubs: hub::Hubs::new(testbed) }
    }

    /// Everything that can be tried on this Engine, without what needs a swarm of its own; and what the Engine is too old for.
    fn cases(&self, rows: &Rows) -> (Vec<Case>, TooNew) {
        let prefix = self.prefix.as_str();
        let ways = [self.testbed.docker_host(), format!("tcp://{}:2375", self.testbed.address(HOSTS[0]))];
        let of_clusters = self.spoken >= CLUSTER_VOLUMES;
        let (mut cases, newer) = service::cases(prefix, self.spoken, rows);
        cases.extend(registry::cases(prefix, self.spoken, rows));
        cases.extend(objects::secrets(prefix));
        cases.extend(objects::configs(prefix));
        cases.extend(objects::networks(prefix));
        cases.extend(objects::volumes(prefix, [&ways[0], &ways[1]], of_clusters));
        cases.extend(hosts::labels(prefix, [HOSTS[0], HOSTS[1]]));
        cases.extend(hosts::nodes(prefix, [HOSTS[1], HOSTS[2], HOSTS[0]]));
        cases.extend(self.hubs.images());
        cases.extend(self.hubs.retentions());
        cases.extend(self.hubs.trusts(prefix));
        let is_too_new = |(r#type, path): &&RowName| match r#type.as_str() {
            "swarm_volume" => !of_clusters && path.starts_with("cluster."),
            "registry_service" if path == "storage.filesystem.cluster_volume" => !of_clusters,
            "swarm_service" | "registry_service" => newer.contains(&path.as_str()),
            _ => false,
        };
        (cases, rows.keys().filter(is_too_new).cloned().collect())
    }
}

/// Tries all cases of whose rows something is not known yet, type by type.
fn run(setting: &Setting, table: &Table, rows: &Rows, cases: Vec<Case>) {
    let mut by_type: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for case in cases {
        let row = |path: &String| format!("{} {path}", case.r#type);
        if !case.paths.iter().all(|path| STEPS.iter().all(|step| table.has(&row(path), step))) {
            by_type.entry(case.r#type).or_default().push(case);
        }
    }
    for cases in by_type.values() {
        for cases in cases.chunks(AT_ONCE) {
            Batch::new(setting.testbed, table, rows, cases.to_vec()).run();
        }
    }
}

/// What has no case says why.
fn fill(table: &Table, rows: &Rows, too_new: &TooNew) {
    let name = |row: &RowName| format!("{} {}", row.0, row.1);
    let cells = table.cells();
    let is_tried = |row: &&RowName| cells.contains_key(&name(row));
    let (tried, untried): (BTreeSet<&RowName>, BTreeSet<&RowName>) = rows.keys().partition(is_tried);
    for row in untried {
        let cell = match why_not(row, rows[row].write_only, &tried, too_new) {
            Some(why) => Cell::Blank(why.to_owned()),
            None => Cell::Red("nothing tries it".to_owned()),
        };
        STEPS.iter().for_each(|step| table.record(&name(row), step, cell.clone()));
    }
}

/// Why an attribute has no case.
fn why_not(
    row: &RowName,
    write_only: bool,
    tried: &BTreeSet<&RowName>,
    too_new: &TooNew,
) -> Option<&'static str> {
    if too_new.contains(row) {
        Some("the Engine is too old, which is refused: `service_matrix`, `backends`, `swarm_volume`")
    } else if write_only && has_a_version(row, tried) {
        Some("it is kept nowhere: the case of its version shows it")
    } else {
        elsewhere::elsewhere(&row.0, &row.1)
    }
}

/// Whether a version is tried that is raised to send again what is kept nowhere; one may be of several attributes of an object.
fn has_a_version((r#type, path): &RowName, tried: &BTreeSet<&RowName>) -> bool {
    let object = path.rsplit_once('.').map_or("", |(object, _)| object);
    tried.iter().any(|(of, other)| {
        let (beside, leaf) = other.rsplit_once('.').unwrap_or(("", other));
        of == r#type && beside == object && leaf.ends_with("_wo_version")
    })
}

/// The titles of all rows.
pub fn titles() -> Vec<String> {
    rows::all().into_keys().map(|(r#type, path)| format!("{type} {path}")).collect()
}

fn whole(engine: &str) {
    let rows = rows::all();
    let table = Table::open(&format!("truth-{engine}"));
    let testbed = Testbed::start(&["--engine", engine], &HOSTS);
    let setting = Setting::new(&testbed);
    let (cases, too_new) = setting.cases(&rows);
    run(&setting, &table, &rows, cases);
    for case in hosts::swarm() {
        let bare = Testbed::start(&["--engine", engine, "--no-swarm"], &["alone"]);
        Batch::new(&bare, &table, &rows, vec![case]).run();
    }
    fill(&table, &rows, &too_new);
    let red = table.red();
    assert!(red.is_empty(), "{} red cells:\n{}", red.len(), red.join("\n"));
}

/// What an ordinary run tries: the types of which a run takes seconds. Services have a matrix of their own.
#[test]
fn the_core() {
    let (rows, folder) = (rows::all(), tempfile::tempdir().unwrap());
    let table = Table::open_in(folder.path(), "core", "");
    let prefix = unique("core");
    let mut cases = objects::secrets(&prefix);
    cases.extend(objects::configs(&prefix));
    cases.extend(objects::networks(&prefix));
    cases.extend(hosts::labels(&prefix, [HOSTS[0], HOSTS[1]]));
    for r#type in ["swarm_secret", "swarm_config", "swarm_network", "swarm_node_label"] {
        let of_type = cases.iter().filter(|case| case.r#type == r#type).cloned().collect();
        Batch::new(Testbed::shared(), &table, &rows, of_type).run();
    }
    assert_eq!(table.red(), [""; 0]);
}

/// A matrix that cannot turn red shows nothing: an attribute that is not read back is found, and nothing else.
#[test]
fn a_planted_lie_turns_cells_red() {
    let (rows, folder) = (rows::all(), tempfile::tempdir().unwrap());
    let table = Table::open_in(folder.path(), "lie", "");
    let cases = objects::configs(&unique("lie"));
    let mut batch = Batch::new(Testbed::shared(), &table, &rows, cases);
    batch.set("SWARM_PLANT_LIE", "unread swarm_config labels");
    batch.run();
    let red = table.red();
    assert_eq!(red.len(), 1, "{red:?}");
    assert!(red[0].starts_with("swarm_config labels, behind: it does not show"), "{red:?}");
}

#[test]
fn every_attribute_is_tried_or_says_why_not_and_every_case_is_of_one() {
    let (rows, testbed) = (rows::all(), Testbed::shared());
    let mut setting = Setting::new(testbed);
    for spoken in [setting.spoken, ApiVersion::NEWEST] {
        setting.spoken = spoken;
        let (mut cases, too_new) = setting.cases(&rows);
        cases.extend(hosts::swarm());
        let of: Vec<(&Case, RowName)> = cases
            .iter()
            .flat_map(|case| {
                case.paths.iter().map(move |path| (case, (case.r#type.to_owned(), path.clone())))
            })
            .collect();
        let unknown: Vec<_> = of.iter().map(|(_, row)| row).filter(|row| !rows.contains_key(row)).collect();
        assert!(unknown.is_empty(), "the schemas do not have these any more: {unknown:?}");
        let says_wrong = |(case, row): &&(&Case, RowName)| {
            case.clear == Expected::Blank(REQUIRED) && !rows[row].is_required()
        };
        let wrong: Vec<_> = of.iter().filter(says_wrong).map(|(_, row)| row).collect();
        assert!(wrong.is_empty(), "these can be left out: {wrong:?}");
        let tried: BTreeSet<&RowName> = of.iter().map(|(_, row)| row).collect();
        let untold = rows.iter().filter(|(row, about)| {
            !tried.contains(row) && why_not(row, about.write_only, &tried, &too_new).is_none()
        });
        let untold: Vec<_> = untold.map(|(row, _)| row).collect();
        assert!(untold.is_empty(), "add a case for each of these: {untold:?}");
    }
    service_matrix::remove_what_samples_name(testbed, &setting.prefix);
}

#[test]
#[ignore = "half an hour: acceptance-tests/run --matrix"]
fn the_whole_on_engine_20_10() {
    whole("20.10");
}

#[test]
#[ignore = "half an hour: acceptance-tests/run --matrix"]
fn the_whole_on_engine_26_1() {
    whole("26.1");
}

#[test]
#[ignore = "half an hour: acceptance-tests/run --matrix"]
fn the_whole_on_engine_28_5() {
    whole("28.5");
}
