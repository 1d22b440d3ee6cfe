# shellcheck shell=bash
# The Docker Engine of a host.

# engine_start NAME: starts it, and waits until it answers.
engine_start() {
    local name=$1 options
    mapfile -t options < <(engine_options "$name")
    rm -f "$dir/hosts/$name/engine.ended"
    in_host "$name" sh -c '
        exec >>"$1.log" 2>&1 </dev/null
        ended=$1.ended
        shift
        echo "{}" >/run/docker-daemon.json
        rm -f /run/docker.pid
        { dockerd "$@"; echo $? >"$ended"; } &' sh "/run/testbed/hosts/$name/engine" "${options[@]}"
    if ! wait_until 60 "Docker Engine on $name" engine_answers_or_ended "$name" || ! engine_answers "$name"; then
        tail -20 "$dir/hosts/$name/engine.log" >&2
        die "the Docker Engine on $name did not start; its log is above"
    fi
}

# engine_options NAME: one a line.
engine_options() {
    local address
    address=$(of_host "$1" address)
    printf '%s\n' --host="unix:///run/testbed/$1.sock" --host=unix:///run/docker.sock \
        --data-root=/var/lib/docker --exec-root=/run/docker --pidfile=/run/docker.pid
    # Settings of this machine's own engine are not ours.
    echo --config-file=/run/docker-daemon.json
    # What is under it is ours to remove.
    printf '%s\n' --exec-opt=native.cgroupdriver=cgroupfs --cgroup-parent="$(cgroup_parent)/$1"
    # Registries that a testbed runs without TLS.
    [[ -f $dir/strict ]] || echo --insecure-registry=10.213.0.0/16
    # Containers that don't listen to SIGTERM need not hold up a stop for long.
    echo --shutdown-timeout=5
    if [[ -d $dir/tls ]]; then
        tls_options
        echo --host="tcp://$address:2376"
    else
        # That TLS is off is said explicitly, else the engine waits for seconds to warn of it. This network ends at the switch.
        printf '%s\n' --tls=false --host="tcp://$address:2375"
    fi
}

engine_answers() { curl --silent --fail --max-time 5 --output /dev/null --unix-socket "$dir/$1.sock" http://engine/_ping; }
engine_answers_or_ended() { engine_ended "$1" || engine_answers "$1"; }
engine_ended() { [[ -f $dir/hosts/$1/engine.ended ]]; }

# engine_signal NAME SIGNAL
engine_signal() {
    # shellcheck disable=SC2016
    in_host "$1" sh -c 'kill -"$1" "$(cat /run/docker.pid)"' sh "$2"
}

# engine_stop NAME: as an administrator does, with time for the containers to end.
engine_stop() {
    host_is_on "$1" && ! engine_ended "$1" || return 0
    engine_signal "$1" TERM
    wait_until 30 "end of the Docker Engine on $1" engine_ended "$1"
}

cgroup_parent() { printf '/testbed-%s' "$(<"$dir/id")"; }

# cgroups_remove: the control groups that the engines made, in every hierarchy. They are empty when all processes
# are gone, which the kernel may need a moment for.
cgroups_remove() { wait_until 10 "removal of control groups" cgroups_removed; }

cgroups_removed() {
    local group
    for group in /sys/fs/cgroup"$(cgroup_parent)" /sys/fs/cgroup/*"$(cgroup_parent)"; do
        [[ ! -d $group ]] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || return 1
    done
}

command_stop() {
    use_host "$@"
    engine_stop "$name"
}

command_start() {
    use_host "$@"
    if host_is_on "$name"; then
        engine_ended "$name" || die "the Docker Engine on $name runs already"
    else
        host_on "$name"
    fi
    engine_start "$name"
}

command_pause() {
    use_host "$@"
    engine_signal "$name" STOP
}

command_resume() {
    use_host "$@"
    engine_signal "$name" CONT
}
