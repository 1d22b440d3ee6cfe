# shellcheck shell=bash
# Messages. Standard output is for what a command answers; everything else goes to standard error.

say() { printf 'testbed: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# need_root: everything here makes namespaces, mounts and links.
need_root() { ((EUID == 0)) || die "this needs root: it makes network namespaces, mounts and links"; }

# wait_until SECONDS WHAT COMMAND...: polls until COMMAND succeeds, and fails when the time is over.
wait_until() {
    local seconds=$1 what=$2
    shift 2
    local deadline=$((${EPOCHREALTIME/./} + seconds * 1000000))
    until "$@"; do
        ((${EPOCHREALTIME/./} < deadline)) || {
            say "$what: not within $seconds s"
            return 1
        }
        sleep 0.05
    done
}
