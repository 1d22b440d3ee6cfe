# shellcheck shell=bash
# Engines of other releases than this machine's. Each is Debian's docker.io of another suite, in a system of its own, made
# once and kept in the cache. A host mounts it read-only (see `boot`).

own_release() { dockerd --version | sed -n 's/^Docker version \([0-9]*\.[0-9]*\).*/\1/p'; }

suite_of_release() {
    case $1 in
    20.10) echo bookworm ;;
    26.1) echo trixie ;;
    28.5) echo sid ;;
    *) die "no Docker Engine $1 here, but 20.10, 26.1, 28.5, and this machine's $(own_release)" ;;
    esac
}

# root_of_release RELEASE: the directory with its system. `own` is this machine's, whichever that is.
root_of_release() {
    if [[ $1 == own || $1 == "$(own_release)" ]]; then
        echo /
    else
        printf '%s/roots/%s' "$cache" "$(suite_of_release "$1")"
    fi
}

# root_make RELEASE: sees to it that the system is there.
root_make() {
    local root suite work
    root=$(root_of_release "$1")
    [[ ! -x $root/usr/bin/docker ]] || return 0
    suite=$(suite_of_release "$1")
    command_setup --engine
    say "making a system with Docker Engine $1 ($suite), which takes a minute"
    mkdir -p "$cache/roots"
    work=$(mktemp -d "$cache/roots/.$suite.XXXXXX")
    chmod 755 "$work"
    # From trixie on the command line is a package of its own.
    local packages=docker.io,iptables,ca-certificates,procps
    [[ $suite == bookworm ]] || packages+=,docker-cli
    quietly debootstrap --variant=minbase --include="$packages" "$suite" "$work" "$(debian_mirror)"
    rm -rf -- "$work"/var/cache/apt/* "$work"/var/lib/apt/lists/* "$work"/usr/share/{doc,locale,man}
    # Another testbed may have made it meanwhile.
    mv --no-target-directory "$work" "$root" 2>/dev/null || rm -rf -- "$work"
}

# debian_mirror: where this machine's apt gets Debian's main archive from.
debian_mirror() {
    apt-get indextargets --format '$(SITE) $(CODENAME) $(COMPONENT) $(CREATED_BY) $(ORIGIN)' 2>/dev/null |
        awk '$3 == "main" && $4 == "Packages" && $5 == "Debian" && $1 !~ /security/ { print $1; exit }'
}
