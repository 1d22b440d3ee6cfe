//! The files of an image, in a folder or in a tar that is never unpacked.

use crate::registry::client::{ByteStream, Content, Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What is read at a time.
const PIECE: usize = 256 * 1024;
/// How many links of a tar may follow each other.
const LINKS: usize = 8;

/// Files by name.
#[derive(Clone, Debug)]
pub(super) enum Files {
    /// Of a folder.
    Folder(PathBuf),
    /// Of a tar, with what is where in it.
    Tar(PathBuf, Arc<BTreeMap<String, Entry>>),
}

/// What a tar has under a name.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A file: from which byte of the tar on, and how long.
    File(u64, u64),
    /// Another name.
    Link(String),
}

/// Content in a file, or in a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    path: PathBuf,
    offset: u64,
    pub length: u64,
}

pub(super) fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Local { what: path.display().to_string(), source }
}

impl Files {
    /// Opens a folder or a tar.
    ///
    /// # Errors
    /// It cannot be read, or is compressed.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let is_folder = path.metadata().map_err(|error| unreadable(path, error))?.is_dir();
        if is_folder {
            return Ok(Self::Folder(path.to_owned()));
        }
        let entries = index(path)?;
        Ok(Self::Tar(path.to_owned(), Arc::new(entries)))
    }

    /// Where a file is, if there is one of that name.
    ///
    /// # Errors
    /// Whether there is one cannot be seen.
    pub(super) fn place(&self, name: &str) -> Result<Option<Place>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                match path.metadata() {
                    Ok(it) => Ok(it.is_file().then_some(Place { path, offset: 0, length: it.len() })),
                    Err(error) if is_absence(&error) => Ok(None),
                    Err(error) => Err(unreadable(&path, error)),
                }
            }
            Self::Tar(path, entries) => {
                let place = entry(entries, name);
                Ok(place.map(|(offset, length)| Place { path: path.clone(), offset, length }))
            }
        }
    }

    /// A small file as a whole, if there is one of that name.
    ///
    /// # Errors
    /// It cannot be read, or is longer than `limit`.
    pub(super) fn read(&self, name: &str, limit: usize) -> Result<Option<Bytes>> {
        self.place(name)?.map(|place| place.read(limit)).transpose()
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Tar(path, _) => path,
        }
    }
}

/// Whether a file that cannot be looked at is just not there.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Where in a tar a file is that has this name, or is linked to it, and how long it is.
fn entry(entries: &BTreeMap<String, Entry>, name: &str) -> Option<(u64, u64)> {
    let mut name = name;
    for _ in 0..LINKS {
        match entries.get(name)? {
            Entry::File(offset, length) => return Some((*offset, *length)),
            Entry::Link(to) => name = to,
        }
    }
    None
}

/// What is where in a tar. Only the heads are read.
fn index(path: &Path) -> Result<BTreeMap<String, Entry>> {
    let failed = |error| unreadable(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = [0; 4];
    let length = file.read(&mut magic).map_err(failed)?;
    if let Some(program) = compression(&magic[..length]) {
        return Err(Error::Malformed {
            what: path.display().to_string(),
            reason: format!(
                "it is compressed, so that nothing in it can be found without unpacking it: `{program}` does that"
            ),
        });
    }
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut archive = tar::Archive::new(BufReader::new(file));
    let mut found = BTreeMap::new();
    for entry in archive.entries_with_seek().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.path().map_err(failed)?;
        let Some(name) = normal(&name) else { continue };
        let kind = entry.header().entry_type();
        if kind.is_file() {
            found.insert(name, Entry::File(entry.raw_file_position(), entry.size()));
        } else if let (true, Some(to)) =
            (kind.is_symlink() || kind.is_hard_link(), entry.link_name().map_err(failed)?)
        {
            // A symbolic link counts from its own folder, a hard one from the root of the tar.
            let folder = Path::new(&name).parent().unwrap_or(Path::new(""));
            let to = if kind.is_symlink() { folder.join(&to) } else { to.into_owned() };
            found.extend(normal(&to).map(|to| (name, Entry::Link(to))));
        }
    }
    Ok(found)
}

fn compression(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [0x1f, 0x8b, ..] => Some("gunzip"),
        [0x28, 0xb5, 0x2f, 0xfd] => Some("unzstd"),
        [0xfd, b'7', b'z', b'X'] => Some("unxz"),
        [b'B', b'Z', b'h', ..] => Some("bunzip2"),
        _ => None,
    }
}

/// A name without `.` and `..`; none for one that leads out.
fn normal(path: &Path) -> Option<String> {
    use std::path::Component;
    let mut parts: Vec<&str> = vec![];
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(parts.join("/"))
}

#[async_trait]
impl Content for Place {
    async fn open(&self, offset: u64) -> Result<ByteStream> {
        let path = self.path.clone();
        let file = blocking(move || File::open(&path)).await;
        let file = Arc::new(file.map_err(|error| unreadable(&self.path, error))?);
        let (from, end) = (self.offset + offset, self.offset + self.length);
        let state = (file, self.path.clone(), from);
        Ok(Box::pin(futures_util::stream::try_unfold(state, move |(file, path, at)| async move {
            let length = PIECE.min(usize::try_from(end.saturating_sub(at)).unwrap_or(PIECE));
            if length == 0 {
                return Ok(None);
            }
            let reader = Arc::clone(&file);
            let piece = blocking(move || {
                let mut piece = vec![0; length];
                reader.read_exact_at(&mut piece, at).map(|()| piece)
            });
            let piece = piece.await.map_err(|error| unreadable(&path, error))?;
            Ok(Some((Bytes::from(piece), (file, path, at + length as u64))))
        })))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

impl Place {
    /// The content as a whole.
    ///
    /// # Errors
    /// It cannot be read, or is longer than `limit`.
    pub(super) fn read(&self, limit: usize) -> Result<Bytes> {
        let length = usize::try_from(self.length).ok().filter(|length| *length <= limit);
        let what = || self.path.display().to_string();
        let Some(length) = length else { return Err(Error::TooLong { what: what(), limit }) };
        let mut content = vec![0; length];
        let read = File::open(&self.path).and_then(|file| file.read_exact_at(&mut content, self.offset));
        read.map_err(|error| unreadable(&self.path, error))?;
        Ok(content.into())
    }
}
