# shellcheck shell=bash
# The images that every host starts with, since a testbed reaches no registry but its own:
#
#   registry:2, registry:2.8.2, registry:latest   Debian's docker-registry, which behaves as the official image does
#   busybox:1, busybox:latest                     a shell and a few commands, wget among them
#
# They are made once, from Debian's packages and the C library of this machine, as one archive for `docker load`, written
# byte for byte the same everywhere. So an image has the same ID on every host, which importing it there would not give.

images_archive() {
    local made_of
    made_of=$(cat "$here/images.sh" "$here"/image/* | sha256sum | cut -c1-12)
    printf '%s/images-%s.tar' "$cache" "$made_of"
}

images_make() {
    local archive work
    archive=$(images_archive)
    [[ ! -f $archive ]] || return 0
    say "making the images registry:2 and busybox:1"
    mkdir -p "$cache"
    registry_make
    # An archive appears whole or not at all, so that two testbeds may make it at the same time.
    work=$(mktemp -d "$cache/images.XXXXXX")
    (
        cd "$work" || exit
        package_unpack busybox busybox-package
        mkdir archive
        image_base base busybox-package
        image_registry registry
        local base registry registry_version created
        base=$(image_layer base)
        registry=$(image_layer registry)
        registry_version=$("$cache/registry" --version | sed 's/.* \([0-9.]*\).*/\1/')
        created=$(date --utc --reference "$cache/registry" +%FT%TZ)
        image_config busybox "$created" '{"Cmd":["sh"],"Env":["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}' "$base"
        image_config registry "$created" '{"Entrypoint":["/entrypoint.sh"],"Cmd":["/etc/docker/registry/config.yml"],
            "Env":["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            "ExposedPorts":{"5000/tcp":{}},"Volumes":{"/var/lib/registry":{}}}' "$base" "$registry"
        cat >archive/manifest.json <<JSON
[{"Config":"busybox.json","RepoTags":["busybox:1","busybox:latest"],"Layers":["$base.tar"]},
 {"Config":"registry.json","RepoTags":["registry:2","registry:$registry_version","registry:latest"],
  "Layers":["$base.tar","$registry.tar"]}]
JSON
        tar_same -C archive -cf images.tar .
    )
    mv "$work/images.tar" "$archive"
    rm -rf -- "$work"
}

# registry_make: sees to it that Distribution's program is in the cache, from the package that its image is made of.
registry_make() {
    local work
    [[ ! -x $cache/registry ]] || return 0
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/registry.XXXXXX")
    (cd "$work" && package_unpack docker-registry package)
    mv "$work/package/usr/bin/docker-registry" "$cache/registry"
    rm -rf -- "$work"
}

command_registry() {
    registry_make
    echo "$cache/registry"
}

tar_same() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu "$@"; }

# package_unpack PACKAGE FOLDER: the files of a Debian package, which is not installed.
package_unpack() {
    mkdir -p debs "$2"
    packages_known "$1"
    (cd debs && apt-get -qq -o APT::Sandbox::User=root download "$1" >/dev/null) || die "cannot download the package $1"
    dpkg-deb --extract debs/"$1"_*.deb "$2"
}

# copy_program PROGRAM ROOT PATH: copies it to PATH below ROOT, with the libraries that it is linked with.
copy_program() {
    local library
    install -D "$1" "$2$3"
    for library in $(ldd "$1" | grep -o '/[^ ]*' || true); do
        install -D "$library" "$2$library"
    done
}

image_base() {
    local root=$1 applet
    copy_program "$2/bin/busybox" "$root" /bin/busybox
    for applet in $("$root/bin/busybox" --list); do
        [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
    done
    mkdir -p "$root"/{etc,root,usr/bin,var}
    mkdir -m 1777 "$root/tmp"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

image_registry() {
    local root=$1
    copy_program "$cache/registry" "$root" /bin/registry
    install -D "$here/image/entrypoint.sh" "$root/entrypoint.sh"
    install -D -m 644 "$here/image/config.yml" "$root/etc/docker/registry/config.yml"
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
}

# image_layer FOLDER: packs it into the archive, and answers with its digest.
image_layer() {
    local digest
    tar_same -C "$1" -cf layer.tar .
    digest=$(sha256sum layer.tar | cut -d' ' -f1)
    mv layer.tar "archive/$digest.tar"
    printf '%s' "$digest"
}

# image_config NAME CREATED CONFIG DIGEST...
image_config() {
    local name=$1 created=$2 config=$3 layers
    shift 3
    layers=$(printf ',"sha256:%s"' "$@")
    printf '{"architecture":"%s","os":"linux","created":"%s","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}' \
        "$(dpkg --print-architecture)" "$created" "$config" "${layers#,}" >"archive/$name.json"
}

# images_load NAME: gives them to the engine of a host that has none of them yet.
images_load() {
    curl --silent --show-error --fail --max-time 60 --output /dev/null --unix-socket "$dir/$1.sock" \
        --header 'Content-Type: application/x-tar' --data-binary "@$(images_archive)" \
        'http://engine/images/load?quiet=1' || die "cannot load the images on $1"
}
