use super::*;
use crate::registry::client::{Digest, Error as ClientError, MANIFESTS, Parts};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// A folder in which a test writes the files of an image.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes a blob, and answers its descriptor.
    fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        self.write(&format!("blobs/sha256/{}", digest.parts().1), content);
        json!({"mediaType": media_type, "digest": digest.as_str(), "size": content.len()})
    }

    fn json(&self, media_type: &str, content: &Value) -> Value {
        self.blob(media_type, content.to_string().as_bytes())
    }

    /// An image for a platform, of one layer that it shares with all others, and one of its own.
    fn image(&self, architecture: &str) -> Value {
        let config = json!({"os": "linux", "architecture": architecture, "rootfs": {"diff_ids": []}});
        let config = self.json("application/vnd.oci.image.config.v1+json", &config);
        let layer = |content: &str| self.blob("application/vnd.oci.image.layer.v1.tar", content.as_bytes());
        let layers = [layer("shared"), layer(architecture)];
        let image =
            json!({"schemaVersion": 2, "mediaType": MANIFESTS[2], "config": config, "layers": layers});
        let mut descriptor = self.json(MANIFESTS[2], &image);
        descriptor["platform"] = json!({"os": "linux", "architecture": architecture});
        descriptor
    }

    /// A layout with these images, or indexes.
    fn layout(&self, images: &[Value]) -> PathBuf {
        self.write("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}");
        let index = json!({"schemaVersion": 2, "manifests": images});
        self.write("index.json", index.to_string().as_bytes());
        self.path().to_owned()
    }

    /// A layout with one image for two platforms, and a statement about the first of them.
    fn of_two(&self) -> PathBuf {
        let (one, other) = (self.image("amd64"), self.image("arm64"));
        let empty = self.json("application/vnd.oci.image.config.v1+json", &json!({}));
        let image = json!({"schemaVersion": 2, "config": empty, "layers": []});
        let mut about = self.json(MANIFESTS[2], &image);
        about["platform"] = json!({"os": "unknown", "architecture": "unknown"});
        about["annotations"] = json!({"vnd.docker.reference.digest": one["digest"]});
        let index = json!({"schemaVersion": 2, "manifests": [one, other, about], "annotations": {"a": "b"}});
        let index = self.json(MANIFESTS[3], &index);
        self.layout(&[index])
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn select(path: &Path, platforms: Option<&[&str]>) -> Result<Selected, Error> {
    Local::open(Kind::OciLayout, path, None)?.select(platforms.map(set).as_ref())
}

#[test]
fn all_platforms_one_or_some_are_copied() {
    let folder = Folder::new();
    let path = folder.of_two();
    let all = select(&path, None).unwrap();
    let index = Local::open(Kind::OciLayout, &path, None).unwrap().root().clone();
    assert_eq!(all.root, index, "byte by byte");
    assert_eq!(all.platforms.keys().collect::<Vec<_>>(), ["linux/amd64", "linux/arm64"]);
    // The shared layer is sent once.
    assert_eq!((all.children.len(), all.blobs.len()), (3, 3 + 3));

    let one = select(&path, Some(&["linux/arm64"])).unwrap();
    assert!(matches!(one.root.parts, Parts::Image { .. }) && one.children.is_empty());
    assert_eq!(one.root.digest, all.platforms["linux/arm64"]);

    let both = select(&path, Some(&["linux/amd64", "linux/arm64/v8"])).unwrap();
    assert_eq!(both.root.digest, index.digest, "all of them is the whole, with what is said about them");

    let missing = select(&path, Some(&["linux/amd64", "linux/s390x"])).unwrap_err();
    assert_eq!(missing.to_string(), "it is not made for linux/s390x, but for linux/amd64, linux/arm64");
}

#[test]
fn an_index_of_some_keeps_all_else() {
    let folder = Folder::new();
    let images = ["amd64", "arm64", "s390x"].map(|name| folder.image(name));
    let index = json!({"schemaVersion": 2, "manifests": images, "annotations": {"a": "b"}});
    let path = folder.layout(&[folder.json(MANIFESTS[3], &index)]);
    let some = select(&path, Some(&["linux/amd64", "linux/s390x"])).unwrap();
    let document: Value = serde_json::from_slice(&some.root.bytes).unwrap();
    assert_eq!(document["annotations"]["a"], "b");
    assert_eq!(some.children.len(), 2);
    assert_eq!(some.root.digest, Digest::of(&some.root.bytes));
    // The same selection is the same digest, in whatever order it is written.
    assert_eq!(select(&path, Some(&["linux/s390x", "linux/amd64"])).unwrap().root.digest, some.root.digest);
    // What a layout does not have is not copied of it.
    let gone = images[1]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    fs::remove_file(path.join("blobs/sha256").join(gone)).unwrap();
    assert_eq!(select(&path, None).unwrap().root.digest, some.root.digest);
}

#[test]
fn what_a_layout_has_and_cannot_give_is_not_left_out() {
    let folder = Folder::new();
    let path = folder.of_two();
    let arm64 = select(&path, Some(&["linux/arm64"])).unwrap().root.digest;
    let file = path.join("blobs/sha256").join(arm64.parts().1);
    let whole = fs::read(&file).unwrap();

    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    for platforms in [None, Some(&["linux/arm64"][..]), Some(&["linux/amd64", "linux/arm64"])] {
        let error = select(&path, platforms).unwrap_err();
        assert!(matches!(error, Error::Source(ClientError::Digest { .. })), "{platforms:?}: {error:?}");
    }
    assert!(select(&path, Some(&["linux/amd64"])).is_ok(), "it is not needed for that");

    // A link to itself cannot be read by anybody.
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&file, &file).unwrap();
    let error = select(&path, None).unwrap_err();
    assert!(matches!(error, Error::Source(ClientError::Local { .. })), "{error:?}");
}

#[test]
fn an_image_for_one_platform_says_so_itself() {
    let folder = Folder::new();
    let image = folder.image("amd64");
    let path = folder.layout(&[image]);
    assert!(select(&path, Some(&["linux/amd64"])).is_ok());
    let error = select(&path, Some(&["linux/arm64"])).unwrap_err();
    assert_eq!(error.to_string(), "it is not made for linux/arm64, but for linux/amd64");
}

#[test]
fn the_image_of_a_layout_is_found_by_its_name() {
    let folder = Folder::new();
    let (mut one, mut other) = (folder.image("amd64"), folder.image("arm64"));
    one["annotations"] = json!({"org.opencontainers.image.ref.name": "1.0"});
    other["annotations"] = json!({"io.containerd.image.name": "docker.io/library/app:2", "org.opencontainers.image.ref.name": "2"});
    let path = folder.layout(&[one.clone(), other.clone()]);
    let open = |reference: Option<&str>| Local::open(Kind::OciLayout, &path, reference);
    let digest = |reference: &str| open(Some(reference)).unwrap().root().digest.to_string();
    assert_eq!(digest("1.0"), one["digest"]);
    assert_eq!(digest("app:2"), other["digest"]);
    assert_eq!(digest("2"), other["digest"]);
    assert_eq!(digest(one["digest"].as_str().unwrap()), one["digest"]);
    let error = open(None).unwrap_err().to_string();
    assert!(error.ends_with("has not exactly one image, but these: 1.0, docker.io/library/app:2"), "{error}");
    assert!(open(Some("3")).unwrap_err().to_string().contains("has no image \"3\""));
}

#[test]
fn files_that_are_something_else_are_told() {
    let folder = Folder::new();
    let why = |kind: Kind| Local::open(kind, folder.path(), None).unwrap_err().to_string();
    assert!(why(Kind::OciLayout).contains("no OCI layout"));
    assert!(why(Kind::DockerArchive).contains("no archive of docker save"));
    folder.write("a.tar.gz", &[0x1f, 0x8b, 8, 0]);
    let error = Local::open(Kind::DockerArchive, &folder.path().join("a.tar.gz"), None).unwrap_err();
    assert!(error.to_string().contains("`gunzip` does that"), "{error}");
    let error = Local::open(Kind::OciLayout, &folder.path().join("missing"), None).unwrap_err();
    assert!(matches!(error, Error::Source(ClientError::Local { .. })), "{error:?}");
    // Content that was changed is not what the layout says.
    let image = folder.image("amd64");
    let path = folder.layout(std::slice::from_ref(&image));
    let blob = path.join("blobs/sha256").join(&image["digest"].as_str().unwrap()["sha256:".len()..]);
    fs::write(blob, "{}").unwrap();
    let error = Local::open(Kind::OciLayout, &path, None).unwrap_err();
    assert!(matches!(error, Error::Source(ClientError::Digest { .. })), "{error:?}");
}

/// Whoever made an image may have lied about it: its sizes add up to more than there are numbers, or its indexes name the same
/// ones again and again.
#[test]
fn what_an_image_claims_breaks_nothing() {
    let folder = Folder::new();
    let config = folder.json("application/vnd.oci.image.config.v1+json", &json!({"os": "linux"}));
    let layer = |digit: &str| {
        let digest = format!("sha256:{}", digit.repeat(64));
        json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": i64::MAX})
    };
    let layers = [layer("1"), layer("2"), layer("3")];
    let image = json!({"schemaVersion": 2, "config": config, "layers": layers});
    let image = folder.json(MANIFESTS[2], &image);
    let path = folder.layout(std::slice::from_ref(&image));
    assert_eq!(select(&path, None).unwrap().size, u64::MAX);

    let folder = Folder::new();
    let mut named = folder.image("amd64");
    for _ in 0..3 {
        let manifests = vec![named; 100];
        named = folder.json(MANIFESTS[3], &json!({"schemaVersion": 2, "manifests": manifests}));
    }
    let error = select(&folder.layout(&[named]), None).unwrap_err();
    assert!(error.to_string().contains("more manifests than"), "{error}");
}

/// A tar in which the second layer is a link to the first, as Docker writes it where two are the same.
fn archive(folder: &Folder) -> PathBuf {
    let layer = b"a layer that is a tar in truth";
    let id = Digest::of(layer);
    let config =
        json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [id.as_str(), id.as_str()]}});
    let manifest = json!([
        {"Config": "c.json", "RepoTags": ["team/app:1"], "Layers": ["1/layer.tar", "2/layer.tar"]},
        {"Config": "c.json", "RepoTags": ["busybox:1", "busybox:latest"], "Layers": ["1/layer.tar", "2/layer.tar"]},
    ]);
    let path = folder.path().join("saved.tar");
    let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
    let mut add = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, name, content).unwrap();
    };
    add("c.json", config.to_string().as_bytes());
    add("1/layer.tar", layer);
    add("./manifest.json", manifest.to_string().as_bytes());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "2/layer.tar", "../1/layer.tar").unwrap();
    tar.into_inner().unwrap().flush().unwrap();
    path
}

#[tokio::test]
async fn an_archive_of_docker_save_is_read_where_it_lies() {
    use futures_util::StreamExt;
    let folder = Folder::new();
    let path = archive(&folder);
    let open = |reference: Option<&str>| Local::open(Kind::DockerArchive, &path, reference);
    assert!(open(None).unwrap_err().to_string().contains("team/app:1, busybox:1, busybox:latest"));
    let local = open(Some("docker.io/library/busybox")).unwrap();
    let selected = local.select(None).unwrap();
    assert_eq!(selected.root.digest, open(Some("team/app:1")).unwrap().root().digest);
    assert_eq!(selected.platforms.keys().collect::<Vec<_>>(), ["linux/amd64"]);
    assert_eq!(selected.blobs.len(), 2, "the layer once, and the configuration");
    for blob in &selected.blobs {
        let content = Source::Local(Box::new(local.clone())).content(blob).unwrap();
        use crate::registry::client::Content;
        let stream = content.open(0).await.unwrap();
        let all: Vec<u8> = stream.map(|piece| piece.unwrap().to_vec()).concat().await;
        assert_eq!((Digest::of(&all), all.len() as u64), (blob.digest.clone(), blob.size));
        let rest: Vec<u8> =
            content.open(5).await.unwrap().map(|piece| piece.unwrap().to_vec()).concat().await;
        assert_eq!(rest, all[5..]);
    }
}
