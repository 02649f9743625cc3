//! The import graph of `src`: which file uses items that are defined in which other file.
//!
//! Built from the text of the files, without their tests. A name is followed through `use` and `pub use` to the file that defines
//! it, so a re-export is no dependency of its own, and neither is a `mod` declaration. Rust allows cycles between files, so only a
//! test can refuse them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// A module by its path: `["schedule", "zone"]`; the crate itself is empty.
type Module = Vec<String>;

/// What a file declares and uses.
#[derive(Default)]
struct Source {
    /// Relative to the repository.
    file: String,
    /// Names of items defined at the top level, inline modules included.
    items: BTreeSet<String>,
    uses: Vec<Use>,
    /// All tokens outside of `use` declarations.
    tokens: Vec<String>,
}

struct Use {
    is_public: bool,
    path: Vec<String>,
    /// The name that it brings into scope; `*` for all names.
    name: String,
}

/// What a path leads to.
enum Target {
    Module(Module),
    /// An item, with the module that defines it.
    Item(Module),
}

pub struct Graph {
    sources: BTreeMap<Module, Source>,
}

impl Graph {
    /// Reads a crate by its folder of sources, such as `src`.
    pub fn read(root: &Path, folder: &str) -> Graph {
        let texts = super::files(&root.join(folder)).into_iter().map(|path| {
            let file = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            (file, std::fs::read_to_string(&path).unwrap())
        });
        Graph::of(folder, texts)
    }

    fn of(folder: &str, texts: impl Iterator<Item = (String, String)>) -> Graph {
        let mut sources = BTreeMap::new();
        for (file, text) in texts {
            let inner = file[folder.len() + 1..].trim_end_matches(".rs");
            let mut module: Module = inner.split('/').map(str::to_owned).collect();
            if inner == "lib" || module.last().is_some_and(|name| name == "mod") {
                module.pop();
            }
            sources.insert(module, Source::parse(file, &text));
        }
        // A binary without a library is a crate of its own; beside a library it uses that by its name.
        if let Some(main) = sources.remove(&vec!["main".to_owned()]) {
            sources.entry(Vec::new()).or_insert(main);
        }
        Graph::pruned(sources)
    }

    /// Leaves out modules that only tests declare.
    fn pruned(mut sources: BTreeMap<Module, Source>) -> Graph {
        let declared: BTreeSet<Module> = sources
            .iter()
            .flat_map(|(module, source)| {
                let declared = source.tokens.windows(3).filter(|three| three[0] == "mod" && three[2] == ";");
                declared.map(|three| [module.clone(), vec![three[1].clone()]].concat())
            })
            .collect();
        let is_used = |module: &Module| (1..=module.len()).all(|n| declared.contains(&module[..n]));
        sources.retain(|module, _| is_used(module));
        Graph { sources }
    }

    /// For each file the files it imports from.
    pub fn edges(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let file = |module: &Module| self.sources[module].file.as_str();
        let edges = self.sources.iter().map(|(module, source)| {
            let imported = self.imported(module, source);
            let others = imported.iter().filter(|other| *other != module);
            (source.file.as_str(), others.map(file).collect())
        });
        edges.collect()
    }

    fn imported(&self, module: &Module, source: &Source) -> BTreeSet<Module> {
        let mut paths: Vec<Vec<String>> = source.paths();
        for import in &source.uses {
            // A re-export counts only if the file uses the name itself.
            if !import.is_public || source.tokens.contains(&import.name) {
                paths.push(import.path.clone());
            }
        }
        let found = paths.iter().filter_map(|path| match self.resolve(module, path, 0)? {
            Target::Item(module) => Some(module),
            Target::Module(module) => (path.last()? == "*").then_some(module),
        });
        found.collect()
    }

    /// Follows a path as written in a module; `None` if it leaves the crate.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<Target> {
        if depth > 20 {
            return None;
        }
        let mut rest = path;
        let mut at = module.clone();
        match path.first()?.as_str() {
            "crate" => (at, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            // A name in scope: of a child module, or of a module or an item that was imported.
            name => {
                let child = [module.clone(), vec![name.to_owned()]].concat();
                if !self.sources.contains_key(&child) {
                    let import = self.sources[module]
                        .uses
                        .iter()
                        .find(|import| import.name == name && import.path != path)?;
                    return match self.resolve(module, &import.path, depth + 1)? {
                        Target::Module(at) => self.descend(at, &path[1..], depth + 1),
                        item => Some(item),
                    };
                }
            }
        }
        self.descend(at, rest, depth)
    }

    fn descend(&self, mut at: Module, path: &[String], depth: usize) -> Option<Target> {
        for name in path.iter().filter(|name| *name != "*" && *name != "self") {
            let child = [at.clone(), vec![name.clone()]].concat();
            if self.sources.contains_key(&child) {
                at = child;
                continue;
            }
            return self.definition(&at, name, depth + 1);
        }
        Some(Target::Module(at))
    }

    /// The module that defines a name that is visible in a module.
    fn definition(&self, module: &Module, name: &str, depth: usize) -> Option<Target> {
        let source = self.sources.get(module)?;
        if source.items.contains(name) || depth > 20 {
            return Some(Target::Item(module.clone()));
        }
        if let Some(import) = source.uses.iter().find(|import| import.name == name) {
            return self.resolve(module, &import.path, depth + 1);
        }
        let globs = source.uses.iter().filter(|import| import.name == "*");
        let mut found = globs.filter_map(|glob| match self.resolve(module, &glob.path, depth + 1)? {
            Target::Module(other) => self.definition(&other, name, depth + 1),
            Target::Item(_) => None,
        });
        found.next()
    }

    /// Shortest cycles, as lists of files: at least one for each group of files that import each other.
    pub fn cycles(&self) -> Vec<Vec<&str>> {
        let edges = self.edges();
        let mut cycles: Vec<Vec<&str>> = Vec::new();
        for start in edges.keys().copied() {
            if cycles.iter().flatten().all(|known| *known != start) {
                cycles.extend(shortest_cycle(&edges, start));
            }
        }
        cycles
    }
}

fn shortest_cycle<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for next in edges[file].iter().copied() {
            if next == start {
                let back = std::iter::successors(Some(file), |file| from.get(file).copied());
                let mut cycle: Vec<&str> = back.collect();
                cycle.reverse();
                return Some(cycle);
            }
            if !from.contains_key(next) {
                from.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    None
}

impl Source {
    fn parse(file: String, text: &str) -> Source {
        let tokens = without_tests(tokens(text));
        let mut source = Source { file, ..Source::default() };
        let (mut at, mut depth, mut is_public) = (0, 0_usize, false);
        while let Some(token) = tokens.get(at).map(String::as_str) {
            if token == "use" && tokens.get(at + 1).is_some_and(|next| next != "<") {
                let end = at + tokens[at..].iter().position(|token| token == ";").unwrap();
                source.uses_of(&tokens[at + 1..end], &[], is_public);
                (at, is_public) = (end + 1, false);
                continue;
            }
            match token {
                "{" => depth += 1,
                "}" => depth -= 1,
                "pub" => is_public = true,
                "struct" | "enum" | "union" | "trait" | "fn" | "const" | "static" | "type" | "mod" if depth == 0 => {
                    let name = tokens[at + 1].clone();
                    if token != "mod" || tokens[at + 2] == "{" {
                        source.items.insert(name);
                    }
                }
                _ => {}
            }
            // `pub` and `pub(super)` belong to what follows.
            is_public &= matches!(token, "pub" | "(" | "crate" | "super" | "in" | ")");
            source.tokens.push(token.to_owned());
            at += 1;
        }
        source
    }

    /// Adds the tree of a `use` declaration: `a::{b, c::*, d as e}`.
    fn uses_of(&mut self, tree: &[String], prefix: &[String], is_public: bool) {
        let mut path = prefix.to_vec();
        for (n, token) in tree.iter().enumerate() {
            match token.as_str() {
                "::" => {}
                "{" => {
                    let mut depth = 0;
                    for part in tree[n + 1..tree.len() - 1].split(|token| {
                        depth += i32::from(token == "{") - i32::from(token == "}");
                        token == "," && depth == 0
                    }) {
                        self.uses_of(part, &path, is_public);
                    }
                    return;
                }
                "as" => {
                    let name = tree[n + 1].clone();
                    return self.uses.push(Use { is_public, path, name });
                }
                name => path.push(name.to_owned()),
            }
        }
        if path.last().is_some_and(|name| name == "self") {
            path.pop();
        }
        if let Some(name) = path.last().cloned().filter(|_| !tree.is_empty()) {
            self.uses.push(Use { is_public, path, name });
        }
    }

    /// All paths of at least two segments in the code.
    fn paths(&self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let mut path = vec![self.tokens[at].clone()];
            let mut end = at + 1;
            while end + 1 < self.tokens.len() && self.tokens[end] == "::" && is_name(&self.tokens[end + 1]) {
                path.push(self.tokens[end + 1].clone());
                end += 2;
            }
            let is_start = at == 0 || !matches!(self.tokens[at - 1].as_str(), "::" | "." | "$");
            if path.len() > 1 && is_start && is_name(&path[0]) {
                paths.push(path);
            }
            at = end;
        }
        paths
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters, without comments. Of strings only those that hold a path, as attributes of serde and schemars do.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let is = |at: usize, text: &str| text.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let start = at;
        if is(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c.is_alphanumeric() || c == '_' {
            while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                at += 1;
            }
            let word: String = chars[start..at].iter().collect();
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            if matches!(word.as_str(), "r" | "br") && chars.get(at + hashes) == Some(&'"') {
                let close = format!("\"{}", "#".repeat(hashes));
                at += hashes + 1;
                while at < chars.len() && !is(at, &close) {
                    at += 1;
                }
                at += close.len();
            } else {
                tokens.push(word);
            }
        } else if c == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
            let inside: String = chars[start + 1..at - 1].iter().collect();
            if inside.contains("::") && inside.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                tokens.extend(self::tokens(&inside));
                tokens.push("\"".to_owned());
            }
        } else if c == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'')) {
            at += if chars[at + 1] == '\\' { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else {
            at += if is(at, "::") { 2 } else { 1 };
            if !c.is_whitespace() {
                tokens.push(chars[start..at].iter().collect());
            }
        }
    }
    tokens
}

/// Leaves out each item under `#[cfg(test)]`.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().take(7).eq(["#", "[", "cfg", "(", "test", ")", "]"].iter()) {
            let mut depth = 0;
            at += 7;
            loop {
                let token = tokens[at].as_str();
                depth += i32::from(matches!(token, "{" | "(" | "[")) - i32::from(matches!(token, "}" | ")" | "]"));
                at += 1;
                if depth == 0 && matches!(token, ";" | "}") {
                    break;
                }
            }
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

#[test]
fn a_name_is_followed_to_the_file_that_defines_it() {
    let graph = Graph::of(
        "src",
        [
            ("src/lib.rs", "pub mod area; // use of::{nothing};\n"),
            (
                "src/area/mod.rs",
                "mod one; mod two; mod three; #[cfg(test)] mod tests; pub use one::*; use two::Two as Renamed; pub fn f() -> u8 { three::g() }",
            ),
            ("src/area/one.rs", "use super::{Renamed, three}; pub struct One; fn h() { three::g(); \"super::two::no path\"; }"),
            ("src/area/two.rs", "pub struct Two; #[serde(with = \"super::three::g\")] struct X;"),
            ("src/area/three.rs", "pub(super) fn g() -> u8 { let c = '\"'; let _: crate::area::One; 0 }"),
            ("src/area/tests.rs", "use super::*;"),
        ]
        .map(|(file, text)| (file.to_owned(), text.to_owned()))
        .into_iter(),
    );
    let edges = graph.edges();
    let of = |file: &str| edges[file].iter().copied().collect::<Vec<_>>();
    assert_eq!(of("src/lib.rs"), [""; 0]);
    assert_eq!(of("src/area/mod.rs"), ["src/area/three.rs", "src/area/two.rs"]);
    assert_eq!(of("src/area/one.rs"), ["src/area/three.rs", "src/area/two.rs"]);
    assert_eq!(of("src/area/two.rs"), ["src/area/three.rs"]);
    assert_eq!(of("src/area/three.rs"), ["src/area/one.rs"]);
    assert!(!edges.contains_key("src/area/tests.rs"));
    let [one, two, three] = ["src/area/one.rs", "src/area/two.rs", "src/area/three.rs"];
    assert_eq!(graph.cycles(), [vec![one, three], vec![two, three, one]]);
}
