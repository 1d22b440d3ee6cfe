//! A program before the provider that notes how it is started.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;

/// The program, in a folder of its own.
pub struct Starts {
    folder: TempDir,
}

/// How the provider was started.
pub const WITH_TLS: &str = "with TLS";
pub const WITHOUT_TLS: &str = "without TLS";

impl Starts {
    pub fn new() -> Self {
        let starts = Starts { folder: tempfile::tempdir().unwrap() };
        // A host asks for TLS by the certificate that it shows.
        let script = format!(
            "#!/bin/sh\nif [ -n \"$PLUGIN_CLIENT_CERT\" ]; then echo {WITH_TLS}; else echo {WITHOUT_TLS}; fi >>'{}'\nexec '{}' \"$@\"\n",
            starts.folder().join("starts").display(),
            env!("CARGO_BIN_EXE_terraform-provider-swarm")
        );
        fs::write(starts.program(), script).unwrap();
        fs::set_permissions(starts.program(), fs::Permissions::from_mode(0o755)).unwrap();
        starts
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub fn program(&self) -> PathBuf {
        self.folder().join("terraform-provider-swarm")
    }

    /// Sees to it that the provider was started, and each time in that way.
    #[track_caller]
    pub fn were_all(&self, wanted: &str) {
        let starts = self.noted();
        assert!(!starts.is_empty(), "the provider was never started");
        let others = starts.iter().filter(|start| *start != wanted).count();
        assert_eq!(others, 0, "of {} starts so many were not {wanted}", starts.len());
    }

    /// How it was started, each time.
    pub fn noted(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder().join("starts")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}
