//! The command line of the binary. Terraform passes no arguments; what else there is, is for people.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime;

use super::lifecycle::{self, ServeError};
use super::{crash, log, reattach};
use crate::terraform::Provider;

/// The name and version of the binary, as `--version` prints them.
const VERSION: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// What the arguments ask for.
#[derive(Debug, PartialEq)]
enum Command {
    /// Serve the Terraform that started this process.
    Serve,
    /// Serve until Ctrl-C.
    Debug,
    Help,
    Version,
    /// Something that does not exist.
    Unknown(OsString),
}

impl Command {
    /// The first argument decides. `-debug` is how providers in Go have it.
    fn parse(mut arguments: impl Iterator<Item = OsString>) -> Self {
        let Some(argument) = arguments.next() else { return Command::Serve };
        match argument.to_str() {
            Some("--debug" | "-debug") => Command::Debug,
            Some("--help" | "-help" | "-h" | "help") => Command::Help,
            Some("--version" | "-version" | "-V" | "version") => Command::Version,
            _ => Command::Unknown(argument),
        }
    }
}

/// The whole of `main`: does what the command line asks for, with the provider that `provider` makes. That must be
/// quick, since Terraform waits for it several times in every command.
pub fn run<P: Provider>(provider: impl FnOnce() -> P) -> ExitCode {
    let provider = provider();
    let source = provider.address();
    let outcome = match Command::parse(std::env::args_os().skip(1)) {
        Command::Serve => serve(source, lifecycle::serve(provider)),
        Command::Debug => serve(source, reattach::serve(provider, source)),
        Command::Help => print(io::stdout(), &help(source), ExitCode::SUCCESS),
        Command::Version => print(io::stdout(), &format!("{VERSION}\n"), ExitCode::SUCCESS),
        Command::Unknown(argument) => {
            let text = format!("There is no option {argument:?}; see --help.\n");
            print(io::stderr(), &text, ExitCode::from(2))
        }
    };
    outcome.unwrap_or(ExitCode::FAILURE)
}

/// How long closing connections may take at the end.
const CLOSING: Duration = Duration::from_millis(300);

fn serve(source: &str, serving: impl Future<Output = Result<(), ServeError>>) -> io::Result<ExitCode> {
    crash::install_hook();
    log::start();
    // Terraform runs ten calls at once, which mostly wait for the Engine.
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(serving);
    // What is still running has had its time; Terraform waits for the process to end. But what closes a connection when
    // it is dropped gets the moment that it takes.
    runtime.shutdown_timeout(CLOSING);
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(ServeError::NotStartedByTerraform) => print(io::stderr(), &help(source), ExitCode::FAILURE),
        // The prefix gives the line its level in Terraform's log.
        Err(error) => print(io::stderr(), &format!("[ERROR] {VERSION}: {error}\n"), ExitCode::FAILURE),
    }
}

fn print(mut out: impl Write, text: &str, code: ExitCode) -> io::Result<ExitCode> {
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(code)
}

fn help(source: &str) -> String {
    let folder = std::env::current_exe().ok();
    let folder =
        folder.as_deref().and_then(Path::parent).unwrap_or(Path::new("/the/folder/of/this/file")).display();
    format!(
        r#"{VERSION}: {description}.

This is a plugin. Terraform and OpenTofu start it themselves for a configuration that asks for it:

    terraform {{
      required_providers {{
        swarm = {{ source = "{source}" }}
      }}
    }}

To have them use this very file, without a registry and without `terraform init`, put this into ~/.terraformrc, or
into a file that the environment variable TF_CLI_CONFIG_FILE names:

    provider_installation {{
      dev_overrides {{
        "{source}" = "{folder}"
      }}
      direct {{}}
    }}

Options:
    --debug      serve until Ctrl-C, under a debugger perhaps, and print how Terraform gets here
    --version    print the version
    --help       print this

Environment, beside what the provider's documentation says of DOCKER_HOST and the like:
    TF_LOG_PROVIDER_SWARM, TF_LOG_PROVIDER, TF_LOG    the level of log lines on standard error, the first that is set:
                                                      TRACE, DEBUG, INFO, WARN, ERROR (the default) or OFF
"#,
        description = env!("CARGO_PKG_DESCRIPTION"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let parse = |arguments: &[&str]| Command::parse(arguments.iter().map(OsString::from));
        assert_eq!(parse(&[]), Command::Serve);
        assert_eq!(parse(&["--debug"]), Command::Debug);
        assert_eq!(parse(&["-h"]), Command::Help);
        assert_eq!(parse(&["--version"]), Command::Version);
        assert_eq!(parse(&["plan"]), Command::Unknown("plan".into()));
    }

    #[test]
    fn help_has_a_snippet_with_the_folder_of_the_binary() {
        let (help, binary) = (help("acme/swarm"), std::env::current_exe().expect("a path"));
        let folder = binary.parent().expect("a folder").display();
        assert!(help.contains(&format!("\"acme/swarm\" = \"{folder}\"")), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 120), "{help}");
    }
}
