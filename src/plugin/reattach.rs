//! A provider that a person has started, under a debugger perhaps, and that Terraform is told to use.
//!
//! Terraform then neither starts nor ends the process, uses no TLS, and sends every run and every alias of the
//! provider to it.

use std::io::{self, Write};
use std::path::Path;

use super::lifecycle::{ServeError, Serving, Signals};
use super::socket::Socket;
use crate::terraform::Provider;

/// Serves `provider` until Ctrl-C, and tells on standard output how Terraform gets to it. `source` is the
/// provider's address in the configuration.
pub(super) async fn serve<P: Provider>(provider: P, source: &str) -> Result<(), ServeError> {
    let signals = Signals::catch().map_err(ServeError::Signals)?;
    let socket = Socket::listen(None).map_err(ServeError::Socket)?;
    let text = instructions(source, &socket.path(), std::process::id());
    let serving = Serving::start(provider, socket, None);
    io::stdout().lock().write_all(text.as_bytes()).map_err(ServeError::Handshake)?;
    serving.until_interrupted(signals).await
}

fn instructions(source: &str, socket: &Path, pid: u32) -> String {
    let reattach = serde_json::json!({
        source: {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": pid,
            // Keeps Terraform from ending the process after its first run.
            "Test": true,
            "Addr": { "Network": "unix", "String": socket },
        }
    });
    let quoted = reattach.to_string().replace('\'', r"'\''");
    format!(
        "Serving {source} without TLS until Ctrl-C. In the shell that runs Terraform, where no init is needed:\n\n\
         export TF_REATTACH_PROVIDERS='{quoted}'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_can_be_pasted_into_a_shell() {
        let text = instructions("acme/swarm", Path::new("/tmp/it's here/s"), 7);
        let line = text.lines().find(|line| line.starts_with("export ")).expect("an export line");
        let script = format!("{line}; printf %s \"$TF_REATTACH_PROVIDERS\"");
        let out = std::process::Command::new("sh").args(["-c", &script]).output().expect("a shell");
        let value: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
        let ours = &value["acme/swarm"];
        assert_eq!(ours["Addr"]["String"], "/tmp/it's here/s");
        assert_eq!(ours["Addr"]["Network"], "unix");
        assert_eq!(
            (&ours["Pid"], &ours["Test"], &ours["ProtocolVersion"]),
            (&7.into(), &true.into(), &6.into())
        );
    }
}
