//! The queries of the Grafana dashboard and of the alerts, taken apart.

use serde_json::Value;

/// A query of the dashboard.
#[derive(Debug)]
pub struct Query {
    /// Title of its panel.
    pub panel: String,
    /// What is asked, with Grafana's variables.
    pub expr: String,
}

/// The dashboard in this ConfigMap.
pub fn dashboard(config_map: &Value) -> Value {
    let text = config_map["data"]["punctual.json"].as_str().expect("a dashboard");
    serde_json::from_str(text).expect("JSON")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The queries of all panels.
pub fn of_panels(dashboard: &Value) -> Vec<Query> {
    let of_panel = |panel: &Value| {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let exprs = list(&panel["targets"]).map(|target| target["expr"].as_str().expect("a query").to_owned());
        let queries = exprs.map(move |expr| Query {
            panel: title.clone(),
            expr,
        });
        queries.collect::<Vec<_>>()
    };
    list(&dashboard["panels"]).flat_map(of_panel).collect()
}

/// The queries behind the dashboard's variables: `label_values(SELECTOR, LABEL)` as the query that Grafana makes of it.
pub fn of_variables(dashboard: &Value) -> Vec<Query> {
    let of_variable = |variable: &Value| {
        let asked = variable["definition"].as_str()?.strip_prefix("label_values(")?.strip_suffix(')')?;
        let (selector, label) = asked.rsplit_once(", ")?;
        Some(Query {
            panel: format!("variable {label}"),
            expr: format!("group by ({label}) ({selector})"),
        })
    };
    list(&dashboard["templating"]["list"]).filter_map(of_variable).collect()
}

/// The selectors of Punctual's metrics in a query, each a metric with its matchers.
pub fn selectors(expr: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = expr;
    while let Some(start) = rest.find("punctual_") {
        rest = &rest[start..];
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let end = match rest[name..].strip_prefix('{') {
            Some(matchers) => name + 2 + matchers.find('}').expect("the end of the matchers"),
            None => name,
        };
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}
