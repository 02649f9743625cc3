//! Which Kubernetes. Takes `K8S` or a caller's word, gives one of the supported releases, never guesses a nearby one.

use anyhow::bail;

use crate::Result;

/// A minor version of Kubernetes that clusters can be made of; its patch version is pinned by `dev/tools`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    V1_34,
    V1_35,
    V1_36,
    V1_37,
}

impl Release {
    /// All of them, oldest first.
    pub const ALL: [Release; 4] = [Release::V1_34, Release::V1_35, Release::V1_36, Release::V1_37];
    /// The one taken when nobody says otherwise.
    pub const DEFAULT: Release = Release::V1_37;

    /// `"1.37"`
    pub fn minor(self) -> &'static str {
        match self {
            Release::V1_34 => "1.34",
            Release::V1_35 => "1.35",
            Release::V1_36 => "1.36",
            Release::V1_37 => "1.37",
        }
    }

    /// Reads `1.37`, `v1.37` or `1.37.2` (any patch version stands for its minor).
    pub fn parse(text: &str) -> Result<Release> {
        let bare = text.trim().trim_start_matches('v');
        let minor: Vec<&str> = bare.splitn(3, '.').take(2).collect();
        match Release::ALL.into_iter().find(|r| r.minor() == minor.join(".")) {
            Some(release) => Ok(release),
            None => bail!(
                "Kubernetes {text:?} is not supported: choose K8S={}",
                Release::ALL.map(Release::minor).join(", K8S=")
            ),
        }
    }

    /// What the environment variable `K8S` asks for, if it is set.
    pub fn from_env() -> Result<Option<Release>> {
        match std::env::var("K8S") {
            Ok(text) if !text.trim().is_empty() => Release::parse(&text).map(Some),
            _ => Ok(None),
        }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.minor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_version_stands_for_its_minor() {
        assert_eq!(Release::parse("v1.34.9").unwrap(), Release::V1_34);
        assert_eq!(Release::parse("1.37").unwrap(), Release::V1_37);
    }

    #[test]
    fn an_unsupported_version_is_refused_with_the_list() {
        for text in ["1.33", "1.3", "2", "latest", "1.377"] {
            let error = Release::parse(text).unwrap_err().to_string();
            assert!(error.contains("K8S=1.34, K8S=1.35, K8S=1.36, K8S=1.37"), "{error}");
        }
    }
}
