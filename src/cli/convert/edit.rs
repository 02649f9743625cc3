//! Changes `apiVersion` and `kind` in the text of a manifest, and nothing else: comments, order and quotes stay.

use crate::api;
use crate::cli::input::{Event, Parser};
use std::ops::Range;

/// The text with the two fields of a `ScheduledTask`; `None` if it does not have both as scalars of its outermost mapping.
pub fn replace_type(text: &str) -> Option<String> {
    let api_version = format!("{}/{}", api::GROUP, api::VERSION);
    let mut edits = [("apiVersion", api_version.as_str()), ("kind", api::KIND)].map(|(field, value)| (field, value, None));
    let mut fields = top_level_scalars(text);
    for (field, _, span) in &mut edits {
        *span = Some(
            fields
                .iter()
                .position(|(name, _)| name == field)
                .map(|at| fields.swap_remove(at).1)?,
        );
    }
    edits.sort_by_key(|(_, _, span)| span.as_ref().map(|span| span.start));
    let mut edited = String::with_capacity(text.len() + 16);
    let mut end = 0;
    for (_, value, span) in edits {
        let Range { start, end: after } = span?;
        edited.push_str(text.get(end..start)?);
        // A manifest in JSON stays JSON.
        match text.get(start..after)?.starts_with('"') {
            true => edited.push_str(&format!("{value:?}")),
            false => edited.push_str(value),
        }
        end = after;
    }
    edited.push_str(text.get(end..)?);
    Some(edited)
}

/// The fields of the outermost mapping whose values are scalars: name, and the bytes of the value.
fn top_level_scalars(text: &str) -> Vec<(String, Range<usize>)> {
    let (mut depth, mut key) = (0_usize, None);
    let mut scalars = Vec::new();
    for located in Parser::new(text) {
        match located.event {
            Event::SequenceStart { .. } | Event::MappingStart { .. } => depth += 1,
            Event::End => {
                depth = depth.saturating_sub(1);
                if depth == 1 {
                    key = None;
                }
            }
            Event::Scalar { value, .. } if depth == 1 => match key.take() {
                Some(name) => scalars.push((name, located.span)),
                None => key = Some(value),
            },
            Event::Alias(_) if depth == 1 => key = None,
            Event::DocumentStart | Event::Alias(_) | Event::Scalar { .. } => {}
        }
    }
    scalars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_scalars_of_the_outermost_mapping_change() {
        for (text, edited) in [
            (
                "# é\nkind: CronJob # b\n'apiVersion': batch/v1\nspec: {kind: CronJob}\n",
                "# é\nkind: ScheduledTask # b\n'apiVersion': punctual.dev/v1alpha1\nspec: {kind: CronJob}\n",
            ),
            (
                r#"{"spec": [{"kind": "x"}], "apiVersion": "batch/v1", "kind": "CronJob"}"#,
                r#"{"spec": [{"kind": "x"}], "apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask"}"#,
            ),
        ] {
            assert_eq!(replace_type(text).as_deref(), Some(edited));
        }
        for text in [
            "kind: CronJob\n",
            "- kind: CronJob\n  apiVersion: batch/v1\n",
            "kind: {}\napiVersion: [a]\n",
            "kind: [",
            "",
        ] {
            assert_eq!(replace_type(text), None, "{text}");
        }
    }
}
