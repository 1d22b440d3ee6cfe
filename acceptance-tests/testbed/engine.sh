# shellcheck shell=bash
# The Docker Engine of a host.

# engine_start NAME: starts it, and waits until it answers.
engine_start() {
    local name=$1 address
    address=$(of_host "$name" address)
    rm -f "$dir/hosts/$name/engine.ended"
    # Each option has its reason. config-file: settings of this machine's own engine are not ours. cgroup-parent: what
    # is under it is ours to remove. tls=false: said explicitly, else the engine waits for seconds to warn of plain TCP,
    # which here ends at the testbed's switch. insecure-registry: registries of the testbed itself, without TLS.
    in_host "$name" sh -c '
        echo "{}" >/run/docker-daemon.json
        rm -f /run/docker.pid
        exec >>"/run/testbed/hosts/$1/engine.log" 2>&1 </dev/null
        {
            dockerd --config-file /run/docker-daemon.json \
                --host "unix:///run/testbed/$1.sock" --host unix:///run/docker.sock --host "tcp://$2:2375" --tls=false \
                --data-root /var/lib/docker --exec-root /run/docker --pidfile /run/docker.pid \
                --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$3/$1" \
                --insecure-registry 10.213.0.0/16 --shutdown-timeout 5
            echo $? >"/run/testbed/hosts/$1/engine.ended"
        } &' sh "$name" "$address" "$(cgroup_parent)"
    if ! wait_until 60 "Docker Engine on $name" engine_answers_or_ended "$name" || ! engine_answers "$name"; then
        tail -20 "$dir/hosts/$name/engine.log" >&2
        die "the Docker Engine on $name did not start; its log is above"
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

cgroup_parent() { printf '/testbed-%s' "$(<"$dir/number")"; }

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
