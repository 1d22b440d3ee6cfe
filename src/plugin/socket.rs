//! A Unix socket that only this user can reach, in a folder of its own.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::UnixListener;

use super::handshake::can_announce;

/// What fits into `sockaddr_un` on Linux beside the closing zero, in bytes.
const LONGEST_PATH: usize = 107;
const FALLBACK: &str = "/tmp";
const NAME: &str = "plugin.sock";

/// A listening socket. Dropping it removes the socket and its folder.
pub(super) struct Socket {
    listener: UnixListener,
    folder: Folder,
}

/// The folder of the socket, which lives as long as this does.
pub(super) struct Folder(PathBuf);

impl Socket {
    /// Listens in `wanted` if it is given, else in the user's temporary folder; in `/tmp` if a path there
    /// would be too long for a socket, or if the folder cannot be used.
    ///
    /// # Errors
    ///
    /// The last folder's error, if no folder can be used.
    pub(super) fn listen(wanted: Option<&str>) -> io::Result<Self> {
        let first = wanted.map_or_else(std::env::temp_dir, PathBuf::from);
        match Socket::listen_in(&first) {
            Err(_) if first != Path::new(FALLBACK) => Socket::listen_in(Path::new(FALLBACK)),
            result => result,
        }
    }

    fn listen_in(parent: &Path) -> io::Result<Self> {
        let folder = Folder::make(parent)?;
        let path = folder.socket();
        if path.as_os_str().as_bytes().len() > LONGEST_PATH {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path is too long for a socket"));
        }
        if !can_announce(&path) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path cannot be told to the host"));
        }
        Ok(Socket { listener: UnixListener::bind(path)?, folder })
    }

    /// Where the socket is.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.socket()
    }

    /// The listener, and the folder to keep for as long as it is used.
    pub(super) fn into_parts(self) -> (UnixListener, Folder) {
        (self.listener, self.folder)
    }
}

impl Folder {
    /// Makes a folder that nobody else can enter. Making it fails when the name exists, so nobody can have
    /// prepared one; the name need not be secret.
    fn make(parent: &Path) -> io::Result<Self> {
        let nanoseconds =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        let mut attempt = 0;
        loop {
            let unique = nanoseconds.wrapping_add(attempt);
            let path = parent.join(format!("swarm-{}-{unique:x}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Folder(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 16 => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn socket(&self) -> PathBuf {
        self.0.join(NAME)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The process ends right after this, so there is no one left to tell of a failure.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn folder_is_private_and_goes_away() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let socket = Socket::listen(parent.path().to_str()).expect("listens");
        let path = socket.path();
        assert!(path.starts_with(parent.path()), "{path:?}");
        let folder = path.parent().expect("a folder").to_owned();
        let mode = folder.metadata().expect("exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(socket);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn long_and_missing_folders_fall_back() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let long = parent.path().join("x".repeat(90));
        std::fs::create_dir(&long).expect("a folder");
        let missing = parent.path().join("missing");
        for folder in [&long, &missing] {
            let socket = Socket::listen(folder.to_str()).expect("listens");
            assert!(socket.path().starts_with(FALLBACK), "{:?}", socket.path());
            assert!(socket.path().parent().and_then(Path::parent) == Some(Path::new(FALLBACK)));
        }
        assert_eq!(std::fs::read_dir(&long).expect("readable").count(), 0, "nothing may stay behind");
    }

    #[tokio::test]
    async fn two_sockets_do_not_collide() {
        let (one, two) = (Socket::listen(None).expect("listens"), Socket::listen(None).expect("listens"));
        assert_ne!(one.path(), two.path());
    }
}
