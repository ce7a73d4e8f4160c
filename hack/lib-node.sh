# Sourced after lib.sh: a registry, a daemon and an image of their own below $node, a temporary folder.

# go_on_in_own_network ARGUMENTS...: runs this script again, in a network namespace of its own: no address, route or
# rule of the machine is touched, and what is made there ends with the script. in_own_network tells that it is there.
go_on_in_own_network() {
    OWN_NETWORK_SINCE=$SECONDS exec unshare --net -- "$0" "$@"
}

in_own_network() {
    [ -n "${OWN_NETWORK_SINCE-}" ] || return 1
    # As if it were still the first run.
    SECONDS=$((SECONDS + OWN_NETWORK_SINCE))
    unset OWN_NETWORK_SINCE
    ip link set lo up
}

# Prints a TCP port of the loopback that nothing listens on: the registry's usual one, if it is free.
free_port() {
    local port
    for port in 5000 $(shuf -i 20000-29999 -n 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
            echo "$port"
            return
        }
    done
    fail "there is no free port on the loopback"
}

# wait_until SECONDS WHAT PID COMMAND...: until COMMAND succeeds; fails if the process PID ends or time runs out.
wait_until() {
    local deadline=$((SECONDS + $1)) what=$2 pid=$3
    shift 3
    until "$@" >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null || fail "$what has ended"
        [ $SECONDS -lt $deadline ] || fail "$what does not answer"
        sleep 0.1
    done
}

# Starts a registry on the loopback. Sets registry (host:port) and registry_pid.
start_registry() {
    registry=127.0.0.1:$(free_port)
    cat >"$node/registry.yml" <<END
version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $node/registry } }
http: { addr: "$registry" }
END
    docker-registry serve "$node/registry.yml" >"$node/registry.log" 2>&1 &
    registry_pid=$!
    wait_until 20 "the registry" "$registry_pid" curl --silent --fail "http://$registry/v2/"
}

# start_daemon BIN [LINE]: starts BIN/carpeld on its own root, with one more line of configuration. Sets daemon_pid and
# exports CARPEL_SOCKET.
start_daemon() {
    mkdir -p "$node/guest"
    # Copies, since the users of QEMU and of plugins may not be able to pass through the repository's folders.
    cp -r "$1/plugins" "$node/plugins"
    cp --reflink=auto "$repository/.build/guest/vmlinux" "$repository/.build/guest/initramfs.cpio" "$node/guest/"
    cat >"$node/carpeld.yaml" <<END
version: 1
guest: { kernel: $node/guest/vmlinux, initramfs: $node/guest/initramfs.cpio }
images: { registries: { "$registry": { scheme: http } } }
plugins: { folders: ["$node/plugins"] }
${2-}
END
    "$1/carpeld" --root "$node/root" --state "$node/state" --config "$node/carpeld.yaml" >"$node/carpeld.log" 2>&1 &
    daemon_pid=$!
    export CARPEL_SOCKET=$node/state/carpel.sock
    wait_until 60 "carpeld" "$daemon_pid" "$1/carpel" version
}

# end PID: ends a process that this script has started, and waits for it.
end() {
    [ -n "$1" ] || return 0
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# push_busybox NAME [PROGRAM...]: makes an image of Debian's busybox in two layers, the programs in the first, and
# pushes it to the registry. What it holds stays in $node/bundle/rootfs.
push_busybox() {
    local name=$1 layout=$node/layout bundle=$node/bundle
    shift
    quietly umoci init --layout "$layout"
    quietly umoci new --image "$layout:1"
    quietly umoci unpack --image "$layout:1" "$bundle"
    add_tools "$bundle/rootfs"
    add_programs "$bundle/rootfs" "$@"
    quietly umoci repack --refresh-bundle --image "$layout:1" "$bundle"
    mkdir "$bundle/rootfs/www"
    echo 'Hello from a pod with a kernel of its own.' >"$bundle/rootfs/www/index.html"
    quietly umoci repack --image "$layout:1" "$bundle"
    quietly umoci config --image "$layout:1" --config.env PATH=/bin --config.cmd sh
    quietly skopeo --insecure-policy copy --dest-tls-verify=false "oci:$layout:1" "docker://$registry/$name"
}

add_tools() {
    local applet
    mkdir -p "$1/bin" "$1/etc" "$1/tmp"
    chmod 1777 "$1/tmp"
    cp /bin/busybox "$1/bin/busybox"
    for applet in $(/bin/busybox --list); do
        [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
    done
    echo 'root:x:0:0:root:/:/bin/sh' >"$1/etc/passwd"
    echo 'root:x:0:' >"$1/etc/group"
}

# add_programs ROOT PROGRAM...: copies programs of this machine, and the libraries that they load.
add_programs() {
    local root=$1 program path file
    shift
    for program; do
        path=$(command -v "$program") || fail "there is no $program: hack/setup installs it"
        cp "$path" "$root/bin/$program"
        for file in $(ldd "$path" | grep -o '/[^ ]*'); do
            mkdir -p "$root${file%/*}"
            cp --dereference "$file" "$root$file"
        done
    done
}
