# shellcheck shell=bash
# Hosts. Each has its own mounts, processes, hostname and network, held by one process (see `boot`).

# host_on NAME: switches a host on, and plugs it into the network. Its engine is not started.
host_on() {
    local name=$1 home=$dir/hosts/$1
    rm -f "$home"/{process,booted}
    setsid unshare --mount --uts --ipc --net --pid --fork --kill-child --propagation private -- \
        bash "$here/boot" "$dir" "$name" "$(root_of_release "$(of_host "$name" release)")" \
        </dev/null >"$home/boot.log" 2>&1 &
    remember_process "$home/starter" "$!"
    disown
    if ! wait_until 20 "start of $name" host_booted_or_ended "$home" || [[ ! -f $home/booted ]]; then
        cat "$home/boot.log" >&2
        die "the host $name did not start"
    fi
    network_join "$name"
    ssh_start "$name"
}

host_booted_or_ended() { [[ -f $1/booted ]] || gone "$1/starter"; }

host_is_on() { process_of "$dir/hosts/$1/process" >/dev/null; }

# host_off NAME: pulls the plug. Even a host that is just being started goes off.
host_off() {
    end_process "$dir/hosts/$1/starter"
    end_process "$dir/hosts/$1/process"
}

# in_host NAME COMMAND...
in_host() {
    local name=$1 host
    shift
    host=$(process_of "$dir/hosts/$name/process") || die "the host $name is off; 'testbed start' switches it on"
    nsenter --target "$host" --mount --uts --ipc --net --pid -- /usr/bin/env -i \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
        "$@"
}

command_exec() {
    use_host "$@"
    shift 2
    (($#)) || die "which command?"
    in_host "$name" "$@"
}

# hosts_file: what every host knows of the others. Aliases are kept beside it.
hosts_file() {
    local name
    printf '127.0.0.1 localhost\n'
    for name in $(host_names); do
        printf '%s %s\n' "$(of_host "$name" address)" "$name"
    done
    [[ ! -f $dir/aliases ]] || cat "$dir/aliases"
}

command_alias() {
    use_running "${1:-}"
    local alias=${2:-}
    use_host "$1" "${3:-}"
    [[ -n $alias ]] || die "which alias?"
    touch "$dir/aliases"
    { grep -v " $alias\$" "$dir/aliases" || true; } >"$dir/aliases.new"
    printf '%s %s\n' "$(of_host "$name" address)" "$alias" >>"$dir/aliases.new"
    mv "$dir/aliases.new" "$dir/aliases"
    hosts_file >"$dir/etc-hosts"
    for name in $(host_names); do
        ! host_is_on "$name" || in_host "$name" cp /run/testbed/etc-hosts /etc/hosts
    done
}

command_kill() {
    use_host "$@"
    host_off "$name"
}
