# shellcheck shell=bash
# What a machine must have. Debian and its relatives are served; elsewhere the commands must be there already.

# packages_known PACKAGE: fetches the list of packages if it has never been, or is too old to know this one.
packages_known() {
    [[ -n $(apt-cache --quiet=0 show "$1" 2>/dev/null) ]] || packages_update
}

packages_update() {
    say "fetching the list of packages"
    quietly apt-get update
}

# quietly COMMAND...: shows what it says only if it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || {
        printf '%s\n' "$output" | tail -30 >&2
        die "failed: $*"
    }
}

command_setup() {
    need_root
    # COMMAND:PACKAGE, where a command that is missing asks for the package.
    local wanted=(dockerd:docker.io docker:docker.io ip:iproute2 iptables:iptables nsenter:util-linux ps:procps
        openssl:openssl curl:curl unzip:unzip python3:python3)
    while (($#)); do
        case $1 in
        --ssh) wanted+=(sshd:openssh-server ssh:openssh-client) ;;
        --engine) wanted+=(debootstrap:debootstrap) ;;
        --clients) wanted+=(skopeo:skopeo htpasswd:apache2-utils haproxy:haproxy redis-server:redis-server) ;;
        --fuzz) wanted+=(c++:g++) ;;
        --build) wanted+=(cc:gcc make:make ld:binutils git:git) ;;
        *) die "setup: unknown option $1" ;;
        esac
        shift
    done
    local one missing=()
    for one in "${wanted[@]}"; do
        command -v "${one%%:*}" >/dev/null || [[ " ${missing[*]} " == *" ${one#*:} "* ]] || missing+=("${one#*:}")
    done
    [[ -f /etc/ssl/certs/ca-certificates.crt ]] || missing+=(ca-certificates)
    [[ " ${missing[*]} " != *" gcc "* ]] || missing+=(libc6-dev)
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "this machine lacks ${missing[*]}, and apt-get to install them"
    packages_install "${missing[@]}"
}

# packages_install PACKAGE...: installs them without starting what they would start. Debian asks a program of that
# name whether a package may start its service; it is ours only while we install, and one that is there already comes back.
packages_install() {
    local policy=/usr/sbin/policy-rc.d
    say "installing $*"
    packages_update
    local saved=
    if [[ -e $policy ]]; then
        saved=$(mktemp "$policy.XXXXXX")
        mv "$policy" "$saved"
    fi
    # shellcheck disable=SC2064
    trap "if [[ -n '$saved' ]]; then mv '$saved' $policy; else rm -f $policy; fi" EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    DEBIAN_FRONTEND=noninteractive quietly apt-get install --yes --no-install-recommends "$@"
    if [[ -n $saved ]]; then mv "$saved" "$policy"; else rm -f "$policy"; fi
    trap - EXIT
}
