//! An image of a gigabyte, in little memory, through a registry that breaks down.

use super::*;

/// The most memory that a process of the provider has had, while Terraform runs; what Terraform said at its end.
fn watched(workspace: &Workspace) -> (u64, String) {
    let mut terraform = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    let mut most = 0;
    while terraform.try_wait().unwrap().is_none() {
        most = most.max(peak(terraform.id()).unwrap_or_default());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = terraform.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    (most, said)
}

/// What the kernel says of the child of a process that is the provider, in KiB.
fn peak(parent: u32) -> Option<u64> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let all = fs::read_dir(format!("/proc/{parent}/task")).ok()?;
    let more = all.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let ids: Vec<String> = more
        .chain([children])
        .flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let peaks = ids.iter().filter_map(|id| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        // The pages of the program itself are no memory of the copy's, and a debug build has tens of MiB of them.
        Some(of("VmHWM")?.saturating_sub(of("RssFile")?))
    });
    peaks.max()
}

#[test]
fn a_gigabyte_is_copied_in_little_memory_and_survives_a_registry_that_breaks_down() {
    let mut hub = Hub::start();
    let layers: Vec<Vec<u8>> = (0..4_u8).map(|layer| vec![layer; 256 * 1024 * 1024]).collect();
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let layout = Layout::new(&["amd64"], &layers);
    let first = workspace(&image(&hub, &from(&layout, "tags = [\"1\"]")));
    let (most, _) = watched(&first);
    assert!(most > 1024, "the provider was not seen");
    assert!(most < 64 * 1024, "{most} KiB");
    let digest = hub.digest("team/app:1");
    assert!(digest.is_some());

    // The same from registry to registry, with a breakdown amid it.
    let source = format!(
        "source = {{ image = \"{}/team/app:1\", registry = {{ url = \"{}\" }} }}",
        hub.address,
        hub.url()
    );
    let mut other = Hub::start();
    let second = workspace(&image(&other, &format!("{source}\n  tags = [\"1\"]")));
    let mut terraform = second.spawn(&["apply", "-auto-approve", "-no-color"]);
    eventually("a layer is on its way", || other.log().contains("PATCH /v2/team/app/blobs").then_some(()));
    other.breaks_down();
    hub.breaks_down();
    let status = terraform.wait().unwrap();
    assert!(status.success());
    assert_eq!(other.digest("team/app:1"), digest);
}

#[test]
fn what_is_broken_off_goes_on_with_the_next_apply() {
    let hub = Hub::start();
    let layers: Vec<Vec<u8>> = (0..6_u8).map(|layer| vec![layer; 64 * 1024 * 1024]).collect();
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let layout = Layout::new(&["amd64"], &layers);
    let workspace = workspace(&image(&hub, &from(&layout, "tags = [\"1\"]")));
    let mut terraform = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    eventually("a layer has arrived", || hub.log().contains("PUT /v2/team/app/blobs").then_some(()));
    Command::new("kill").args(["-INT", &terraform.id().to_string()]).status().unwrap();
    let status = terraform.wait().unwrap();
    let stored = |log: &str| log.matches("\" 201 ").count();
    let before = stored(&hub.log());
    workspace.apply_and_settle();
    assert!(hub.digest("team/app:1").is_some());
    // Whether the first run got to its end is a matter of time; if not, it was not for nothing.
    assert!(status.success() || (before > 0 && stored(&hub.log()) < before + layers.len() + 4));
    workspace.destroy();
}
