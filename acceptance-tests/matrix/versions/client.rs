//! A Terraform of one version, and how it gets to the provider.

use crate::{
    matrix::starts::{Starts, WITH_TLS, WITHOUT_TLS},
    terraform::Workspace,
    testbed::{Testbed, succeeded},
    versions,
};
use std::{
    fmt, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The two numbers of a version of Terraform that matter.
pub type Version = (u32, u32);

/// How Terraform gets to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It starts the provider, and each shows the other a certificate: AutoMTLS.
    Tls,
    /// It starts the provider and asks for no TLS.
    Plain,
    /// A person has started the provider: one process that Terraform neither starts nor ends, without TLS.
    Reattached,
}

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub version: Version,
    pub way: Way,
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.version;
        let way = match self.way {
            Way::Tls => "",
            Way::Plain => " without TLS",
            Way::Reattached => " reattached",
        };
        write!(formatter, "{major}.{minor}{way}")
    }
}

/// The Terraform of a column.
pub struct Client {
    pub column: Column,
    terraform: PathBuf,
    starts: Starts,
    by_hand: Option<StartedByHand>,
}

impl Client {
    pub fn new(column: Column, testbed: &Testbed) -> Self {
        let starts = Starts::new();
        let (major, minor) = column.version;
        let terraform = versions::terraform(&format!("{major}.{minor}"), &starts.folder());
        let by_hand = (column.way == Way::Reattached).then(|| StartedByHand::new(&starts.folder(), testbed));
        Client { column, terraform, starts, by_hand }
    }

    /// A folder in which this Terraform works, on that swarm.
    pub fn workspace(&self, testbed: &Testbed, hcl: &str) -> Workspace {
        let mut workspace = Workspace::with_terraform(testbed, &self.terraform, hcl);
        let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-swarm")).parent().unwrap();
        let settings = workspace.path().join("terraform.rc");
        let text = fs::read_to_string(&settings).unwrap();
        let noted =
            text.replace(&provider.display().to_string(), &self.starts.folder().display().to_string());
        assert_ne!(noted, text);
        fs::write(&settings, noted).unwrap();
        match (self.column.way, &self.by_hand) {
            (Way::Plain, _) => workspace.set("TF_DISABLE_PLUGIN_TLS", "1"),
            (_, Some(by_hand)) => workspace.set("TF_REATTACH_PROVIDERS", &by_hand.reattach),
            (_, None) => {}
        }
        workspace
    }

    /// Whether Terraform got to the provider as this column says, each time so far.
    pub fn got_there_that_way(&self) {
        match self.column.way {
            Way::Tls => self.starts.were_all(WITH_TLS),
            Way::Plain => self.starts.were_all(WITHOUT_TLS),
            Way::Reattached => {
                assert_eq!(
                    self.starts.noted(),
                    Vec::<String>::new(),
                    "Terraform has started another provider"
                );
            }
        }
    }
}

/// A provider that runs until its end is asked for.
struct StartedByHand {
    process: Child,
    reattach: String,
}

impl StartedByHand {
    fn new(folder: &Path, testbed: &Testbed) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_terraform-provider-swarm"))
            .arg("--debug")
            .env("TMPDIR", folder)
            .env("DOCKER_HOST", testbed.docker_host())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let begin = "export TF_REATTACH_PROVIDERS='";
        let reattach = said
            .filter_map(|line| Some(line.strip_prefix(begin)?.trim_end_matches('\'').to_owned()))
            .next()
            .expect("it says how Terraform gets there");
        StartedByHand { process, reattach }
    }
}

impl Drop for StartedByHand {
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        succeeded("kill", &Command::new("kill").args(["-INT", &id]).output().unwrap());
        let ended = self.process.wait().unwrap();
        assert!(ended.success() || std::thread::panicking(), "the provider ended with {ended}");
    }
}
