//! Terraform and the provider as processes.

use super::fault::Victim;
use std::io;
use tokio::process::Command;

/// The process that is meant: `from` is the provider that sent a request, where that is known, and else it is the child of
/// `terraform`.
pub fn process(victim: Victim, from: Option<u32>, terraform: Option<u32>) -> io::Result<u32> {
    let missing = || io::Error::other("nobody knows whose request it is");
    let provider = match (from, terraform) {
        (Some(process), _) => process,
        (None, Some(terraform)) => provider_of(terraform).ok_or_else(missing)?,
        (None, None) => return Err(missing()),
    };
    match victim {
        Victim::Provider => Ok(provider),
        Victim::Terraform => parent_of(provider).ok_or_else(missing),
    }
}

fn parent_of(process: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
}

/// The provider among Terraform's children.
fn provider_of(terraform: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.find(|process| parent_of(*process) == Some(terraform))
}

/// Sends it a signal.
pub async fn signal(name: &str, process: u32) -> io::Result<()> {
    Command::new("kill").args([name, &process.to_string()]).status().await.map(drop)
}
