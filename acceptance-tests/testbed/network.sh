# shellcheck shell=bash
# Every testbed of a machine has a number N of its own, and from it the network 10.213.N.0/24:
#
#   the machine  ── testbed-N (.1) ══ root ┐
#   first host   ── eth0     (.11) ══ h1   ├ br0, in a namespace of its own
#   second host  ── eth0     (.12) ══ h2   ┘
#
# The bridge is kept out of the machine's own namespace: frames that cross a bridge pass through iptables, and an
# engine that runs on the machine itself drops what it doesn't know. So nothing of the machine's network changes
# but for one link and the route that comes with its address.

network_link() { printf 'testbed-%s' "$number"; }

# in_switch COMMAND...: runs a command in the network namespace of the switch.
in_switch() { nsenter --target "$(process_of "$dir/switch")" --net -- "$@"; }

# network_up: takes a free number and makes the switch. The link to the machine marks the number as taken, so
# taking is done under a lock; it is on a directory that every machine has, to leave no lock file behind.
network_up() {
    # It tells its PID itself, from inside: whoever looks at it sooner finds it in the machine's own namespace.
    setsid unshare --net -- sh -c 'echo "$$" >"$1" && exec sleep infinity' sh "$dir/switch.pid" </dev/null >/dev/null 2>&1 &
    disown
    wait_until 10 "a network namespace" test -s "$dir/switch.pid"
    local switch
    switch=$(<"$dir/switch.pid")
    remember_process "$dir/switch" "$switch"

    local lock taken=
    exec {lock}</tmp
    flock "$lock"
    for number in $(seq 1 254); do
        if ! ip link show "$(network_link)" >/dev/null 2>&1 && [[ -z $(ip -4 route show root "10.213.$number.0/24") ]]; then
            ip link add "$(network_link)" type veth peer name root netns "$switch"
            taken=$number
            break
        fi
    done
    exec {lock}<&-
    [[ -n $taken ]] || die "all 254 networks for testbeds are taken, see 'ip link'"
    echo "$number" >"$dir/number"

    in_switch ip -batch - <<BATCH
link set lo up
link add br0 type bridge
link set br0 up
link set root master br0
link set root up
BATCH
    ip address add "10.213.$number.1/24" dev "$(network_link)"
    ip link set "$(network_link)" up
}

# network_join NAME: a cable from the host to the switch. The hardware address follows from the IP address, so that
# the neighbours find a host again that was switched off and on.
network_join() {
    local index address host
    index=$(of_host "$1" index)
    address=$(of_host "$1" address)
    host=$(process_of "$dir/hosts/$1/process")
    # The cable of a host that was switched off just now goes with its namespace, but only some time later.
    in_switch ip link delete "h$index" 2>/dev/null || true
    ip link add eth0 netns "$host" type veth peer name "h$index" netns "$(process_of "$dir/switch")"
    in_switch ip -batch - <<BATCH
link set h$index master br0
link set h$index up
BATCH
    # shellcheck disable=SC2086
    nsenter --target "$host" --net -- ip -batch - <<BATCH
link set lo up
link set eth0 address $(printf '02:0a:%02x:%02x:%02x:%02x' ${address//./ })
address add $address/24 dev eth0
link set eth0 up
BATCH
}

# network_down: the link ends with the switch's namespace too, but only some time later. Without the switch it is gone
# already, and a link of that name is another testbed's, which got the same number since.
network_down() {
    if process_of "$dir/switch" >/dev/null && [[ -f $dir/number ]]; then
        number=$(<"$dir/number")
        ip link delete "$(network_link)" 2>/dev/null || true
    fi
    end_process "$dir/switch"
}

command_cut() {
    use_host "$@"
    in_switch ip link set "h$(of_host "$name" index)" down
}

command_heal() {
    use_host "$@"
    in_switch ip link set "h$(of_host "$name" index)" up
}
