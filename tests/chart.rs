//! The chart `charts/punctual`, rendered by the real `helm`, without a cluster.
//!
//! | file | asks |
//! |---|---|
//! | `helm` | nothing: runs helm, gives documents |
//! | `objects` | what is rendered: CRD, pods, switches, alerts, flags |
//! | `rights` | who may do what: roles, namespaced mode, the admission policy |
//! | `values` | what can be set: schema, documentation, that each value has an effect |
//!
//! Takes the chart, gives verdicts. Never talks to an API server: that the objects work is for the tests with one.
//! `BLESS=1 cargo test --test chart` renews `charts/punctual/README.md` and `deploy/punctual.yaml`.

#[path = "chart/helm.rs"]
mod helm;
#[path = "chart/objects.rs"]
mod objects;
#[path = "chart/rights.rs"]
mod rights;
#[path = "chart/values.rs"]
mod values;

use std::fs;
use std::path::Path;

/// Compares a file of the repository with what it is made from; under `BLESS=1` renews it first.
fn is_made_from(file: &Path, made: &str) {
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        fs::create_dir_all(file.parent().expect("a file is in a folder")).expect("the folder can be made");
        fs::write(file, made).expect("the file can be written");
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    let same = kept.lines().zip(made.lines()).take_while(|(kept, made)| kept == made).count();
    let at = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    assert!(
        kept == made,
        "{} is not what it is made from; renew it with: BLESS=1 cargo test --test chart\nline {}: kept {:?}, made {:?}",
        file.display(),
        same + 1,
        at(&kept),
        at(made)
    );
}
