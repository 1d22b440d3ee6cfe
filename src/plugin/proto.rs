//! The messages, the server traits and, for tests, the clients that are generated from `proto/*.proto`.
//!
//! The generated code is committed, so that a build needs neither a proto compiler nor a build script. The
//! test below makes it again and compares; `UPDATE=1 cargo test generated_code_is_current` writes it.

/// Terraform's plugin protocol 6.
#[allow(dead_code, missing_docs, clippy::all, clippy::pedantic)]
pub mod tfplugin6 {
    include!("../../proto/generated/tfplugin6.rs");
}

/// go-plugin's controller, stdio and broker.
#[allow(dead_code, missing_docs, clippy::all, clippy::pedantic)]
pub mod go_plugin {
    include!("../../proto/generated/plugin.rs");
}

/// gRPC's health service.
#[allow(dead_code, missing_docs, clippy::all, clippy::pedantic)]
pub mod health {
    include!("../../proto/generated/grpc.health.v1.rs");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    const SOURCES: [&str; 3] = ["tfplugin6.proto", "go_plugin.proto", "health.proto"];
    const GENERATED: [&str; 3] = ["tfplugin6.rs", "plugin.rs", "grpc.health.v1.rs"];

    fn generate(into: &Path) {
        let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
        let sources = SOURCES.map(|name| proto.join(name));
        let descriptors = protox::compile(sources, [&proto]).expect("the proto files compile");
        tonic_prost_build::configure()
            .bytes(".")
            .btree_map(".")
            .client_mod_attribute(".", "#[cfg(test)]")
            .out_dir(into)
            .compile_fds(descriptors)
            .expect("the generator writes its files");
    }

    #[test]
    fn generated_code_is_current() {
        let fresh = tempfile::tempdir().expect("a temporary folder");
        generate(fresh.path());
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/generated");
        for name in GENERATED {
            let wanted = std::fs::read_to_string(fresh.path().join(name)).expect("a generated file");
            let path = committed.join(name);
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&path, &wanted).expect("the generated file can be written");
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                found == wanted,
                "{name} is not what proto/ says; UPDATE=1 cargo test generated_code_is_current"
            );
        }
        let names = |folder: &Path| {
            let entries = std::fs::read_dir(folder).expect("a readable folder");
            let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(fresh.path()), names(&committed), "a proto file was added or removed");
    }
}
