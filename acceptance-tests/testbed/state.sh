# shellcheck shell=bash
# A testbed's directory:
#
#   number                which of the possible testbeds of this machine this is (network.sh)
#   id                    sets this testbed apart from all others that ever were
#   switch                the process that holds the switch's network namespace
#   watch                 the process that waits for the end of the testbed's owner
#   etc-hosts             /etc/hosts of every host
#   shared/               /mnt/shared of every host
#   strict                there if registries need trusted certificates
#   tls/, ssh/            keys and certificates (access.sh)
#   object-store/, redis/ data, password, log and process of each, where it was asked for (storage.sh)
#   NAME.sock             the Engine API of host NAME
#   hosts/NAME/
#     index               1, 2, … in the order of the command line
#     address             in the testbed's network
#     release             of the Engine
#     role                manager, worker or none
#     process             the first process of the host, that holds its namespaces
#     starter             its parent, in this machine's namespaces
#     disk/               what outlives a power cut: /etc, /var, /mnt, …
#     engine.log, boot.log
#
# A process is remembered as "PID START", where START is the kernel's start time of it, since PIDs are used again.

# use DIR: the testbed that the functions below work on.
use() {
    [[ -n ${1:-} ]] || die "which testbed? Name its directory"
    dir=$(readlink -m -- "$1")
    # A socket's path may have 107 bytes, the name of the host included.
    ((${#dir} <= 80)) || die "$dir: choose a shorter path, sockets are made in it and theirs are limited to 107 bytes"
}

# use_running DIR: the same for one that must exist.
use_running() {
    use "${1:-}"
    [[ -f $dir/number ]] || die "$dir is no testbed; 'testbed up' starts one"
}

# use_host DIR NAME: the same, and a host of it.
use_host() {
    use_running "${1:-}"
    name=${2:-}
    [[ -n $name && -d $dir/hosts/$name ]] || die "$dir has no host '$name', but $(host_names | tr '\n' ' ')"
}

# host_names: in the order of the command line.
host_names() {
    local index
    for index in "$dir"/hosts/*/index; do
        [[ -f $index ]] && printf '%s %s\n' "$(<"$index")" "$(basename "$(dirname "$index")")"
    done | sort -n | cut -d' ' -f2
}

of_host() { cat "$dir/hosts/$1/$2"; }

# start_of PID: when the process started, in clock ticks since boot; fails if there is none.
start_of() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # The command's name, in parentheses, may hold blanks. After it, the 20th field is the start time.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [[ $1 != Z ]] && printf '%s' "${20}"
}

remember_process() { printf '%s %s\n' "$2" "$(start_of "$2")" >"$1"; }

# process_of FILE: the PID remembered in FILE, if that very process still lives.
process_of() {
    local pid start
    { read -r pid start <"$1"; } 2>/dev/null || return 1
    [[ -n $start && $(start_of "$pid") == "$start" ]] || return 1
    printf '%s' "$pid"
}

# end_process FILE: kills the process remembered in FILE and waits until it is gone.
end_process() {
    local pid
    pid=$(process_of "$1") || return 0
    kill -KILL "$pid" 2>/dev/null || true
    wait_until 20 "end of process $pid" gone "$1"
}

gone() { ! process_of "$1" >/dev/null; }
