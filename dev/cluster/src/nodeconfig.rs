//! The settings of a real node's programs. Takes where things are, gives their files' text, never writes one.

use std::path::Path;

use serde_json::json;

use crate::cgroup;
use crate::image::PAUSE_IMAGE;
use crate::packages::Packages;
use crate::plane::Site;
use crate::ports::Port;
use crate::subnet::Subnet;

/// containerd's, with everything it writes below `dir` or in a place that `node.sh` gave it.
pub(crate) fn containerd(dir: &Path, packages: &Packages, snapshotter: &str) -> String {
    format!(
        r#"version = 2
root = "{dir}/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{dir}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{dir}/net.d"
"#,
        dir = dir.display(),
        plugins = packages.cni_plugins.display(),
    )
}

/// Point to point: each pod has a cable to the machine, and no bridge is left when the pods are gone.
pub(crate) fn network(subnet: &Subnet) -> serde_json::Value {
    let range = json!({ "subnet": subnet.all(), "gateway": subnet.gateway(), "rangeStart": subnet.first_pod() });
    json!({
        "cniVersion": "0.4.0",
        "name": "punctual",
        "plugins": [{
            "type": "ptp",
            "ipMasq": false,
            "ipam": { "type": "host-local", "ranges": [[range]], "routes": [{ "dst": "0.0.0.0/0" }] },
        }],
    })
}

/// The kubelet's: on loopback, asking the API server who may do what, in the cgroup of this cluster.
pub(crate) fn kubelet(site: &Site, id: &str, ports: &[Port; 2]) -> serde_json::Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "port": ports[0].number,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": ports[1].number,
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": site.pki.path("ca.crt") },
        },
        "authorization": { "mode": "Webhook" },
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup::name(id),
        "enforceNodeAllocatable": [],
        "failCgroupV1": false,
        "failSwapOn": false,
        "makeIPTablesUtilChains": false,
        "oomScoreAdj": 0,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "clusterDNS": [site.subnet.dns()], // nobody answers there: it only spares every pod a warning
        "resolvConf": "",
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%" },
        "imageGCHighThresholdPercent": 100,
        "maxPods": 250,
        "kubeAPIQPS": 500,
        "kubeAPIBurst": 1000,
        "eventRecordQPS": 0,
        "registryPullQPS": 0,
    })
}
