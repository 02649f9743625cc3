//! The Go modules of `dev/tools`, carried inside this crate. Takes a module's name, gives its files, version and
//! commands, never touches the disk.

use crate::release::Release;

/// One module of `dev/tools`: what is built, cached and versioned together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Module {
    Kubernetes(Release),
    Etcd,
    Helm,
    Kwok,
}

macro_rules! embedded {
    ($dir:literal) => {
        (
            include_str!(concat!("../../tools/", $dir, "/go.mod")),
            include_str!(concat!("../../tools/", $dir, "/go.sum")),
        )
    };
}

impl Release {
    /// `"1.37.2"`, as pinned.
    pub fn patch(self) -> &'static str {
        Module::Kubernetes(self).version()
    }
}

impl Module {
    fn files(self) -> (&'static str, &'static str) {
        match self {
            Module::Kubernetes(Release::V1_34) => embedded!("kubernetes-1.34"),
            Module::Kubernetes(Release::V1_35) => embedded!("kubernetes-1.35"),
            Module::Kubernetes(Release::V1_36) => embedded!("kubernetes-1.36"),
            Module::Kubernetes(Release::V1_37) => embedded!("kubernetes-1.37"),
            Module::Etcd => embedded!("etcd"),
            Module::Helm => embedded!("helm"),
            Module::Kwok => embedded!("kwok"),
        }
    }

    pub fn go_mod(self) -> &'static str {
        self.files().0
    }

    pub fn go_sum(self) -> &'static str {
        self.files().1
    }

    /// How people call it.
    pub fn title(self) -> &'static str {
        match self {
            Module::Kubernetes(_) => "Kubernetes",
            Module::Etcd => "etcd",
            Module::Helm => "Helm",
            Module::Kwok => "KWOK",
        }
    }

    /// What the first build takes on two cores, with the downloads.
    pub fn takes(self) -> &'static str {
        match self {
            Module::Kubernetes(_) => "about 6 minutes",
            Module::Etcd => "about half a minute",
            Module::Helm => "about 2 minutes",
            Module::Kwok => "about a minute",
        }
    }

    /// The Go module that gives the version.
    fn source(self) -> &'static str {
        match self {
            Module::Kubernetes(_) => "k8s.io/kubernetes",
            Module::Etcd => "go.etcd.io/etcd/server/v3",
            Module::Helm => "helm.sh/helm/v4",
            Module::Kwok => "sigs.k8s.io/kwok",
        }
    }

    /// The pinned version without its `v`, read from `go.mod`.
    pub fn version(self) -> &'static str {
        let wanted = self.source();
        self.go_mod()
            .lines()
            .map(|line| line.trim().trim_start_matches("require "))
            .filter(|line| !line.contains("=>"))
            .find_map(|line| line.strip_prefix(wanted)?.strip_prefix(" v"))
            .and_then(|rest| rest.split_whitespace().next())
            .expect("go.mod of dev/tools pins its source")
    }

    /// The oldest Go that builds it, as `go.mod` says.
    pub fn go_version(self) -> &'static str {
        self.go_mod()
            .lines()
            .find_map(|line| line.strip_prefix("go "))
            .expect("go.mod has a go line")
            .trim()
    }

    /// Binaries and the packages they are built from.
    pub fn commands(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Module::Kubernetes(_) => &[
                ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
                ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
                ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
                ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
                ("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
            ],
            Module::Etcd => &[("etcd", "go.etcd.io/etcd/server/v3")],
            Module::Helm => &[("helm", "helm.sh/helm/v4/cmd/helm")],
            Module::Kwok => &[("kwok", "sigs.k8s.io/kwok/cmd/kwok")],
        }
    }

    /// `-ldflags`: small binaries that know their version (charts' `kubeVersion` checks read it from `/version`).
    pub fn ldflags(self) -> String {
        let mut flags = String::from("-s -w");
        let version = self.version();
        match self {
            Module::Kubernetes(release) => {
                let (major, minor) = release.minor().split_once('.').expect("a minor version has a dot");
                for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
                    for (name, value) in [
                        ("gitVersion", format!("v{version}").as_str()),
                        ("gitMajor", major),
                        ("gitMinor", minor),
                        ("gitTreeState", "clean"),
                    ] {
                        flags.push_str(&format!(" -X {package}.{name}={value}"));
                    }
                }
            }
            Module::Helm => flags.push_str(&format!(" -X helm.sh/helm/v4/internal/version.version=v{version}")),
            Module::Kwok => flags.push_str(&format!(" -X sigs.k8s.io/kwok/pkg/consts.Version=v{version}")),
            Module::Etcd => {}
        }
        flags
    }

    /// The folder in the cache: a changed version is another folder.
    pub fn folder(self) -> String {
        format!("{}-{}", self.title().to_lowercase(), self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_go_mod() {
        for module in [Module::Etcd, Module::Helm, Module::Kwok, Module::Kubernetes(Release::V1_34)] {
            assert_eq!(module.version().split('.').count(), 3, "{module:?}: {}", module.version());
        }
    }

    #[test]
    fn every_command_is_a_tool_of_its_module() {
        let modules = Release::ALL
            .map(Module::Kubernetes)
            .into_iter()
            .chain([Module::Etcd, Module::Helm, Module::Kwok]);
        for module in modules {
            for (_, package) in module.commands() {
                assert!(module.go_mod().contains(package), "{module:?}: {package}");
            }
        }
    }

    #[test]
    fn every_release_pins_a_patch_version_of_its_own_minor() {
        for release in Release::ALL {
            assert!(
                release.patch().starts_with(&format!("{release}.")),
                "{release}: {}",
                release.patch()
            );
        }
    }
}
