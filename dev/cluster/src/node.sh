# The first process of a real node's PID namespace: when it ends, the kernel ends everything else in there.
# Started by real.rs in a mount namespace of its own; takes the settings below from the environment.
#   DIR, SYSCTLS, CONTAINERD, CTR, KUBELET, SNAPSHOTTER
set -eu
mount --make-rshared /

# Whatever writes to a fixed place of the machine writes to the node's own directory instead.
for place in run/containerd var/lib/cni var/lib/kubelet var/log/pods var/log/containers; do
    mkdir -p "/$place" "$DIR/$place"
    mount --bind "$DIR/$place" "/$place"
done

# kubelet and CNI plugins set kernel settings of the whole machine: let them write to plain files.
for name in $SYSCTLS; do
    if [ -e "/proc/sys/$name" ]; then
        mkdir -p "$DIR/sysctl/$(dirname "$name")"
        cat "/proc/sys/$name" >"$DIR/sysctl/$name"
        mount --bind "$DIR/sysctl/$name" "/proc/sys/$name"
    fi
done

"$CONTAINERD" --config "$DIR/containerd.toml" >>"$LOGS/containerd.log" 2>&1 &
tries=0
until "$CTR" version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then
        echo "containerd does not answer:"
        tail -n 20 "$LOGS/containerd.log"
        exit 1
    fi
    sleep 0.1
done
for image in "$DIR"/images/*.tar; do
    "$CTR" -n k8s.io images import --snapshotter "$SNAPSHOTTER" "$image"
done

"$KUBELET" --config "$DIR/kubelet.json" --kubeconfig "$KUBELET_KUBECONFIG" --hostname-override localhost >>"$LOGS/kubelet.log" 2>&1 &
wait $!
echo "the kubelet ended:"
tail -n 20 "$LOGS/kubelet.log"
exit 1
