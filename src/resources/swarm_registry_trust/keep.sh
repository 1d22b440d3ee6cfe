# Keeps the CA of a registry in a file of this node, where its Docker Engine looks for it. The environment says:
#   CA             what is in the file
#   FILE           the file, beneath /host, where a folder of the node is mounted
#   OVERWRITE      yes: another file that is there is replaced
#   SERVICE, TASK  whose file it is
# A note beside the file says so too: only a file with a note of this service is changed or taken away. It names the task,
# so that one that is replaced takes nothing away from its successor.
umask 022
folder=${FILE%/*}
note=$folder/.${FILE##*/}.swarm
ours="Kept by the swarm's service $SERVICE, task "
mine=$ours$TASK

fail() {
    echo "$2" >&2
    exit "$1"
}

is_there() { [ "$(cat "$FILE" 2>/dev/null)" = "$CA" ]; }

is_mine() { [ "$(cat "$note" 2>/dev/null)" = "$mine" ]; }

# The file appears whole or not at all, and its note before it.
write() {
    mkdir -p "$folder" &&
        printf '%s\n' "$mine" >"$note.$TASK" && mv -f "$note.$TASK" "$note" &&
        printf '%s\n' "$CA" >"$note.$TASK" && mv -f "$note.$TASK" "$FILE" ||
        fail 74 "The file ${FILE#/host} of this node cannot be written."
}

keep() {
    case $(cat "$note" 2>/dev/null) in
    # A task that takes over writes its note first: with another file there, the note may be its own by now.
    "$mine") is_there || { is_mine && write; } ;;
    # A task that begins takes over; later on, it is another that has.
    "$ours"*) [ "$1" = later ] || write ;;
    *)
        is_there && return
        [ "$OVERWRITE" = yes ] || [ ! -e "$FILE" ] ||
            fail 73 "This node has another file ${FILE#/host}, which is not replaced unless \`overwrite\` says so. Or choose another \`file\`: Docker reads every *.crt there."
        write
        ;;
    esac
}

leave() {
    if is_mine; then
        ! is_there || rm -f "$FILE"
        rm -f "$note"
        # Those that others need are not empty.
        rmdir "$folder" "${folder%/*}" 2>/dev/null
    fi
    exit 0
}

trap leave TERM INT
keep first
while :; do
    sleep 2 &
    wait $!
    keep later
done
