//! The tasks' script, run by the shell of this machine on a folder of its own.

use super::task::KEEP;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

/// Stands before the shell's own: notes that it was called, and lets a successor take over just before the file is read, once a
/// file `now` says so.
const CAT: &str = r#"#!/bin/sh
echo >>"$LOOKS"
if [ "$1" = "$FILE" ] && [ -e "$FOLDER/now" ]; then
    echo "Kept by the swarm's service s, task new" >"$NOTE"
    echo new >"$FILE"
    rm "$FOLDER/now"
fi
exec /bin/cat "$@"
"#;

struct Task {
    shell: Child,
    folder: tempfile::TempDir,
}

impl Task {
    /// One that keeps `old` in the file.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for (name, text) in [("cat", CAT), ("sleep", "#!/bin/sh\nexec /bin/sleep 0.02\n")] {
            fs::write(path.join(name), text).unwrap();
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let shell = Command::new("sh")
            .args(["-c", KEEP])
            .env("PATH", format!("{}:{}", path.display(), std::env::var("PATH").unwrap()))
            .envs([("CA", "old"), ("OVERWRITE", "no"), ("SERVICE", "s"), ("TASK", "old")])
            .env("FOLDER", path)
            .env("FILE", file(path))
            .env("NOTE", note(path))
            .env("LOOKS", path.join("looks"))
            .spawn()
            .unwrap();
        let task = Task { shell, folder };
        eventually(|| fs::read_to_string(file(task.folder.path())).is_ok_and(|text| text == "old\n"));
        task
    }

    /// Waits until it has looked a few times more.
    fn goes_on(&self) {
        let looks = || fs::read_to_string(self.folder.path().join("looks")).unwrap_or_default().len();
        let before = looks();
        eventually(|| looks() > before + 8);
    }

    fn stop(&mut self) {
        let pid = self.shell.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert_eq!(self.shell.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let _ended = self.shell.kill();
        let _ended = self.shell.wait();
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("certs.d/hub/ca.crt")
}

fn note(folder: &Path) -> PathBuf {
    folder.join("certs.d/hub/.ca.crt.swarm")
}

#[track_caller]
fn eventually(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "in vain");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_file_that_is_deleted_comes_back_and_goes_with_its_task() {
    let mut task = Task::start();
    let file = file(task.folder.path());
    fs::remove_file(&file).unwrap();
    eventually(|| file.exists());
    task.stop();
    assert!(!task.folder.path().join("certs.d").exists());
}

/// Else the successor would wait for its file, as it takes the note for that of its own successor, until it is given up.
#[test]
fn a_task_whose_successor_takes_over_while_it_looks_leaves_it_alone() {
    let mut task = Task::start();
    let folder = task.folder.path().to_owned();
    fs::write(folder.join("now"), "").unwrap();
    eventually(|| !folder.join("now").exists());
    let is_left_alone = || {
        assert_eq!(fs::read_to_string(file(&folder)).unwrap(), "new\n");
        assert_eq!(fs::read_to_string(note(&folder)).unwrap(), "Kept by the swarm's service s, task new\n");
    };
    task.goes_on();
    is_left_alone();
    task.stop();
    is_left_alone();
}
